"""Provinces and communes, as the state numbers them since 1 July 2025, with our corrections on top.

Names and codes come from the package `vietnam_provinces`, whose data file is read by itself, when somebody first asks:
importing the package would cost every web process fifteen megabytes instead of one.
"""

import importlib.util
import re
import tomllib
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from pathlib import Path

import msgspec

from kit.errors import DomainError
from kit.vietnamese import search_key, sort_key

_CORRECTIONS = Path(__file__).parent / "data" / "place_corrections.toml"
# As the package has them, and as people type them.
_SIGNS = str.maketrans({"–": "-", "—": "-", "’": "'", "‘": "'"})
_KIND = re.compile(r"^(?:thanh pho|tinh|phuong|xa|dac khu) (?=.)")
_PROVINCE_DIGITS, _COMMUNE_DIGITS = 2, 5


class Province(msgspec.Struct, frozen=True):
    """A province or centrally governed city; `code` has two digits. A fictional one serves the demo alone."""

    code: str
    name: str
    is_fictional: bool = False


class Commune(msgspec.Struct, frozen=True):
    """A commune, ward or special zone, by its full name (`Phường Hoàn Kiếm`); `code` has five digits."""

    code: str
    name: str
    province_code: str


class PlaceNotFound(DomainError):
    """No province or commune has this code."""

    code = "place_not_found"
    status = 422


class CommuneElsewhere(DomainError):
    """The commune lies in another province than was said."""

    code = "commune_elsewhere"
    status = 422


def provinces() -> list[Province]:
    """Every province there is, in Vietnamese order of their names without `Thành phố`."""
    return list(_book().listed)


def province(code: str) -> Province:
    """The province of this code, the fictional one too. Raises PlaceNotFound."""
    try:
        return _book().provinces[code]
    except KeyError:
        raise PlaceNotFound(place=code) from None


@cache
def communes(province_code: str) -> tuple[Commune, ...]:
    """The communes of a province, in Vietnamese order of their names without `Phường`, `Xã`. Raises PlaceNotFound."""
    code = province(province_code).code
    found = (commune for commune in _book().communes.values() if commune.province_code == code)
    return tuple(sorted(found, key=lambda commune: _order(commune.name)))


def commune(code: str) -> Commune:
    """The commune of this code. Raises PlaceNotFound."""
    try:
        return _book().communes[code]
    except KeyError:
        raise PlaceNotFound(place=code) from None


def find_communes(text: str, province_code: str | None = None) -> list[Commune]:
    """Communes in whose name every word of the text stands, marks or not; those called just so come first.

    `hoan kiem` finds Phường Hoàn Kiếm. Without a province all real ones are searched.
    """
    words = place_key(text).split()
    if not words:
        return []
    searched = [province_code] if province_code else [each.code for each in provinces()]
    found = [
        commune
        for each in searched
        for commune in communes(each)
        if all(f" {word}" in f" {place_key(commune.name)}" for word in words)
    ]
    wanted = " ".join(words)
    return sorted(found, key=lambda commune: wanted not in (place_key(commune.name), bare_key(commune.name)))


def communes_called(name: str, province_code: str | None) -> list[Commune]:
    """Communes of just this name, with or without its kind before it; those of that kind where it tells one."""
    searched = [province_code] if province_code else [each.code for each in provinces()]
    key, bare = place_key(name), bare_key(name)
    found = [commune for each in searched for commune in _by_bare_key(each).get(bare, ())]
    return found if key == bare else [commune for commune in found if place_key(commune.name) == key]


@cache
def _by_bare_key(province_code: str) -> dict[str, list[Commune]]:
    found: dict[str, list[Commune]] = {}
    for commune in communes(province_code):
        found.setdefault(bare_key(commune.name), []).append(commune)
    return found


