"""A unit that takes part: its names, where it stands, and how the public reaches it."""

import msgspec

from kit import sql

units = sql.load(__file__, "units")


class Unit(msgspec.Struct, frozen=True):
    """A department, commune or school. Codes are text; `commune_code` is where it stands, not who manages it."""

    code: str
    kind: str
    name: str
    short_name: str
    name_en: str
    managed_by: str | None
    province_code: str | None
    commune_code: str | None
    governing_body: str
    responsible_person: str
    address: str
    hotline: str
    email: str
    website: str | None
