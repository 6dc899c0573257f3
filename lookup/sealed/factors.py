"""The second fact of a question as bundles know it: a lookup code as a hash, from which no other code follows."""

from collections.abc import Iterator

from lookup.pins import hash_pin
from lookup.scores import Question
from lookup.sealed.bundle_format import Header
from lookup.sealed.record import SharedFacts

# No birth date, no code: nothing lies there.
_NONE = "?"


def bundle_factors(bundle: Header, question: Question, facts: SharedFacts) -> Iterator[str]:
    """Under which factors the candidate may lie in this bundle: one, under `pin` one for each key that hashes codes."""
    match bundle.policy:
        case "birth-date":
            yield question.birth_date.isoformat() if question.birth_date else _NONE
        case "pin":
            for key in facts.pin_keys:
                yield hash_pin(key, bundle.exam, question.candidate_number, question.pin or _NONE).hex()
        case _:
            yield ""
