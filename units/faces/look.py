"""How a unit's pages look: one accent colour, legible by light and by dark, and a logo."""

import colorsys
from collections.abc import Iterable
from functools import lru_cache

import asyncpg
import msgspec

from kit import sql
from kit.errors import FieldError
from kit.sql import Database

looks = sql.load(__file__, "look")

Colour = tuple[int, int, int]

# WCAG 2.2 AA for text.
ENOUGH = 4.5
# What letters and surfaces templates/static/baodanh.css puts beside the accent: `--paper`, `--surface`, `--on-accent`.
LIGHT_SURFACES: tuple[Colour, ...] = ((255, 255, 255), (250, 248, 243))
DARK_SURFACES: tuple[Colour, ...] = ((26, 32, 44), (18, 22, 31))
DARK_ON_ACCENT: Colour = (16, 24, 38)
# How much accent there is in `--accent-soft`.
_SOFT = 0.11
_STEPS = 255
# Where sRGB's curve begins.
_DARKEST = 0.04045


class Look(msgspec.Struct, frozen=True):
    """What a unit has chosen itself: `#rrggbb` and the hash of a picture; None where it has not."""

    accent: str | None = None
    logo: str | None = None


class Pair(msgspec.Struct, frozen=True):
    """The accent by light and by dark, each with its soft surface."""

    light: str
    light_soft: str
    dark: str
    dark_soft: str


async def find_look(database: Database, unit_code: str) -> Look:
    """The unit's own look."""
    row = await looks.find_look(database, unit_code=unit_code)
    return Look(row["accent"], row["logo"]) if row else Look()


async def set_look(transaction: asyncpg.Connection, unit_code: str, look: Look) -> None:
    """Give the unit this look. The caller announces the change."""
    await looks.set_look(transaction, unit_code=unit_code, accent=look.accent, logo=look.logo)


def read_accent(typed: str) -> str | None:
    """`#7a1f3d`, also without its sign and in capitals, as stored; None for what is no colour."""
    digits = typed.strip().removeprefix("#").lower()
    if len(digits) != len("rrggbb") or not set(digits) <= set("0123456789abcdef"):
        return None
    return f"#{digits}"


def accent_mistakes(accent: str) -> list[FieldError]:
    """Why a colour cannot be read by light: the ratio as measured, and the nearest shade that can."""
    if (ratio := light_ratio(accent)) >= ENOUGH:
        return []
    return [FieldError("accent", "accent_illegible", ratio=_shown(ratio), nearest=nearest_legible(accent))]


def light_ratio(accent: str) -> float:
    """The worst contrast that the colour has on our light pages, as letters and as the surface of a button."""
    colour = _parse(accent)
    return min(contrast(colour, surface) for surface in (*LIGHT_SURFACES, _soft(colour, LIGHT_SURFACES[0])))


def dark_ratio(accent: str) -> float:
    """The worst contrast that the colour has on our dark pages."""
    colour = _parse(accent)
    others = (*DARK_SURFACES, DARK_ON_ACCENT, _soft(colour, DARK_SURFACES[0]))
    return min(contrast(colour, other) for other in others)


@lru_cache(maxsize=4096)
def nearest_legible(accent: str) -> str:
    """The colour itself, or the same hue just dark enough for light pages. Black always is."""
    return next(shade for shade in _shades(accent, darker=True) if light_ratio(shade) >= ENOUGH)


@lru_cache(maxsize=4096)
def pair_of(accent: str) -> Pair:
    """A legible pair: the colour by light, the same hue just light enough by dark."""
    light = nearest_legible(accent)
    dark = next(shade for shade in _shades(accent, darker=False) if dark_ratio(shade) >= ENOUGH)
    return Pair(
        light,
        _hex(_soft(_parse(light), LIGHT_SURFACES[0])),
        dark,
        _hex(_soft(_parse(dark), DARK_SURFACES[0])),
    )


def style_of(accent: str) -> str:
    """The style sheet that puts the accent on a page. Paper stays black and white."""
    pair = pair_of(accent)
    by_light = f":root{{--accent:{pair.light};--accent-soft:{pair.light_soft}}}"
    by_dark = f":root{{--accent:{pair.dark};--accent-soft:{pair.dark_soft}}}"
    return f"@media screen{{{by_light}}}\n@media screen and (prefers-color-scheme:dark){{{by_dark}}}\n"


def contrast(one: Colour, other: Colour) -> float:
    """WCAG's ratio, from 1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = map(_linear, _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= _DARKEST else ((part + 0.055) / 1.055) ** 2.4


def _shades(accent: str, *, darker: bool) -> Iterable[str]:
    """The colour, then the same hue ever darker or lighter, to black or white."""
    yield accent
    hue, lightness, saturation = colorsys.rgb_to_hls(*_parts(_parse(accent)))
    end = 0.0 if darker else 1.0
    for step in range(1, _STEPS + 1):
        shade = colorsys.hls_to_rgb(hue, lightness + (end - lightness) * step / _STEPS, saturation)
        yield _hex((round(shade[0] * 255), round(shade[1] * 255), round(shade[2] * 255)))


def _soft(accent: Colour, surface: Colour) -> Colour:
    red, green, blue = (round(part * _SOFT + below * (1 - _SOFT)) for part, below in zip(accent, surface, strict=True))
    return red, green, blue


def _parse(accent: str) -> Colour:
    return int(accent[1:3], 16), int(accent[3:5], 16), int(accent[5:7], 16)


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _parts(colour: Colour) -> tuple[float, float, float]:
    return colour[0] / 255, colour[1] / 255, colour[2] / 255


def _shown(ratio: float) -> str:
    # Rounded down: 4.49 must not read as the 4.5 that is asked for.
    return f"{int(ratio * 100) / 100:.2f}".replace(".", ",")
