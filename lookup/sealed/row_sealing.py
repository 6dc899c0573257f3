"""Seal a country's results as they come out of PostgreSQL, one candidate after the other."""

import re
import time
from collections.abc import Callable, Iterator

from lookup.pins import derive_pin, hash_pin, pin_hash_key
from lookup.sealed.build_orders import SealRows
from lookup.sealed.loose_records import LooseRecords
from lookup.sealed.packing import NULL, Packer, Row

_TELL_SECONDS = 0.5
_LOOK_AT_THE_CLOCK_EVERY = 1000
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class RowSealing:
    """Takes blocks of COPY's text, rows of one candidate together and her last version last. `tell` hears results."""

    def __init__(self, order: SealRows, loose: LooseRecords, tell: Callable[[int], None]) -> None:
        self.results = 0
        self._order, self._loose, self._tell = order, loose, tell
        self._packer = Packer(order.packing)
        self._factors = _factors_for(order)
        self._rest = b""
        self._last: Row | None = None
        self._generations: set[int] = set()
        self._told_at = time.monotonic()

    async def take(self, block: bytes) -> None:
        """A block more."""
        rows, _, self._rest = (self._rest + block).rpartition(b"\n")
        if rows:
            for line in rows.decode().split("\n"):
                self._take_row(Row(*line.split("\t")))

    def finish(self) -> None:
        """The last candidate. Raises ValueError where rows were cut off."""
        if self._rest:
            raise ValueError("rows")
        if self._last:
            self._seal(self._last)

    def _take_row(self, row: Row) -> None:
        if self._last is None or row.number != self._last.number:
            if self._last:
                self._seal(self._last)
            self._generations = set()
        self._generations.add(self._packer.generation(row))
        self._last = row

    def _seal(self, row: Row) -> None:
        row.number, row.name = _read(row.number), _read(row.name)
        record = self._packer.pack(row, self._generations)
        for factor in self._factors(row):
            self._loose.seal(self._order.generation_key, row.number, factor, record, self._order.bound_to)
        self.results += 1
        if self.results % _LOOK_AT_THE_CLOCK_EVERY == 0 and time.monotonic() - self._told_at > _TELL_SECONDS:
            self._told_at = time.monotonic()
            self._tell(self.results)


def _read(field: str) -> str:
    """What COPY has escaped."""
    if "\\" not in field or field == NULL:
        return field
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), field)


def _factors_for(order: SealRows) -> Callable[[Row], Iterator[str]]:
    """By which second facts a candidate may ask; whoever has none on record cannot be asked for."""

    def nothing(_: Row) -> Iterator[str]:
        yield ""

    def birth_date(row: Row) -> Iterator[str]:
        if row.birth_date != NULL:
            yield row.birth_date

    def pin(row: Row) -> Iterator[str]:
        if row.pin_hash != NULL:
            yield row.pin_hash
            return
        # Codes that were printed under an older key go on counting.
        for key in order.pin_keys:
            yield hash_pin(newest, order.exam, row.number, derive_pin(key, order.exam, row.number)).hex()

    newest = pin_hash_key(order.pin_keys[0]) if order.pin_keys else b""
    return {"public": nothing, "birth-date": birth_date, "pin": pin}[order.policy]
