"""What an exam adds up, where its rule has a total at all: điểm xét tuyển, điểm trung bình."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

import msgspec


class TotalRule(msgspec.Struct, frozen=True):
    """How the total is called and made. Empty coefficients: the file brings the total."""

    name: str
    name_en: str
    decimals: int
    coefficients: dict[str, Decimal] = {}


def add_up(rule: TotalRule, scores: Mapping[str, Decimal]) -> Decimal | None:
    """The total of scores by subject code; None when the rule has no coefficients or a paper was not scored."""
    if not rule.coefficients or not rule.coefficients.keys() <= scores.keys():
        return None
    total = sum((weight * scores[code] for code, weight in rule.coefficients.items()), start=Decimal(0))
    return total.quantize(Decimal(1).scaleb(-rule.decimals), ROUND_HALF_UP)
