"""Style, script and pictures: read once, named by their content, kept by browsers for good."""

import gzip
import hashlib
from pathlib import Path

import msgspec

# Our own table: the machine's differs from system to system.
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webp": "image/webp",
}
_COMPRESSIBLE = {".css", ".js", ".svg", ".txt"}


class StaticFile(msgspec.Struct, frozen=True):
    """One file as it goes out; `gzipped` is None where that would save nothing."""

    digest: str
    content: bytes
    gzipped: bytes | None
    media_type: str


class StaticFiles:
    """Every file below a folder, by its name there (`guide/form.png`)."""

    def __init__(self, folder: Path) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.suffix in _MEDIA_TYPES)
        self._files = {path.relative_to(folder).as_posix(): _read(path) for path in paths}

    def address(self, name: str) -> str:
        """An address that changes when the file does. Raises KeyError for a file that is not there."""
        return f"/static/{self._files[name].digest}/{name}"

    def find(self, name: str) -> StaticFile | None:
        """The file of this name, or None."""
        return self._files.get(name)


def _read(path: Path) -> StaticFile:
    content = path.read_bytes()
    gzipped = gzip.compress(content, mtime=0) if path.suffix in _COMPRESSIBLE else None
    return StaticFile(hashlib.sha256(content).hexdigest()[:12], content, gzipped, _MEDIA_TYPES[path.suffix])
