"""A release that is open in this process, as answers ask it."""

from collections.abc import Callable

import msgspec

from lookup.scores import Question
from lookup.sealed.bundle import Bundle
from lookup.sealed.bundle_format import BundleBroken
from lookup.sealed.factors import bundle_factors
from lookup.sealed.record import Record, SharedFacts, decode_record


class OpenRelease(msgspec.Struct, frozen=True):
    """A release that is open here: its file, its key, and what its records refer to."""

    bundle: Bundle
    key: bytes
    facts: SharedFacts
    tell_broken: Callable[[BundleBroken], None] | None = None

    def __repr__(self) -> str:
        """Without the key: what is held ends up in tracebacks."""
        return f"OpenRelease({self.bundle.path.name})"

    def find(self, question: Question) -> Record | None:
        """The record that the question proves a right to.

        Raises BundleBroken where the file is not what was sealed; the vault knows of it then, and shows it no more.
        """
        try:
            return self._find(question)
        except BundleBroken as broken:
            if self.tell_broken:
                self.tell_broken(broken)
            raise

    def _find(self, question: Question) -> Record | None:
        for factor in bundle_factors(self.bundle.header, question, self.facts):
            packed = self.bundle.find(self.key, question.candidate_number, factor)
            record = decode_record(packed) if packed else None
            if record is not None and record.number == question.candidate_number:
                return record
        return None
