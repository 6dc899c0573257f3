"""What an exam adds up, where its rule has a total at all: điểm xét tuyển, điểm trung bình."""

from decimal import Decimal

import msgspec


class TotalRule(msgspec.Struct, frozen=True):
    """How the total is called and made. Empty coefficients: the file brings the total."""

    name: str
    name_en: str
    decimals: int
    coefficients: dict[str, Decimal] = {}
