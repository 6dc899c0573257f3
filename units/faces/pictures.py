"""A unit's logo: taken as a PNG, JPEG or WebP, painted anew before anybody sees it, kept in PostgreSQL."""

import asyncio
import hashlib
import subprocess
import sys
from datetime import datetime, timedelta

import asyncpg

from kit import sql
from kit.errors import FieldError
from kit.sql import Database
from kit.tables.reader_process import environment
from units.faces.picture_remaker import MOST_PIXELS, SMALLEST_SIDE, Refusal

pictures = sql.load(__file__, "pictures")

LARGEST = 2**20
# Beyond its own limit of working time: one that waits for the machine.
_PATIENCE = 20
# Two processors are left for those who look up scores.
_AT_ONCE = asyncio.Semaphore(2)
# Somebody may be correcting the rest of the form for a while.
_DRAFTS_ARE_KEPT_FOR = timedelta(days=7)
_HEAD = 512

_REFUSALS = {
    Refusal.TOO_MANY_PIXELS: ("picture_too_many_pixels", {"most": MOST_PIXELS // 1_000_000}),
    Refusal.TOO_SMALL: ("picture_too_small", {"smallest": SMALLEST_SIDE}),
}


class PictureRefused(Exception):
    """What was uploaded cannot become a logo; `mistake` says why."""

    def __init__(self, code: str, **facts: int) -> None:
        super().__init__(code)
        self.mistake = FieldError("logo", code, **facts)


def kind_of(content: bytes) -> str | None:
    """`png`, `jpeg` or `webp` by the first bytes, never by a name; `svg` for what is drawn in text."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    return "svg" if b"<svg" in content[:_HEAD].lower() or content.lstrip()[:5] == b"<?xml" else None


async def remake(content: bytes) -> bytes:
    """The picture as a small PNG that holds nothing of the file but what it shows. Raises PictureRefused."""
    if len(content) > LARGEST:
        raise PictureRefused("picture_too_large", most=LARGEST // 2**20)
    kind = kind_of(content)
    if kind == "svg":
        raise PictureRefused("picture_is_svg")
    if kind is None:
        raise PictureRefused("picture_of_unknown_kind")
    async with _AT_ONCE:
        status, painted = await asyncio.to_thread(_paint, content)
    if status == 0 and kind_of(painted) == "png":
        return painted
    code, facts = _REFUSALS.get(Refusal(status) if status in set(Refusal) else Refusal.DAMAGED, ("picture_damaged", {}))
    raise PictureRefused(code, **facts)


def _paint(content: bytes) -> tuple[int, bytes]:
    command = [sys.executable, "-P", "-m", "units.faces.picture_remaker"]
    try:
        done = subprocess.run(
            command,
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            timeout=_PATIENCE,
            check=False,
        )
    except (subprocess.TimeoutExpired, BrokenPipeError):
        return Refusal.DAMAGED, b""
    return done.returncode, done.stdout


async def keep_picture(transaction: asyncpg.Connection, unit_code: str, painted: bytes, now: datetime) -> str:
    """Keep what `remake` made, as nobody's logo yet; returns its hash. Drafts that led to nothing go."""
    digest = hashlib.sha256(painted).hexdigest()[:32]
    await pictures.remove_unused_pictures(transaction, unit_code=unit_code, before=now - _DRAFTS_ARE_KEPT_FOR)
    await pictures.add_picture(transaction, unit_code=unit_code, hash=digest, content=painted, added_at=now)
    return digest


async def find_picture(database: Database, unit_code: str, digest: str) -> bytes | None:
    """A picture of the unit, logo or draft; None when it has no such picture."""
    return await pictures.find_picture(database, unit_code=unit_code, hash=digest)
