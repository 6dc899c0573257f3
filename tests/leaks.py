"""Look for what nobody may find before its moment: in a node's files, its processes' memory, Redis and the logs."""

import base64
import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from redis.asyncio import Redis

from tests.marked_exams import MarkedExam

_CHUNK = 1 << 22
_OVERLAP = 256
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ (\d+)\s*(.*)")


class Needles(msgspec.Struct, frozen=True):
    """What is looked for: names and keys as they are, candidate numbers by what they begin with and then as a whole."""

    literals: list[bytes]
    numbers: dict[bytes, re.Pattern[bytes]] = {}

    def find_in(self, content: bytes) -> bytes | None:
        """What was found first."""
        for literal in self.literals:
            if literal in content:
                return literal
        for start, whole in self.numbers.items():
            # A pattern alone would look at every digit.
            if start in content and (found := whole.search(content)):
                return found.group()
        return None


def needles(exams: Iterable[MarkedExam], keys: Iterable[bytes], *, numbers: bool = True) -> Needles:
    """`numbers`: candidate numbers too, which a process may hold of somebody who asks for them."""
    literals: list[bytes] = []
    for exam in exams:
        literals += _forms(exam.name(0).removesuffix(" 0"))
    for key in keys:
        literals += (key, key.hex().encode(), base64.b64encode(key)[:40])
    begin = {exam.number(1)[:4].encode() for exam in exams} if numbers else set()
    patterns = {start: re.compile(rb"(?<!\d)%b\d{4}(?!\d)" % start) for start in begin}
    return Needles(list(dict.fromkeys(literals)), patterns)


def _forms(text: str) -> list[bytes]:
    return [text.encode(), text.encode("utf-16-le"), text.encode("ascii", "backslashreplace")]


def in_folder(folder: Path, wanted: Needles) -> list[str]:
    """Every file below the folder in which something was found, and what."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return [told for path in files for told in in_file(path, wanted)]


def in_file(path: Path, wanted: Needles) -> list[str]:
    """What was found in a file."""
    with path.open("rb") as file:
        return [f"{path}: {found!r}" for found in _search(lambda: file.read(_CHUNK), wanted)]


def in_process(pid: int, wanted: Needles) -> list[str]:
    """What was found in the memory of a process, and in the files that it holds."""
    told = []
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for start, end, rights, name in _mappings(pid):
            # What is mapped read-only is the program.
            if rights.startswith("rw") and not name.startswith("[v"):
                told += [f"{pid} {name}: {found!r}" for found in _search_memory(memory, start, end, wanted)]
    for name in files_of(pid):
        with contextlib.suppress(OSError):
            told += in_file(Path(name), wanted)
    return told


def files_of(pid: int) -> set[str]:
    """The files that a process has mapped or open, but for the program itself."""
    mapped = {name for _, _, _, name in _mappings(pid)}
    opened = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    return {name for name in mapped | opened if _is_data(name)}


def _is_data(name: str) -> bool:
    is_of_the_machine = name.startswith(("/usr/", "/lib")) or (name.startswith("/dev/") and "/shm/" not in name)
    return name.startswith("/") and not is_of_the_machine and ".so" not in name and Path(name).is_file()


def _mappings(pid: int) -> Iterator[tuple[str, str, str, str]]:
    """Where each begins and ends, its rights, its name."""
    for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
        if found := _MAPPING.fullmatch(line):
            yield found.group(1), found.group(2), found.group(3), found.group(5)


async def in_redis(url: str, wanted: Needles) -> list[str]:
    """What was found in any key or value."""
    told = []
    async with Redis.from_url(url) as redis:
        async for key in redis.scan_iter(count=1000):
            content = key + b" " + repr(await _value(redis, key)).encode() + await _raw(redis, key)
            if found := wanted.find_in(content):
                told.append(f"Redis {key!r}: {found!r}")
    return told


async def _value(redis: Redis, key: bytes) -> object:
    match await redis.type(key):
        case b"hash":
            return await redis.hgetall(key)
        case b"zset":
            return await redis.zrange(key, 0, -1, withscores=True)
        case b"set":
            return await redis.smembers(key)
        case b"list":
            return await redis.lrange(key, 0, -1)
        case b"stream":
            return await redis.xrange(key)
        case _:
            return None


async def _raw(redis: Redis, key: bytes) -> bytes:
    value = await redis.get(key) if await redis.type(key) == b"string" else b""
    return value if isinstance(value, bytes) else b""


def _search_memory(memory, start: str, end: str, wanted: Needles) -> Iterator[bytes]:
    memory.seek(int(start, 16))
    left = int(end, 16) - int(start, 16)

    def read() -> bytes:
        nonlocal left
        try:
            part = memory.read(min(_CHUNK, left))
        except OSError:
            # A guard page, or gone meanwhile.
            return b""
        left -= len(part)
        return part

    yield from _search(read, wanted)


def _search(read, wanted: Needles) -> Iterator[bytes]:
    """At most one find in all that `read` gives."""
    before = b""
    while part := read():
        if found := wanted.find_in(before + part):
            yield found
            return
        before = part[-_OVERLAP:]
