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


class Person(msgspec.Struct, frozen=True):
    """Somebody who works for a unit: what stands on her card."""

    salutation: str
    full_name: str
    position: str
    email: str

    @property
    def name(self) -> str:
        """As colleagues and the public address her."""
        return f"{self.salutation} {self.full_name}"


# The department: she prepares exams, he answers for what becomes public, he looks after the record.
HIEN = Person("Cô", "Lê Thu Hiền", "Chuyên viên phòng Quản lý chất lượng", "hien.lt@sgddt.vangiang.edu.vn")
HUNG = Person("Ông", "Trần Quốc Hùng", "Phó Giám đốc Sở", "hung.tq@sgddt.vangiang.edu.vn")
NAM = Person("Ông", "Phạm Hoài Nam", "Thanh tra viên", "nam.ph@sgddt.vangiang.edu.vn")
# She works elsewhere, at an upper secondary school: nothing of the department's is hers to see.
THU = Person("Cô", "Vũ Minh Thu", "Phó Hiệu trưởng", "thu.vm@thptsongxanh.edu.vn")
