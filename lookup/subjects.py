"""The papers of an exam: what they are called, how they are marked, and every way a file may spell them."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec

SubjectType = Literal["score", "grade", "prize", "outcome"]


class Subject(msgspec.Struct, frozen=True):
    """One slot of a result. `position` counts from 1 and is the index into `results.scores`.

    Languages share the code `ngoai_ngu` and differ by `variant` (`N1` Tiếng Anh ... `N7` Tiếng Hàn); `""` is a
    language that the file did not name. `step` is the smallest difference between two scores (0.25, 0.05).
    """

    position: int
    code: str
    variant: str
    name: str
    name_en: str
    type: SubjectType
    decimals: int
    step: Decimal
    lowest: Decimal
    highest: Decimal
