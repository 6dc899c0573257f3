"""An uploaded picture is painted anew before anybody sees it; what is no picture is refused in words."""

import io
import struct
import time
import zlib
from datetime import timedelta

import pytest
from PIL import Image, PngImagePlugin

from tests.people import MORNING
from units.faces.look import Look, set_look
from units.faces.picture_remaker import ENOUGH_BYTES
from units.faces.pictures import LARGEST, PictureRefused, find_picture, keep_picture, kind_of, remake

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 200), **options) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind, **options)
    return out.getvalue()


def noise(size: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(out, "JPEG", quality=60)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that unpacks to width times height pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes(64 * 1024), 9)
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_a_picture_of_the_three_kinds_becomes_a_small_png(kind):
    painted = await remake(picture(kind))
    assert kind_of(painted) == "png"
    assert opened(painted).size == (192, 128)
    assert len(painted) <= ENOUGH_BYTES


async def test_even_noise_becomes_light_enough_for_a_phone():
    assert len(await remake(noise((900, 900)))) <= ENOUGH_BYTES


async def test_transparent_stays_transparent():
    out = io.BytesIO()
    Image.new("RGBA", (100, 100), (200, 0, 0, 0)).save(out, "PNG")
    assert opened(await remake(out.getvalue())).convert("RGBA").getpixel((50, 50)) == (200, 0, 0, 0)


async def test_a_photo_stands_as_the_camera_was_held_and_tells_nothing_else():
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "số điện thoại riêng 0912345678"
    painted = await remake(picture("JPEG", (300, 200), exif=exif))
    assert opened(painted).size == (128, 192)
    assert b"0912345678" not in painted
    assert not opened(painted).getexif()


async def test_nothing_that_was_hidden_in_the_file_comes_along():
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "<script>alert(1)</script>")
    polyglot = picture("PNG", pnginfo=told) + b"<html><script>alert(2)</script></html>PK\x03\x04"
    painted = await remake(polyglot)
    assert b"script" not in painted
    assert painted.endswith(b"IEND\xaeB`\x82")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (SVG, "picture_is_svg"),
        (b"  <SVG viewBox='0 0 1 1'/>", "picture_is_svg"),
        (b"", "picture_of_unknown_kind"),
        (b"GIF89a" + bytes(100), "picture_of_unknown_kind"),
        (b"MZ" + bytes(100), "picture_of_unknown_kind"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "picture_damaged"),
        (b"\xff\xd8\xff" + SVG, "picture_damaged"),
        (b"RIFF\x00\x00\x00\x00WEBP" + bytes(40), "picture_damaged"),
        (picture("JPEG")[:400], "picture_damaged"),
        (picture(size=(40, 300)), "picture_too_small"),
        (bomb(50_000, 50_000), "picture_too_many_pixels"),
        (bomb(3_900, 3_900), "picture_damaged"),
        (bytes(LARGEST + 1), "picture_too_large"),
    ],
)
async def test_what_is_no_logo_is_refused_in_words(content, code):
    with pytest.raises(PictureRefused) as refused:
        await remake(content)
    assert refused.value.mistake.code == code


async def test_a_bomb_costs_no_more_than_a_few_seconds():
    out = io.BytesIO()
    Image.new("L", (4000, 4000)).save(out, "PNG")
    began = time.monotonic()
    assert len(out.getvalue()) < 100_000
    assert kind_of(await remake(out.getvalue())) == "png"
    assert time.monotonic() - began < 15


async def test_a_kept_picture_belongs_to_its_unit(connection):
    painted = await remake(picture())
    digest = await keep_picture(connection, "so", painted, MORNING)
    assert await find_picture(connection, "so", digest) == painted
    assert await find_picture(connection, "thpt-ben-may", digest) is None
    assert await keep_picture(connection, "so", painted, MORNING) == digest


async def test_a_draft_that_led_to_nothing_goes_after_a_week_and_a_logo_stays(connection):
    logo = await keep_picture(connection, "so", b"\x89PNG logo", MORNING)
    draft = await keep_picture(connection, "so", b"\x89PNG draft", MORNING)
    waiting = await keep_picture(connection, "so", b"\x89PNG waiting", MORNING)
    await set_look(connection, "so", Look(None, logo))
    await connection.execute(
        "insert into units.approvals"
        " (kind, about, unit_code, decided_in, payload, preview, prepared_by, handed_in_at, state)"
        " values ('unit-page', 'so', 'so', 'so', jsonb_build_object('logo', $1::text), '{}', '{}', $2, 'waiting')",
        waiting, MORNING,
    )  # fmt: skip
    await keep_picture(connection, "so", b"\x89PNG another", MORNING + timedelta(days=8))
    kept = [await find_picture(connection, "so", digest) is not None for digest in (logo, draft, waiting)]
    assert kept == [True, False, True]
