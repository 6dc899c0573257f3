"""Exams as a visitor may find them, with Minh in each and enough others for a distribution."""

from datetime import timedelta
from decimal import Decimal

import msgspec

from kit.clock import utc_now
from lookup.exams import Exam, Policy
from lookup.releases import release
from tests.exams import Paper, given_exam, given_results, paper_of
from tests.people import AN, MINH, MORNING

EXAM = "thpt-2026"
PAGE = f"/tra-cuu/diem-thi/{EXAM}"
# Shown only from 100 results of a paper on.
_CROWD = 120


async def given_an_open_exam(
    connection,
    service,
    code: str = EXAM,
    *,
    policy: Policy = "public",
    opens_in: timedelta | None = None,
    show_name: bool = False,
) -> Exam:
    """An exam that Minh and An and a crowd sat, open since the morning, or `opens_in` a while by the real clock.

    The service has heard of it when this returns.
    """
    exam = await given_exam(connection, code, policy=policy, show_name=show_name)
    await given_results(connection, exam, [paper_of(MINH), paper_of(AN), *_crowd()])
    await release(connection, exam.code, opens_at=MORNING if opens_in is None else utc_now() + opens_in)
    await service.hears_all_changes()
    return exam


async def given_a_corrected_score(connection, service, exam: Exam) -> None:
    """Minh's mathematics was marked again."""
    better = dict(MINH.scores) | {"toan": Decimal("8.75")}
    paper = msgspec.structs.replace(paper_of(MINH), scores=better)
    await given_results(connection, exam, [paper], reason="Phúc khảo")
    await release(connection, exam.code, opens_at=MORNING)
    await service.hears_all_changes()


def _crowd() -> list[Paper]:
    quarters = [Decimal(quarter) / 4 for quarter in range(41)]
    return [
        Paper(f"991{place:05}", {name: quarters[(place + turn) * 7 % 41] for turn, name in enumerate(MINH.scores)})
        for place in range(_CROWD)
    ]
