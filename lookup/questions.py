"""Read what somebody typed into a lookup: forgiving where that is harmless, clear where it is not."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from kit.dates import NotADate, parse_birth_date
from kit.errors import FieldError, InvalidForm
from lookup.exams import Exam
from lookup.pins import normalise_pin
from lookup.scores import Question

T = TypeVar("T")

# Longer than anything a person means; what is cut off here never reaches a regular expression.
_LONGEST_INPUT = 64


def read_question(exam: Exam, typed: Mapping[str, Any]) -> Question:
    """The question in `candidate_number` and, as the policy wants, `birth_date` or `pin`.

    Raises InvalidForm with all mistakes at once: `required`, `not_text`, `too_long`, `number_malformed`,
    `birth_date_*`, `pin_malformed`.
    """
    errors: list[FieldError] = []
    number = _read(typed, "candidate_number", lambda text: _read_number(exam, text), errors)
    birth_date = pin = None
    if exam.policy == "birth-date":
        birth_date = _read(typed, "birth_date", parse_birth_date, errors)
    elif exam.policy == "pin":
        pin = _read(typed, "pin", _read_pin, errors)
    if errors or number is None:
        raise InvalidForm(errors, exam=exam.code)
    return Question(number, birth_date, pin)


def _read(typed: Mapping[str, Any], field: str, read: Callable[[str], T], errors: list[FieldError]) -> T | None:
    value = typed.get(field)
    try:
        return read(_as_text(value))
    except NotADate as problem:
        errors.append(FieldError(field, f"birth_date_{problem.reason}"))
    except _Mistake as mistake:
        errors.append(FieldError(field, mistake.code, **mistake.facts))
    return None


def _as_text(value: Any) -> str:
    if value is None or value == "":
        raise _Mistake("required")
    if not isinstance(value, str):
        raise _Mistake("not_text")
    if len(value) > _LONGEST_INPUT:
        raise _Mistake("too_long", longest=_LONGEST_INPUT)
    if not value.strip():
        raise _Mistake("required")
    return value


def _read_number(exam: Exam, text: str) -> str:
    number = exam.numbers.normalise(text)
    if not exam.numbers.matches(number):
        raise _Mistake("number_malformed", example=exam.numbers.example)
    return number


def _read_pin(text: str) -> str:
    pin = normalise_pin(text)
    if not pin or not pin.isascii():
        raise _Mistake("pin_malformed")
    return pin


class _Mistake(Exception):
    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts
