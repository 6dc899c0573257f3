"""The releases that this web process holds: sealed until their moment, then answered from memory."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from lookup.exams import Exam, Release
from lookup.pins import normalise_pin
from lookup.scores import Question
from lookup.sealed.bundle import Bundle
from lookup.sealed.record import Record, SharedFacts, decode_record


class OpenRelease(msgspec.Struct, frozen=True):
    """A release that is open here: its file, its key, and what its records refer to."""

    bundle: Bundle
    key: bytes
    facts: SharedFacts

    def find(self, question: Question) -> Record | None:
        """The record that the question proves a right to. Raises BundleBroken."""
        for factor in self._factors(question):
            packed = self.bundle.find(self.key, question.candidate_number, factor)
            record = decode_record(packed) if packed else None
            if record is not None and record.number == question.candidate_number:
                return record
        return None

    def _factors(self, question: Question) -> Iterable[str]:
        match self.bundle.header.policy:
            case "birth-date":
                return [question.birth_date.isoformat() if question.birth_date else "?"]
            case "pin":
                return [normalise_pin(question.pin or "?")]
            case _:
                return [""]


class Vault:
    """Opens a release when it holds its file and its key and its own clock is past the moment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[int, OpenRelease] = {}

    def follow(self, exams: Iterable[Exam]) -> None:
        """What the catalogue knows now: files to map, releases that were taken down or replaced."""
        raise NotImplementedError

    def take_key(self, bundle_id: int, key: bytes, now: datetime) -> None:
        """A key has come, from wherever; it is kept until the moment and then used."""
        raise NotImplementedError

    def find_open(self, release: Release) -> OpenRelease | None:
        """The open file of a release; None where it is sealed, broken or not here."""
        return self._open.get(release.bundle.id) if release.bundle else None
