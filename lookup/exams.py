"""An exam as the public knows it: its papers, who may look results up, and since when they are open."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from lookup.subjects import Subject
from units.units import Unit

Policy = Literal["public", "birth-date", "pin"]
State = Literal["sealed", "open", "withdrawn"]


class TotalRule(msgspec.Struct, frozen=True):
    """What this exam adds up and how it is called (điểm xét tuyển). Empty coefficients: the file brings the total."""

    name: str
    name_en: str
    decimals: int
    coefficients: dict[str, Decimal] = {}


class Regrade(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """How to ask for a re-mark (phúc khảo), as the unit words it: from, to, where, fee."""

    from_: str
    to: str
    where: str
    fee: str


class Release(msgspec.Struct, frozen=True):
    """A generation of results. `distributions`: by subject position, (score, how many had it), ascending."""

    generation: int
    opens_at: datetime
    distributions: dict[int, list[tuple[Decimal, int]]]


class Exam(msgspec.Struct, frozen=True):
    """Everything about an exam that a web worker keeps in memory; never anything about a candidate."""

    code: str
    unit: Unit
    name: str
    name_en: str
    year: int
    kind: str
    policy: Policy
    number_format: str
    subjects: tuple[Subject, ...]
    total_rule: TotalRule | None
    regrade: Regrade | None
    show_name: bool
    withdrawn_at: datetime | None
    releases: tuple[Release, ...]

    @property
    def opens_at(self) -> datetime | None:
        """The announced moment: the first release's. None as long as nothing was approved."""
        return self.releases[0].opens_at if self.releases else None

    def state(self, now: datetime) -> State:
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "open" if self.opens_at is not None and self.opens_at <= now else "sealed"

    def visible_release(self, now: datetime) -> Release | None:
        """The generation that the public sees at `now`; None before the moment and after a withdrawal."""
        if self.withdrawn_at is not None:
            return None
        return next((release for release in reversed(self.releases) if release.opens_at <= now), None)
