"""What a bundle keeps of one candidate, packed: without any word that all candidates of the exam share.

A country of results goes through here row by row, in processes that know nothing else of this program.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

# So many different spellings of a number a column remembers.
_MOST_SPELLINGS = 50_000
NULL = "\\N"


class Edition(msgspec.Struct, frozen=True, array_like=True):
    """When results were first shown as they are now, and why: many records share one."""

    released_at: datetime
    reason: str | None


class Record(msgspec.Struct, frozen=True, array_like=True):
    """A candidate's packed result.

    `papers` are pairs: the position of a paper, then twice its score in units of its last decimal, or twice the place
    of its mark in the bundle's list of marks, plus one. `total` is in units of its last decimal. `edition` is a place
    in the bundle's list of editions.
    """

    number: str
    version: int
    edition: int
    papers: list[int]
    total: int | None = None
    name: str | None = None


class SharedFacts(msgspec.Struct, frozen=True):
    """What the records of a bundle refer to, and what its answers need beside the exam: the part `facts`.

    `distributions`: as `lookup.releases.count_scores` gives it, {position: [(score, how many)]}. `pin_keys`: what typed
    lookup codes are hashed with (`lookup.pins.pin_hash_key`), newest first; empty for other policies.
    """

    editions: list[Edition]
    marks: list[str]
    distributions: dict[int, list[tuple[Decimal, int]]]
    pin_keys: list[bytes]


FACTS = "facts"

encode_record = msgspec.msgpack.Encoder().encode
decode_record = msgspec.msgpack.Decoder(Record).decode
encode_facts = msgspec.msgpack.Encoder().encode
decode_facts = msgspec.msgpack.Decoder(SharedFacts).decode


class Batch(msgspec.Struct, frozen=True):
    """Of rows that were imported together: the generation that made them public, and their place among the editions."""

    generation: int
    edition: int


class Packing(msgspec.Struct, frozen=True):
    """What rows of one exam need to become records.

    `papers`: (position, decimals), ascending. `total_decimals`: None where the exam's rule has no total.
    """

    papers: list[tuple[int, int]]
    total_decimals: int | None
    marks: list[str]
    batches: dict[int, Batch]


class Row(msgspec.Struct):
    """One version of a candidate's result as PostgreSQL's COPY writes it: `scores` and `marks` joined by commas."""

    number: str
    batch: str
    scores: str
    marks: str
    total: str
    name: str
    birth_date: str
    pin_hash: str


class Packer:
    """Packs rows as `lookup.scores.ScoreDesk` would show them."""

    def __init__(self, packing: Packing) -> None:
        places = {mark: 2 * place + 1 for place, mark in enumerate(packing.marks)}
        self._positions = [position for position, _ in packing.papers]
        slots = max(self._positions, default=0)
        self._scores: list[_Column] = [_Nothing()] * slots
        self._marks: list[dict[str, tuple[int, ...]]] = [{}] * slots
        for position, decimals in packing.papers:
            self._scores[position - 1] = _Scores(position, decimals)
            self._marks[position - 1] = {mark: (position, place) for mark, place in places.items()}
        self._total_decimals = packing.total_decimals
        self._batches = {str(number): batch for number, batch in packing.batches.items()}

    def generation(self, row: Row) -> int:
        """Which generation has shown it first."""
        return self._batches[row.batch].generation

    def pack(self, row: Row, generations: set[int]) -> bytes:
        """The packed record of a candidate's last version. `generations`: those of all versions up to it."""
        batch = self._batches[row.batch]
        # Only what was shown before or together with it: a correction that is taken up late comes after.
        version = 1 if len(generations) == 1 else sum(each <= batch.generation for each in generations)
        papers = self._papers(row.scores) if row.marks == NULL else self._papers_and_marks(row.scores, row.marks)
        total = None if self._total_decimals is None or row.total == NULL else _units(row.total, self._total_decimals)
        name = None if row.name == NULL else row.name
        return encode_record(Record(row.number, version, batch.edition, papers, total, name))

    def _papers(self, scores: str) -> list[int]:
        packed: list[int] = []
        for column, text in zip(self._scores, scores.split(","), strict=False):
            if text:
                packed += column[text]
        return packed

    def _papers_and_marks(self, scores: str, marks: str) -> list[int]:
        packed: list[int] = []
        slots = len(self._scores)
        scored, marked = _slots(scores, slots), _slots(marks, slots)
        for position in self._positions:
            if mark := marked[position - 1]:
                packed += self._marks[position - 1][mark]
            elif score := scored[position - 1]:
                packed += self._scores[position - 1][score]
        return packed


class _Column(dict[str, tuple[int, ...]]):
    """What each spelling of a score becomes in a record."""


class _Scores(_Column):
    def __init__(self, position: int, decimals: int) -> None:
        super().__init__()
        self._position, self._decimals = position, decimals

    def __missing__(self, text: str) -> tuple[int, ...]:
        if len(self) >= _MOST_SPELLINGS:
            self.clear()
        self[text] = packed = (self._position, 2 * _units(text, self._decimals))
        return packed


class _Nothing(_Column):
    """A slot that no paper of the exam has."""

    def __missing__(self, text: str) -> tuple[int, ...]:
        return ()


def _slots(text: str, at_least: int) -> list[str]:
    slots = text.split(",")
    return slots + [""] * (at_least - len(slots))


def _units(number: str, decimals: int) -> int:
    return units_of(Decimal(number), decimals)


def units_of(number: Decimal, decimals: int) -> int:
    """A number in units of its last decimal, rounded as answers round it."""
    return int(number.quantize(Decimal(1).scaleb(-decimals)).scaleb(decimals))
