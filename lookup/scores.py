"""Find a candidate's result: never another's, never before its moment, never more than the exam's policy allows."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from kit import sql
from kit.cache import Cache
from kit.errors import DomainError, ServiceUnavailable
from kit.keys import KeyRing
from kit.sql import Database
from lookup.exams import Exam
from lookup.pins import pin_matches
from lookup.subjects import Subject

scores = sql.load(__file__, "scores")

# The key that lookup codes follow from.
_PIN = "pin"
_POSITIVE_SECONDS = 600
_NEGATIVE_SECONDS = 30
# Another node may have opened it; this one needs somebody to look after it.
_CORRECTION_SECONDS = 15


class ResultNotFound(DomainError):
    """Unknown number, wrong second fact, not released, withdrawn: all the same to whoever asks."""

    code = "result_not_found"
    status = 404


class CorrectionAwaited(DomainError):
    """A correction should be open here and is not: neither the results before it nor a refusal would be true."""

    code = "correction_awaited"
    status = 503

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": str(_CORRECTION_SECONDS)}, retry_after=_CORRECTION_SECONDS)


class Question(msgspec.Struct, frozen=True):
    """What somebody asks: a normalised candidate number, and the second fact that the exam's policy wants."""

    candidate_number: str
    birth_date: date | None = None
    pin: str | None = None


class Component(msgspec.Struct, frozen=True):
    """One paper of a result: a score with the subject's decimals, or a mark's code; never both."""

    subject: Subject
    score: Decimal | None
    mark: str | None


class Result(msgspec.Struct, frozen=True):
    """A candidate's result as the public may see it. `version` counts what was shown before; `reason` says why."""

    candidate_number: str
    components: list[Component]
    total: Decimal | None
    version: int
    reason: str | None
    released_at: datetime
    name: str | None


class _Record(msgspec.Struct, array_like=True):
    # What is cached: no second fact in it, and the subjects come from the exam in memory.
    candidate_number: str
    scores: list[Decimal | None]
    marks: list[str | None] | None
    total: Decimal | None
    version: int
    reason: str | None
    released_at: datetime
    name: str | None


_encode, _decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(_Record).decode


class ScoreDesk:
    """Where results are asked for. `keys` are read when a code is checked, so that a rotated one counts at once."""

    def __init__(self, pool: Database, cache: Cache, keys: KeyRing) -> None:
        self._pool, self._cache, self._keys = pool, cache, keys

    async def find(self, exam: Exam, question: Question, now: datetime) -> Result:
        """The released result that the question proves a right to; raises ResultNotFound for everything else.

        CorrectionAwaited, whoever asks, while `Exam.awaits_correction`. Every refusal takes the same path: a sealed or
        withdrawn exam is asked for generation 0, which nobody has.
        """
        visible = exam.visible_release(now)
        if exam.awaits_correction(now):
            raise CorrectionAwaited
        generation = visible.generation if visible else 0
        packed = await self._cache.get_or_make(
            "score",
            (exam.code, generation, exam.policy, question.candidate_number, question.birth_date, question.pin),
            lambda: self._ask_postgresql(exam, question, generation),
            ttl=_POSITIVE_SECONDS,
            negative_ttl=_until_next_opening(exam, now),
        )
        record = _decode(packed) if packed else None
        if record is None or record.candidate_number != question.candidate_number:
            raise ResultNotFound
        return _as_result(exam, record)

    async def _ask_postgresql(self, exam: Exam, question: Question, generation: int) -> bytes | None:
        if generation and exam.policy == "pin" and not self._keys.holds(_PIN):
            # Here codes are checked by the release's file alone; whoever asks hears the same.
            raise ServiceUnavailable
        row = await scores.find_result(
            self._pool, exam_code=exam.code, candidate_number=question.candidate_number, generation=generation
        )
        if not self._proves_right(exam, question, row):
            return None
        return _encode(
            _Record(
                question.candidate_number,
                row["scores"],
                row["marks"],
                row["total"],
                row["version"],
                row["reason"] if row["version"] > 1 else None,
                row["released_at"],
                row["name"] if exam.show_name else None,
            )
        )

    def _proves_right(self, exam: Exam, question: Question, row: asyncpg.Record | None) -> bool:
        # A missing row is compared too, so that the work tells nothing.
        birth_date, pin_hash = (row["birth_date"], row["pin_hash"]) if row else (None, None)
        match exam.policy:
            case "public":
                right = True
            case "birth-date":
                right = birth_date is not None and birth_date == question.birth_date
            case "pin":
                keys = [key.value for key in self._keys.all(_PIN)] if self._keys.holds(_PIN) else []
                right = pin_matches(keys, exam.code, question.candidate_number, question.pin or "", pin_hash)
        return right and row is not None


def _until_next_opening(exam: Exam, now: datetime) -> float:
    moment = exam.next_opening(now)
    return min(_NEGATIVE_SECONDS, (moment - now).total_seconds()) if moment else _NEGATIVE_SECONDS


def _as_result(exam: Exam, record: _Record) -> Result:
    components = []
    for subject in exam.subjects:
        score = _at(record.scores, subject.position)
        mark = _at(record.marks, subject.position)
        if score is not None or mark is not None:
            components.append(Component(subject, _with_decimals(score, subject.decimals), mark))
    total = _with_decimals(record.total, exam.total_rule.decimals) if exam.total_rule else None
    return Result(
        record.candidate_number, components, total, record.version, record.reason, record.released_at, record.name
    )


def _at(values: list[Any] | None, position: int) -> Any:
    return values[position - 1] if values is not None and position <= len(values) else None


def _with_decimals(number: Decimal | None, decimals: int) -> Decimal | None:
    return None if number is None else number.quantize(Decimal(1).scaleb(-decimals))
