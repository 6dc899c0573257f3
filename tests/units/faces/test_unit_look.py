"""A colour that a unit chooses can be read by everyone, by light and by dark, or is refused with a way out."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.officers import given_unit
from tests.people import MORNING
from units.faces.look import (
    DARK_ON_ACCENT,
    DARK_SURFACES,
    ENOUGH,
    LIGHT_SURFACES,
    Look,
    accent_mistakes,
    contrast,
    dark_ratio,
    find_look,
    light_ratio,
    nearest_legible,
    pair_of,
    read_accent,
    set_look,
    style_of,
)
from units.faces.pictures import keep_picture
from units.units import list_units

STYLE = Path(__file__).parents[3] / "templates" / "static" / "baodanh.css"
colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(colours)
def test_every_colour_has_a_pair_that_can_be_read_by_light_and_by_dark(accent):
    pair = pair_of(accent)
    assert light_ratio(pair.light) >= ENOUGH
    assert dark_ratio(pair.dark) >= ENOUGH


@given(colours)
def test_a_colour_is_refused_just_when_it_cannot_be_read_and_the_shade_we_suggest_is_taken(accent):
    refused = accent_mistakes(accent)
    assert bool(refused) == (light_ratio(accent) < ENOUGH)
    assert not accent_mistakes(nearest_legible(accent))
    assert refused or nearest_legible(accent) == accent


def test_contrast_is_measured_as_wcag_says():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((255, 255, 255), (255, 255, 255)) == pytest.approx(1)
    # The grey that every textbook names as the lightest on white.
    assert 4.5 <= contrast((0x76, 0x76, 0x76), (255, 255, 255)) < 4.6


def test_yellow_is_refused_with_its_ratio_and_a_darker_yellow():
    (mistake,) = accent_mistakes("#ffd500")
    assert mistake.code == "accent_illegible"
    assert mistake.facts["ratio"] == "1,33"
    assert light_ratio(mistake.facts["nearest"]) < 5.0, "the nearest, not just any dark one"


def test_a_ratio_just_too_small_does_not_read_as_enough():
    nearly = next(
        accent for level in range(256) if ENOUGH > light_ratio(accent := f"#{level:02x}{level:02x}{level:02x}") > 4.45
    )
    assert accent_mistakes(nearly)[0].facts["ratio"] < "4,50"


@pytest.mark.parametrize(
    ("typed", "accent"),
    [("#7A1F3D", "#7a1f3d"), (" 7a1f3d ", "#7a1f3d"), ("#abc", None), ("đỏ", None), ("#12345g", None), ("", None)],
)
def test_a_colour_is_read_as_people_write_it(typed, accent):
    assert read_accent(typed) == accent


def test_the_surfaces_we_measure_against_are_those_of_the_style_sheet():
    light, dark = STYLE.read_text(encoding="utf-8").split("@media (prefers-color-scheme: dark)", 1)

    def colour(sheet: str, name: str) -> tuple[int, ...]:
        found = re.search(rf"--{name}: #([0-9a-f]+);", sheet)
        assert found
        digits = found[1] if len(found[1]) == 6 else "".join(digit * 2 for digit in found[1])
        return tuple(bytes.fromhex(digits))

    assert (colour(light, "surface"), colour(light, "paper")) == LIGHT_SURFACES
    assert (colour(dark, "surface"), colour(dark, "paper")) == DARK_SURFACES
    assert colour(light, "on-accent") == LIGHT_SURFACES[0]
    assert colour(dark, "on-accent") == DARK_ON_ACCENT


def test_the_style_sheet_of_a_unit_holds_colours_and_nothing_else():
    assert re.fullmatch(
        r"(@media screen( and \(prefers-color-scheme:dark\))?"
        r"\{:root\{--accent:#[0-9a-f]{6};--accent-soft:#[0-9a-f]{6}\}\}\n){2}",
        style_of("#7a1f3d"),
    )


async def test_a_unit_without_a_colour_of_its_own_wears_the_roots(connection):
    await given_unit(connection, "thpt-a")
    digest = await keep_picture(connection, "so", b"\x89PNG", MORNING)
    await set_look(connection, "so", Look("#7a1f3d", digest))
    root, school = await list_units(connection)
    assert (root.accent, root.logo) == ("#7a1f3d", digest)
    assert (school.accent, school.logo) == ("#7a1f3d", None)
    assert await find_look(connection, "thpt-a") == Look()
    await set_look(connection, "thpt-a", Look("#00529b"))
    assert (await list_units(connection))[1].accent == "#00529b"
