"""The releases that this web process holds: sealed until their moment, then answered from memory."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
import structlog

from kit.clock import utc_now
from lookup.exams import BundleFacts, Exam, Release
from lookup.sealed import alarms
from lookup.sealed.bundle_format import BundleBroken
from lookup.sealed.held import Held
from lookup.sealed.open_release import OpenRelease
from lookup.sealed.release_folder import forget_key, keep_key, read_key

__all__ = ["OpenRelease", "Opening", "Vault"]

log = structlog.get_logger()

# A key is on its way for some milliseconds; nothing is cried out before.
LATE = timedelta(seconds=1)
# A file takes its time to every node; what was sealed after its moment is answered from PostgreSQL meanwhile.
_ON_ITS_WAY = timedelta(minutes=1)
# Which files are needed is thought over this often, beside every change.
_AGAIN = timedelta(seconds=1)
# Longer than anybody's clock stays as it is: the way to a far moment is looked at again.
_LONGEST_TIMER, _SHORTEST_TIMER = 30.0, 0.001
# Keys that came before the catalogue knew of their files.
_MOST_EARLY_KEYS = 64


class Opening(msgspec.Struct, frozen=True):
    """What this process says of a file it holds: since when it answers from it, or why it does not."""

    opened_at: datetime | None
    problem: str | None


class Vault:
    """Opens a release when it holds its file and its key and its own clock is past the moment.

    Everything happens in the event loop, without waiting: a header of a file of 200 MB is checked in a millisecond,
    opening decodes a few kilobytes. `clock` is what the timer of the next moment looks at.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime] = utc_now) -> None:
        self.folder, self._clock = folder, clock
        self._exams: list[Exam] = []
        self._held: dict[int, Held] = {}
        # By the id that the catalogue knows: where a release was sealed anew, its older file until the newer is open.
        self._answering: dict[int, Held] = {}
        self._early_keys: dict[int, tuple[bytes, str]] = {}
        self._unkept: dict[int, bytes] = {}
        self._taken_down: set[int] = set()
        self._cried: set[tuple[int, str]] = set()
        self._chosen_at: datetime | None = None
        self._listeners: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None

    def when_changed(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever a release opened or closed here."""
        self._listeners.append(listener)

    def find_open(self, release: Release) -> OpenRelease | None:
        """The open file of a release; None where it is sealed, broken or not here."""
        held = self._answering.get(release.bundle.id) if release.bundle else None
        return held.open_release if held else None

    def as_shown_here(self, exam: Exam) -> Exam:
        """The exam as this process answers it: which releases are open here, with the distributions in their files."""
        releases = tuple(self._as_shown(release) for release in exam.releases)
        return exam if releases == exam.releases else msgspec.structs.replace(exam, releases=releases)

    def _as_shown(self, release: Release) -> Release:
        held = self._answering.get(release.bundle.id) if release.bundle else None
        if held is None or held.open_release is None:
            return release
        return msgspec.structs.replace(release, is_open_here=True, distributions=held.distributions)

    def follow(self, exams: Iterable[Exam], now: datetime) -> None:
        """What the catalogue knows now: files to hold, releases that were taken down, replaced or sealed anew."""
        self._exams = list(exams)
        for exam in self._exams:
            for release in exam.releases:
                if release.bundle and release.generation <= exam.withdrawn_generation:
                    self._take_down(exam, release.bundle.id)
        self._chosen_at = None
        self.look(now)

    def take_key(self, bundle_id: int, key: bytes, now: datetime, source: str = "folder") -> None:
        """A key has come, from wherever; it is kept until the moment and then used. One that does not fit is not."""
        held = self._held.get(bundle_id)
        if held and held.bundle:
            if held.key is None and self._fits(held, key, source):
                self.look(now)
        elif bundle_id in self._early_keys or len(self._early_keys) < _MOST_EARLY_KEYS:
            self._early_keys[bundle_id] = (key, source)

    def awaited(self) -> Mapping[int, datetime]:
        """The moments of the releases whose keys have not come, by the ids of their files."""
        return {bundle_id: held.release.opens_at for bundle_id, held in self._held.items() if held.key is None}

    def look(self, now: datetime) -> None:
        """Hold what came, open what is due, let go what is over; cheap, and right at any time."""
        if self._chosen_at is None or abs(now - self._chosen_at) >= _AGAIN:
            self._choose_files(now)
        opened = [held for held in list(self._held.values()) if held.open_release is None and self._opens(held, now)]
        if opened:
            self._choose_files(now)
        self._cry_for_what_is_late(now)
        self._arm(now)

    def openings(self) -> dict[int, Opening]:
        """What there is to tell of the files held here, by their ids."""
        return {
            bundle_id: Opening(held.opened_at, held.problem)
            for bundle_id, held in self._held.items()
            if held.opened_at or held.problem
        }

    def broken(self) -> list[str]:
        """The exams of which a file lies here that cannot be used."""
        return sorted({held.exam.code for held in self._held.values() if held.problem})

    async def keep_keys(self) -> None:
        """Keep the keys of what has opened, so that this process comes up again without anybody's help."""
        for bundle_id, key in list(self._unkept.items()):
            try:
                if read_key(self.folder, bundle_id) != key:
                    await asyncio.to_thread(keep_key, self.folder, bundle_id, key)
            except OSError as problem:
                # Tried again with the next look.
                log.warning("release_key_cannot_be_kept", problem=type(problem).__name__)
                return
            self._unkept.pop(bundle_id, None)
            if bundle_id in self._taken_down:
                forget_key(self.folder, bundle_id)

    def _take_down(self, exam: Exam, bundle_id: int) -> None:
        """At once, with its key: a process that starts again later must not open it."""
        for taken, held in list(self._held.items()):
            if taken == bundle_id or (held.exam.code == exam.code and held.name[1] <= exam.withdrawn_generation):
                del self._held[taken]
                self._forget(taken)
        self._forget(bundle_id)

    def _forget(self, bundle_id: int) -> None:
        self._taken_down.add(bundle_id)
        self._early_keys.pop(bundle_id, None)
        self._unkept.pop(bundle_id, None)
        try:
            forget_key(self.folder, bundle_id)
        except OSError as problem:
            log.error("release_key_cannot_be_removed", problem=type(problem).__name__)  # noqa: TRY400 - the word says it

    def _opens(self, held: Held, now: datetime) -> bool:
        """One step further with a file, as far as it goes; whether it is open now."""
        try:
            if not held.bundle:
                if not held.take_file(self.folder):
                    return False
                held.was_there_before = now < held.release.opens_at
                self._try_known_keys(held)
            if held.key is None or now < held.release.opens_at:
                return False
            held.open(now, partial(self._break, held))
        except BundleBroken as broken:
            self._spoil(held, broken)
            return False
        self._unkept[held.facts.id] = held.key
        late = (now - held.release.opens_at).total_seconds() if held.was_there_before else None
        alarms.tell_opened(*held.name, late)
        return True

    def _try_known_keys(self, held: Held) -> None:
        early = self._early_keys.pop(held.facts.id, None)
        if early:
            self._fits(held, *early)
        if held.key is None and (kept := read_key(self.folder, held.facts.id)):
            self._fits(held, kept, "folder")

    def _fits(self, held: Held, key: bytes, source: str) -> bool:
        fits = held.take_key(key)
        if fits:
            alarms.count_key(source)
        elif fits is False:
            alarms.alarm(*held.name, "wrong_key")
        return bool(fits)

    def _break(self, held: Held, broken: BundleBroken) -> None:
        """Found while somebody asked: from now on this is answered as before its moment."""
        if held.open_release:
            self._spoil(held, broken)
            self._choose_files(self._clock())

    def _spoil(self, held: Held, broken: BundleBroken) -> None:
        held.spoil(broken.reason)
        alarms.alarm(*held.name, broken.reason)

    def _choose_files(self, now: datetime) -> None:
        """Hold what is or will be shown, and nothing else; tell who listens if something opened or closed by that."""
        before = {bundle_id: held.open_release for bundle_id, held in self._answering.items()}
        wanted = {facts.id: (exam, release, facts) for exam, release, facts in self._wanted(now)}
        for bundle_id, (exam, release, facts) in wanted.items():
            held = self._held.get(bundle_id)
            if held is None or held.facts != facts:
                self._held[bundle_id] = Held(exam, release, facts, now)
            else:
                held.exam, held.release = exam, release
        stand_ins = self._stand_ins(wanted)
        answering = {bundle_id: stand_ins.get(bundle_id, self._held[bundle_id]) for bundle_id in wanted}
        self._answering = {bundle_id: held for bundle_id, held in answering.items() if held.open_release}
        kept = {*wanted, *(held.facts.id for held in stand_ins.values())}
        self._held = {bundle_id: held for bundle_id, held in self._held.items() if bundle_id in kept}
        self._chosen_at = now
        if before != {bundle_id: held.open_release for bundle_id, held in self._answering.items()}:
            self._tell_changed()

    def _wanted(self, now: datetime) -> Iterator[tuple[Exam, Release, BundleFacts]]:
        """What is not taken down, from the newest on that is open here or should long have been."""
        for exam in self._exams:
            for release in exam.releases_to_hold(now, self._is_open):
                if release.bundle:
                    yield exam, release, release.bundle

    def _is_open(self, release: Release) -> bool:
        return self.find_open(release) is not None

    def _stand_ins(self, wanted: Mapping[int, object]) -> dict[int, Held]:
        """For files that are not open yet: the older file of the same release, where it is."""
        open_by_name = {held.name: held for held in self._held.values() if held.open_release}
        return {
            bundle_id: open_by_name[self._held[bundle_id].name]
            for bundle_id in wanted
            if not self._held[bundle_id].open_release and self._held[bundle_id].name in open_by_name
        }

    def _cry_for_what_is_late(self, now: datetime) -> None:
        for bundle_id, held in self._held.items():
            if held.open_release or held.problem or now < _expected(held) + LATE:
                continue
            reason = "key_missing" if held.bundle else "file_missing"
            if bundle_id not in self._answering and (bundle_id, reason) not in self._cried:
                self._cried.add((bundle_id, reason))
                alarms.alarm(*held.name, reason)

    def _arm(self, now: datetime) -> None:
        """Be there at the next moment."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        moments = [held.release.opens_at for held in self._held.values() if held.release.opens_at > now]
        if moments:
            seconds = (min(moments) - now).total_seconds()
            with contextlib.suppress(RuntimeError):  # no event loop: somebody looks by hand
                loop = asyncio.get_running_loop()
                delay = min(max(seconds, _SHORTEST_TIMER), _LONGEST_TIMER)
                self._timer = loop.call_at(loop.time() + delay, lambda: self.look(self._clock()))

    def close(self) -> None:
        """Look at no clock any more."""
        if self._timer:
            self._timer.cancel()

    def _tell_changed(self) -> None:
        for exam in self._exams:
            alarms.show_open(exam.code, is_open=any(self._is_open(release) for release in exam.releases))
        for listener in self._listeners:
            try:
                listener()
            except Exception:
                # A page that cannot be made beforehand keeps no release from opening.
                log.exception("release_change_not_heard")


def _expected(held: Held) -> datetime:
    """When a file should be open. A node that joins later has yet to fetch it."""
    release = held.release
    if release.sealed_in_time and (held.bundle or held.known_since < release.opens_at):
        return release.opens_at
    since = held.known_since if release.sealed_in_time else max(held.known_since, held.facts.stored_at)
    return since + _ON_ITS_WAY
