"""The cast. None of them exists; council code 99 belongs to nobody."""

from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec

# 8 giờ 00 in Vietnam, on a morning in July when everyone comes.
MORNING = datetime(2026, 7, 1, 1, 0, tzinfo=UTC)


class Candidate(msgspec.Struct, frozen=True):
    """Somebody who sat an exam: what stands on the paper in their hand."""

    name: str
    number: str
    birth_date: date
    scores: dict[str, Decimal]


# Lan's son. He sat four papers and waits for the morning.
MINH = Candidate(
    "Nguyễn Hoàng Minh",
    "99000001",
    date(2008, 2, 1),
    {"toan": Decimal("8.25"), "ngu_van": Decimal("7.50"), "vat_li": Decimal("9.00"), "ngoai_ngu": Decimal("6.75")},
)
# His classmate: one paper less, absent from one.
AN = Candidate(
    "Trần Thị Hoài An", "99000002", date(2008, 11, 30), {"toan": Decimal("4.00"), "ngu_van": Decimal("6.25")}
)