def check(province_code: str | None, commune_code: str | None) -> str | None:
    """The province in which a unit stands, told or known by its commune. Raises PlaceNotFound, CommuneElsewhere.

    A code that is not even written as one is left to the database's rules.
    """
    if province_code and _is_code(province_code, _PROVINCE_DIGITS):
        province(province_code)
    if not commune_code or not _is_code(commune_code, _COMMUNE_DIGITS):
        return province_code
    found = commune(commune_code)
    if province_code and province_code != found.province_code:
        raise CommuneElsewhere(place=found.code, province=province_code)
    return found.province_code


def place_key(name: str) -> str:
    """What two spellings of a place have in common: `Ea M’Droh`, `ea m'droh`, `EA MDROH`; hyphens are blanks."""
    return " ".join(search_key(name.translate(_SIGNS)).replace("'", "").replace("-", " ").split())


def bare_key(name: str) -> str:
    """The same without what kind of place it is: `hoan kiem` for `Phường Hoàn Kiếm` and `phuong hoan kiem`."""
    return _KIND.sub("", place_key(name))


class _Book(msgspec.Struct, frozen=True):
    provinces: dict[str, Province]
    communes: dict[str, Commune]
    listed: tuple[Province, ...]


class _ToldWard(msgspec.Struct):
    name: str
    code: int


class _ToldProvince(msgspec.Struct):
    name: str
    code: int
    wards: list[_ToldWard]


class _Corrected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One correction: why it is needed and since when it holds; without a name the place is no more."""

    code: str
    reason: str
    since: date
    name: str | None = None
    province: str | None = None
    fictional: bool = False


class _Corrections(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    province: tuple[_Corrected, ...] = ()
    commune: tuple[_Corrected, ...] = ()


@cache
def _book() -> _Book:
    known_provinces, known_communes = _read_package()
    corrections = msgspec.convert(tomllib.loads(_CORRECTIONS.read_text(encoding="utf-8")), _Corrections)
    _correct_provinces(known_provinces, corrections.province)
    _correct_communes(known_communes, known_provinces, corrections.commune)
    listed = sorted(_real(known_provinces.values()), key=lambda province: _order(province.name))
    return _Book(known_provinces, known_communes, tuple(listed))


def _read_package() -> tuple[dict[str, Province], dict[str, Commune]]:
    package = importlib.util.find_spec("vietnam_provinces")
    assert package is not None
    assert package.origin is not None
    data = Path(package.origin).parent / "data" / "nested-divisions.json"
    told = msgspec.json.decode(data.read_bytes(), type=list[_ToldProvince])
    found_provinces, found_communes = {}, {}
    for each in told:
        code = f"{each.code:02}"
        found_provinces[code] = Province(code, _plain(each.name))
        for ward in each.wards:
            found_communes[f"{ward.code:05}"] = Commune(f"{ward.code:05}", _plain(ward.name), code)
    return found_provinces, found_communes


def _correct_provinces(known: dict[str, Province], corrections: Sequence[_Corrected]) -> None:
    for told in corrections:
        if told.name is None:
            del known[told.code]
        else:
            known[told.code] = Province(told.code, told.name, told.fictional)


def _correct_communes(
    known: dict[str, Commune], known_provinces: dict[str, Province], corrections: Sequence[_Corrected]
) -> None:
    for told in corrections:
        if told.name is None:
            del known[told.code]
        else:
            province_code = told.province or known[told.code].province_code
            known[told.code] = Commune(told.code, told.name, known_provinces[province_code].code)


def _real(found: Iterable[Province]) -> list[Province]:
    return [province for province in found if not province.is_fictional]


def _plain(name: str) -> str:
    """Single blanks, plain hyphens and apostrophes: the file has a few of each kind."""
    return " ".join(name.translate(_SIGNS).split())


def _bare(name: str) -> str:
    for kind in ("Thành phố ", "Phường ", "Xã ", "Đặc khu "):
        if name.startswith(kind):
            return name.removeprefix(kind)
    return name


def _order(name: str) -> tuple[object, ...]:
    return sort_key(_bare(name)), sort_key(name)


def _is_code(code: str, digits: int) -> bool:
    return len(code) == digits and code.isascii() and code.isdigit()
