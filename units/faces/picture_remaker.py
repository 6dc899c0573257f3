"""The process that opens an uploaded picture and paints it anew: bounded in memory and time, so a bomb kills only this.

Started as `python -m units.faces.picture_remaker` with the picture on standard input; the new one, a small PNG that
holds pixels and nothing else of what was sent, goes to standard output. Exit status 0 says that it is whole; the others
are in `Refusal`.
"""

import enum
import io
import sys
import warnings
from collections.abc import Iterator

from PIL import Image, ImageOps, UnidentifiedImageError

from kit.tables.workbook_reader import limit_cost

FORMATS = ("PNG", "JPEG", "WEBP")
# Beyond this nobody means a logo; and so much fits into memory, several times over.
MOST_PIXELS = 4000 * 4000
SMALLEST_SIDE = 48
# A logo comes with the first load of a page, which has 30 KB in all.
ENOUGH_BYTES = 8 * 1024
_SIDES = (192, 144, 96)
_COLOURS = (None, 128, 32)
_MEMORY_BYTES = 640 * 2**20
_SECONDS = 8


class Refusal(enum.IntEnum):
    """Why there is no picture, as an exit status."""

    DAMAGED = 10
    TOO_MANY_PIXELS = 11
    TOO_SMALL = 12


def main() -> None:
    """Paint the picture on standard input anew."""
    limit_cost(_MEMORY_BYTES, _SECONDS)
    # Ours is the limit, told apart from damage.
    Image.MAX_IMAGE_PIXELS = None
    warnings.simplefilter("ignore")
    try:
        painted = _remade(sys.stdin.buffer.read())
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, MemoryError, OverflowError):
        sys.exit(Refusal.DAMAGED)
    sys.stdout.buffer.write(painted)


def _remade(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
        # The size stands in the head: nothing has been unpacked yet.
        if opened.width * opened.height > MOST_PIXELS:
            sys.exit(Refusal.TOO_MANY_PIXELS)
        if min(opened.size) < SMALLEST_SIDE:
            sys.exit(Refusal.TOO_SMALL)
        upright = ImageOps.exif_transpose(opened)
        picture = upright.convert("RGBA")
    painted = b""
    for painted in _ever_lighter(picture):
        if len(painted) <= ENOUGH_BYTES:
            break
    return painted


def _ever_lighter(picture: Image.Image) -> Iterator[bytes]:
    """The picture as PNG: first as it is, then in fewer colours, then smaller."""
    for side in _SIDES:
        smaller = ImageOps.contain(picture, (side, side)) if max(picture.size) > side else picture
        for colours in _COLOURS:
            flat = smaller if colours is None else smaller.quantize(colours, method=Image.Quantize.FASTOCTREE)
            out = io.BytesIO()
            # A fresh canvas: no text, profile or thumbnail of the sender's comes along.
            flat.info = {key: value for key, value in flat.info.items() if key == "transparency"}
            flat.save(out, "PNG", optimize=True)
            yield out.getvalue()


if __name__ == "__main__":
    main()
