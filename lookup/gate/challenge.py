"""A little work before an answer: bound to one question, good once, and nothing is remembered until it is solved.

A challenge is a text of 40 signs, signed with a key that all nodes derive. Whoever solves it finds `COUNT` whole
numbers for each of which SHA-256 of `challenge.number` begins with `difficulty` zero bits. Several small hits instead
of one large: the time it takes then varies by a third, not by ten. Without a script a challenge is waited for instead:
of the same make, it counts from a moment on.
"""

import base64
import hashlib
import hmac
import math
import secrets
import struct
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from kit.node_limits import NodeLimiter
from lookup.exams import Exam
from lookup.gate.paces import steady
from lookup.scores import Question

COUNT = 8
# Measured (decision 0032): 8 times 2**13 hashes are a second of a slow phone, two at the most.
USUAL_BITS = 13
LIFETIME = 300
# Seconds that a visitor without a script waits, and for how long the page may then lie open.
WAIT, WAIT_LIFETIME = 10, 900

_WORK, _WAITING = 0, 1
# Kind, difficulty, from when, until when; then the id and the signature: 30 bytes, 40 signs. With a dot and 14 digits
# they still fill only one block of SHA-256.
_HEAD = struct.Struct(">BBII")
ID_LENGTH, _TAG, _LENGTH = 8, 12, 40
# Solutions of which the other nodes have not heard; those beyond are good once on each.
_MOST_UNTOLD = 4096
_LONGEST_NUMBER = 14
_LONGEST_SOLUTION = COUNT * (_LONGEST_NUMBER + 1)
# One, and no other for longer than anything lives that can be spent.
_ONCE = steady(1, WAIT + WAIT_LIFETIME + LIFETIME)
# Without Redis limits count everything twice; one solution is one.
_ONCE_STRICTLY = steady(2, (WAIT + WAIT_LIFETIME + LIFETIME) / 2)

_encode = msgspec.msgpack.Encoder().encode


class Challenge(msgspec.Struct, frozen=True):
    """What a client needs: the text to send back, how much work, until when (Unix time)."""

    text: str
    bits: int
    expires: int

    @property
    def expires_at(self) -> datetime:
        """The moment after which its solution is worth nothing."""
        return datetime.fromtimestamp(self.expires, UTC)


class Wait(msgspec.Struct, frozen=True):
    """A page to wait on: the text that its form sends, and in how many seconds it counts."""

    text: str
    seconds: int


class Proof(msgspec.Struct, frozen=True):
    """A challenge of ours that was solved or waited for, and perhaps spent already."""

    id: bytes
    waited: bool


class Challenger:
    """Sets challenges and looks at solutions. `key` is the same on all nodes; `limiter` knows what has been spent."""

    def __init__(self, limiter: NodeLimiter, *, key: bytes, bits: int = USUAL_BITS) -> None:
        self._limiter, self._bits = limiter, bits
        self._key = hmac.digest(key, b"challenge", "sha256")
        self._untold: list[bytes] = []

    def challenge(self, exam: Exam, question: Question, now: datetime, *, grade: int = 0) -> Challenge:
        """A new one for just this question. Each grade doubles the work."""
        bits, expires = self._bits + grade, int(now.timestamp()) + LIFETIME
        return Challenge(self._sign(_WORK, bits, 0, expires, exam, question), bits, expires)

    def wait(self, exam: Exam, question: Question, now: datetime, *, begun: str = "") -> Wait:
        """A new wait for just this question, or what is left of the one that came with it."""
        moment = now.timestamp()
        known = self._open(begun, _WAITING, exam, question)
        if known and known.ready > moment:
            return Wait(begun, math.ceil(known.ready - moment))
        ready = int(moment) + WAIT
        return Wait(self._sign(_WAITING, 0, ready, ready + WAIT_LIFETIME, exam, question), WAIT)

    def check(self, exam: Exam, question: Question, proof: Mapping[str, str], now: datetime) -> Proof | None:
        """What came with a question, if it is the solution of its own challenge and in time. Spends nothing."""
        work, waiting = proof.get("challenge", ""), proof.get("wait", "")
        if work:
            known = self._open(work, _WORK, exam, question)
            right = known is not None and _is_solved(work, known.bits, proof.get("solution", ""))
        else:
            known = self._open(waiting, _WAITING, exam, question)
            right = known is not None
        if known and right and known.ready <= now.timestamp() < known.expires:
            return Proof(known.id, waited=not work)
        return None

    def spend(self, proof: Proof) -> bool:
        """Use it up. False when it was used before, on this node or on another that told of it."""
        is_new = self._use_up(proof.id)
        if is_new and len(self._untold) < _MOST_UNTOLD:
            self._untold.append(proof.id)
        return is_new

    def take_spent(self) -> list[bytes]:
        """The ids that were used up here since the last time."""
        spent, self._untold = self._untold, []
        return spent

    def hear_spent(self, id_: bytes) -> None:
        """It was used up on another node."""
        self._use_up(id_)

    def _use_up(self, id_: bytes) -> bool:
        pace = _ONCE_STRICTLY if self._limiter.is_strict else _ONCE
        return not self._limiter.hit("challenge", id_.hex(), pace)

    def _sign(self, kind: int, bits: int, ready: int, expires: int, exam: Exam, question: Question) -> str:
        head = _HEAD.pack(kind, bits, ready, expires) + secrets.token_bytes(ID_LENGTH)
        return base64.urlsafe_b64encode(head + self._tag(head, exam, question)).decode()

    def _open(self, text: str, kind: int, exam: Exam, question: Question) -> "_Known | None":
        if len(text) != _LENGTH:
            return None
        try:
            raw = base64.b64decode(text, altchars=b"-_", validate=True)
        except ValueError:
            return None
        head = raw[:-_TAG]
        if not hmac.compare_digest(raw[-_TAG:], self._tag(head, exam, question)):
            return None
        told, bits, ready, expires = _HEAD.unpack_from(head)
        return _Known(bits, ready, expires, head[_HEAD.size :]) if told == kind else None

    def _tag(self, head: bytes, exam: Exam, question: Question) -> bytes:
        asked = (head, exam.code, question.candidate_number, question.birth_date, question.pin)
        return hmac.digest(self._key, _encode(asked), "sha256")[:_TAG]


class _Known(msgspec.Struct, frozen=True):
    bits: int
    ready: int
    expires: int
    id: bytes


def _is_solved(text: str, bits: int, solution: str) -> bool:
    if len(solution) > _LONGEST_SOLUTION or not solution.isascii():
        return False
    numbers = solution.split(".")
    # Each in its only spelling, and none twice.
    if len(numbers) != COUNT or len(set(numbers)) != COUNT:
        return False
    return all(_is_number(number) and _is_hit(text, number, bits) for number in numbers)


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= _LONGEST_NUMBER and (text == "0" or text[0] != "0")


def _is_hit(text: str, number: str, bits: int) -> bool:
    digest = hashlib.sha256(f"{text}.{number}".encode()).digest()
    return not int.from_bytes(digest[:8], "big") >> (64 - bits)
