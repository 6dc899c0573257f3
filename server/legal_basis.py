"""The law that a page cites, as it stands on the day the page is read."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec


class Law(msgspec.Struct, frozen=True):
    """A legal text with its Vietnamese title; in force from `valid_from` to `valid_to`, both days included."""

    number: str
    title: str
    issuer: str
    issued: date
    valid_from: date
    valid_to: date | None = None


def laws_in_force(today: date) -> list[Law]:
    """What the privacy page rests on today, in the order of the data file."""
    return [law for law in _laws() if law.valid_from <= today and (law.valid_to is None or today <= law.valid_to)]


@cache
def _laws() -> list[Law]:
    text = files("server").joinpath("data/legal_basis.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text)["law"], list[Law])
