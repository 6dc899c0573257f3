"""The sealed file of one release in this process: checked against what the catalogue says, then opened."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from lookup.distributions import Distribution
from lookup.exams import BundleFacts, Exam, Release, read_distributions
from lookup.sealed.bundle import Bundle
from lookup.sealed.bundle_format import BundleBroken
from lookup.sealed.open_release import OpenRelease
from lookup.sealed.record import FACTS, decode_facts
from lookup.sealed.release_folder import bundle_path

# Whoever has the right key sends no other: more than this is noise.
_MOST_REFUSED_KEYS = 64


class Held:
    """One file. `problem` says why it cannot be used; it is not tried again until another file lies there."""

    def __init__(self, exam: Exam, release: Release, facts: BundleFacts, known_since: datetime) -> None:
        self.exam, self.release, self.facts, self.known_since = exam, release, facts, known_since
        self.bundle: Bundle | None = None
        self.key: bytes | None = None
        self.open_release: OpenRelease | None = None
        self.opened_at: datetime | None = None
        self.distributions: dict[int, Distribution] = {}
        self.problem: str | None = None
        # Lateness is measured by who was there at the moment.
        self.was_there_before = False
        self._refused_keys: set[bytes] = set()
        self._spoiled: tuple[int, int, int] | None = None

    @property
    def name(self) -> tuple[str, int]:
        """Exam and generation: several files may hold the same release."""
        return self.exam.code, self.release.generation

    def take_file(self, folder: Path) -> bool:
        """Whether the file is held: it lies there and is the one that was announced. Raises BundleBroken."""
        path = bundle_path(folder, self.facts.id)
        found = None if self.bundle else _identity(path)
        if found is None or found == self._spoiled:
            return self.bundle is not None
        self._spoiled = found
        try:
            bundle = self._check(Bundle(path, self.facts.signed_by), found[1])
        except OSError:
            raise BundleBroken("unreadable") from None
        self.bundle, self.problem, self._spoiled = bundle, None, None
        return True

    def _check(self, bundle: Bundle, size: int) -> Bundle:
        header, release = bundle.header, self.release
        said = (header.exam, header.generation, header.policy, header.opens_at)
        if said != (*self.name, self.exam.policy, release.opens_at):
            raise BundleBroken("another_release")
        if size != self.facts.size:
            raise BundleBroken("size_wrong")
        return bundle

    def take_key(self, key: bytes) -> bool | None:
        """Whether the key fits the file, which has to be held; None for one that was refused before, or noise."""
        assert self.bundle is not None
        if key in self._refused_keys:
            return None
        if self.bundle.fits(key):
            self.key = key
            return True
        if len(self._refused_keys) >= _MOST_REFUSED_KEYS:
            return None
        self._refused_keys.add(key)
        return False

    def open(self, now: datetime, tell_broken: Callable[[BundleBroken], None]) -> None:
        """Read what all records share. The caller looked that the moment has passed. Raises BundleBroken."""
        assert self.bundle is not None
        assert self.key is not None
        try:
            facts = decode_facts(self.bundle.part(self.key, FACTS))
            self.distributions = read_distributions(self.exam, facts.distributions)
        except (KeyError, ValueError, ArithmeticError):
            raise BundleBroken("facts_wrong") from None
        self.open_release = OpenRelease(self.bundle, self.key, facts, tell_broken)
        self.opened_at = now

    def spoil(self, reason: str) -> None:
        """The file is not what was sealed: it is let go, and not looked at again until another lies there."""
        if self.bundle:
            self._spoiled = _identity(self.bundle.path)
        self.bundle, self.open_release, self.opened_at, self.problem = None, None, None, reason


def _identity(path: Path) -> tuple[int, int, int] | None:
    """By which another file is told from this one; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
