"""Requests as a careless, a curious and a hostile program would send them, made by hand."""

import json
import random
from collections.abc import Iterator, Sequence
from itertools import product
from urllib.parse import quote, urlencode

from tests.fuzz.broken_frames import BROKEN_FRAMES
from tests.fuzz.odd_things import (
    API,
    EXAMS,
    KINDS,
    METHODS,
    NO_TEXT,
    ODD_FACTS,
    ODD_HEADERS,
    ODD_NUMBERS,
    ODD_PARTS,
    RAW_FORMS,
    RAW_JSON,
    ROUTES,
)
from tests.fuzz.wire import Request
from tests.people import MINH

_JSON, _FORM = KINDS[:2]
# Of a larger body the service does not read the rest, and hangs up.
_LARGEST_BODY = 16 * 1024
_ASKED = tuple(
    f"{start}/{exam}{end}"
    for start, end in ((API, "/results"), ("/tra-cuu/diem-thi", ""), ("/en/tra-cuu/diem-thi", ""))
    for exam in EXAMS
)


class Hand:
    """Makes requests, the same ones from the same seed; each comes from an address of its own through the proxy."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def request(
        self,
        method: str,
        target: str,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        steady: bool = True,
    ) -> Request:
        """A request whose frame is right, whatever stands in it."""
        given = {name.lower() for name, _ in headers}
        usual = [("Host", "127.0.0.1"), ("X-Real-IP", self.address())]
        if body or method in ("POST", "PUT", "PATCH"):
            usual.append(("Content-Length", str(len(body))))
        fields = [field for field in usual if field[0].lower() not in given] + list(headers)
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        # Targets go out as UTF-8, headers as they are written here, sign by sign.
        start = f"{method} {target} HTTP/1.1\r\n".encode("utf-8", "surrogatepass")
        return Request(method, target, start + head.encode("latin-1") + b"\r\n" + body, steady=steady)

    def address(self) -> str:
        """Somebody's address: mostly IPv4, some IPv6."""
        number = self._random.getrandbits(32)
        if number % 5 == 0:
            return f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1"
        return ".".join(str(part) for part in number.to_bytes(4, "big"))

    def one_of(self, things: Sequence):
        return self._random.choice(things)

    def damage(self, raw: bytes) -> bytes:
        """With one to four bytes changed, lost, doubled or put in between."""
        bytes_ = bytearray(raw)
        for _ in range(self._random.randint(1, 4)):
            place = self._random.randrange(len(bytes_))
            match self._random.randrange(4):
                case 0:
                    bytes_[place] = self._random.randrange(256)
                case 1:
                    del bytes_[place]
                case 2:
                    bytes_[place:place] = bytes_[place : place + 8]
                case _:
                    bytes_.insert(place, self._random.choice(b"\x00\r\n\t :;,/%\xff"))
        return bytes(bytes_)


def every_method_on_every_route(hand: Hand) -> Iterator[Request]:
    for method, route in product(METHODS, ROUTES):
        yield hand.request(method, route)


def odd_paths(hand: Hand) -> Iterator[Request]:
    places = (
        "/{}",
        API + "/{}",
        API + "/mo/results/{}",
        API + "/{}/results",
        "/tra-cuu/diem-thi/{}",
        "/en/{}",
        "/static/{}/a.css",
        "/static/0/{}",
    )
    for method, place, part in product(("GET", "HEAD", "POST"), places, ODD_PARTS):
        yield hand.request(method, place.replace("{}", part))


def odd_numbers(hand: Hand) -> Iterator[Request]:
    for exam, number in product(EXAMS, ODD_NUMBERS):
        yield hand.request("GET", f"{API}/{exam}/results/{quote(number, safe='')}")
        if number.isprintable() and " " not in number:
            yield hand.request("GET", f"{API}/{exam}/results/{number}")


def odd_questions(hand: Hand, most: int) -> Iterator[Request]:
    """Well-formed bodies with strange facts in them."""
    for _ in range(most):
        fields = {
            "candidate_number": hand.one_of((MINH.number, *ODD_NUMBERS)),
            hand.one_of(("birth_date", "pin", "x")): hand.one_of(ODD_FACTS),
        }
        if hand.one_of((True, False)):
            body = urlencode({name: value.encode("utf-8", "surrogatepass") for name, value in fields.items()}).encode()
            yield hand.request("POST", hand.one_of(_ASKED), [("Content-Type", _FORM)], body)
            continue
        if hand.one_of((True, False)):
            fields[hand.one_of(tuple(fields))] = hand.one_of(NO_TEXT)
        yield hand.request("POST", hand.one_of(_ASKED), [("Content-Type", _JSON)], json.dumps(fields).encode())


def odd_bodies(hand: Hand, most: int) -> Iterator[Request]:
    """Bodies that are not what their Content-Type says, or not anything."""
    for _ in range(most):
        body, kind = hand.one_of((*RAW_JSON, *RAW_FORMS)), hand.one_of(KINDS)
        steady = len(body) <= _LARGEST_BODY
        yield hand.request("POST", hand.one_of(_ASKED), [("Content-Type", kind)] if kind else [], body, steady=steady)


def odd_headers(hand: Hand) -> Iterator[Request]:
    for field, route in product(ODD_HEADERS, ("/", API, f"{API}/mo/results/{MINH.number}", "/tra-cuu/diem-thi/mo")):
        yield hand.request("GET", route, [field], steady=False)
    for field, route in product(ODD_HEADERS, _ASKED):
        headers = [("Content-Type", _JSON), field]
        yield hand.request("POST", route, headers, b'{"candidate_number":"99000001"}', steady=False)


def broken_frames(hand: Hand) -> Iterator[Request]:
    for route, frame in product(("/", f"{API}/mo", f"{API}/mo/results"), BROKEN_FRAMES):
        raw = frame.replace(b"{route}", route.encode()).replace(b"{address}", hand.address().encode())
        yield _as_it_arrives(raw)


def damaged(hand: Hand, most: int) -> Iterator[Request]:
    """Good requests with a few bytes changed, lost or doubled on the way."""
    good = [
        hand.request("GET", f"{API}/mo/results/{MINH.number}"),
        hand.request(
            "POST",
            f"{API}/ngay-sinh/results",
            [("Content-Type", _JSON)],
            b'{"candidate_number":"99000001","birth_date":"1/2/2008"}',
        ),
        hand.request(
            "POST", "/tra-cuu/diem-thi/ma", [("Content-Type", _FORM)], b"candidate_number=99000001&pin=7K2M9QXA4D"
        ),
    ]
    for _ in range(most):
        yield _as_it_arrives(hand.damage(hand.one_of(good).raw))


def _as_it_arrives(raw: bytes) -> Request:
    method, target, *_ = [*raw.decode("latin-1").split(" ", 2), ""]
    return Request(method, target, raw, steady=False)
