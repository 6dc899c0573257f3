"""One table of counts for all web processes of a node, of a size that no crowd can change.

A file that each process maps. A count is 16 bytes: a keyed hash of what is counted, and the arrival time of
`kit.gcra`. Eight counts make a bucket of two cache lines; the hash names its bucket. A count whose arrival time has
passed says the same as none, so its place is free. When all eight of a bucket are in use, the one that would be free
first gives way to a newcomer: somebody is counted anew, nobody is refused for want of room.

Nothing is locked. The worst of two processes meeting in one place: of two hits at the same microsecond one is not
counted, a newcomer is forgotten at once, or a name stands beside another's time for an instant. A time is written
whole (eight aligned bytes), and one that no pace can have made is cut down by its reader: see `NodeLimiter`.
"""

import contextlib
import fcntl
import hashlib
import mmap
import os
import secrets
import struct
from pathlib import Path

import structlog

_log = structlog.get_logger(__name__)

_MAGIC = b"bd-counts-1\0"
_HEADER = 4096
_SALT = 32
_PLACES = 8
_BUCKET = _PLACES * 16
# Twice the room of 1,000,000 counts: with a million in use three of a thousand do not find a place. 32 MiB.
BUCKETS = 1 << 18


class CounterTable:
    """The table in `file`; `file=None`: of this process alone. `salt` is what this table adds to the key of hashes.

    `arrivals[place]` is the arrival time at a place. `buckets` is a power of two.
    """

    def __init__(self, file: Path | None = None, *, buckets: int = BUCKETS) -> None:
        size = _HEADER + buckets * _BUCKET
        self._map, self.salt = _open(file, size) if file else _alone(size)
        self._mask = buckets - 1
        # Eight hashes lie together in front of their eight times.
        self._read_tags = struct.Struct(f"={_PLACES}Q").unpack_from
        self._tags = memoryview(self._map).cast("Q")
        self.arrivals = memoryview(self._map).cast("q")

    def __len__(self) -> int:
        """How many bytes it takes, whatever it counts."""
        return len(self._map)

    def find(self, tag: int) -> int | None:
        """The place of what is counted, if it is."""
        bucket = _HEADER + (tag & self._mask) * _BUCKET
        tags = self._read_tags(self._map, bucket)
        return (bucket >> 3) + _PLACES + tags.index(tag) if tag in tags else None

    def place(self, tag: int, now: int) -> int:
        """The place of what is counted, taken now if it had none. `tag` is 64 bits and not zero."""
        bucket = _HEADER + (tag & self._mask) * _BUCKET
        tags = self._read_tags(self._map, bucket)
        if tag in tags:
            return (bucket >> 3) + _PLACES + tags.index(tag)
        return self._take(bucket >> 3, tag, now)

    def _take(self, first: int, tag: int, now: int) -> int:
        times = self.arrivals[first + _PLACES : first + 2 * _PLACES].tolist()
        longest_idle = times.index(min(times))
        place = first + _PLACES + longest_idle
        # The time first: whoever reads in between finds the old name with nothing against it.
        self.arrivals[place] = now
        self._tags[first + longest_idle] = tag
        return place


def forget_counts(file: Path) -> None:
    """Begin anew: the service starts, and no process of it has the file open."""
    file.unlink(missing_ok=True)


def _alone(size: int) -> tuple[mmap.mmap, bytes]:
    return mmap.mmap(-1, size), secrets.token_bytes(_SALT)


def _open(file: Path, size: int) -> tuple[mmap.mmap, bytes]:
    """The file's map and salt; a new file where none of this boot and size is there."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.with_name(f"{file.name}.lock").open("w") as lock:
            # Several processes start at once: they must end up with one file.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (found := _map(file, size)) is None:
                _make(file, size)
                found = _map(file, size)
        if found is not None:
            return found
    except OSError as problem:
        # A full disk must not keep a node from coming up: each process counts for itself then.
        _log.warning("limits_not_shared", problem=problem.strerror)
    return _alone(size)


def _map(file: Path, size: int) -> tuple[mmap.mmap, bytes] | None:
    with contextlib.suppress(FileNotFoundError), file.open("r+b") as opened:
        begin = _begin()
        if opened.read(len(begin)) == begin and os.fstat(opened.fileno()).st_size == size:
            salt = opened.read(_SALT)
            return mmap.mmap(opened.fileno(), size), salt
    return None


def _make(file: Path, size: int) -> None:
    draft = file.with_name(f"{file.name}.new")
    with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "r+b") as opened:
        # Room is made now: writing into a hole of a full disk would end the process.
        os.posix_fallocate(opened.fileno(), 0, size)
        opened.write(_begin() + secrets.token_bytes(_SALT))
    draft.replace(file)


def _begin() -> bytes:
    """Times of another boot mean nothing: its monotonic clock began anew."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:
        boot = b""
    return _MAGIC + hashlib.blake2b(boot, digest_size=16).digest()
