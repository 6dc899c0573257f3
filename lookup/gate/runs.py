"""Numbers one after the other: how a class is looked up, and how an exam is collected.

A run is told from chance by its order. In a crowd every number has neighbours sooner or later; a run continues within
the last few lookups, again and again, in one direction.
"""

# A step may skip a number: other processes of the node see the rest of a run.
_STEP = 2
# So many in a row are a run; fewer happen by chance in a crowd, many times a day.
_ESTABLISHED = 5
# Within so many other lookups the next one must come until a run is known.
_RECENT = 32
_MOST_RUNS = 16
_LONGEST_STEP = 8
_NARROWS = 0.25
_DIGITS = 18


class Run:
    """A run that is known: where it stands, its direction, and how far its next step may reach.

    `crossed`: the last number was asked for by somebody else than the one before it.
    """

    __slots__ = ("crossed", "direction", "last", "reach", "source")

    def __init__(self, last: int, direction: int, source: str) -> None:
        self.last, self.direction, self.source, self.reach = last, direction, source, float(_STEP)
        self.crossed = False


class Runs:
    """The runs among the lookups of one address, one prefix or one exam. Bounded, whatever comes."""

    __slots__ = ("known", "recent")

    def __init__(self) -> None:
        self.known: list[Run] = []
        # By number, in the order they came: so many in a row up to it, negative when they count down.
        self.recent: dict[int, int] = {}

    def follow(self, number: int, source: str = "") -> Run | None:
        """The known run that this number continues, or repeats the last of; None for anybody else's lookup.

        `source` tells the visitors of a run apart.
        """
        if self.known and (run := self._continued(number, source)) is not None:
            return run
        recent = self.recent
        chain = recent.pop(number, 0)
        before = recent.get(number - 1) or recent.get(number - _STEP) or 0
        after = recent.get(number + 1) or recent.get(number + _STEP) or 0
        if before >= 1:
            chain = max(chain, before + 1)
        # A first number (1) may be the beginning of both.
        elif after <= 1 and after:
            chain = min(chain, -abs(after) - 1)
        recent[number] = chain or 1
        if len(recent) > _RECENT:
            del recent[next(iter(recent))]
        if abs(chain) >= _ESTABLISHED:
            self._establish(Run(number, 1 if chain > 0 else -1, source))
        return None

    def has_last(self, number: int) -> bool:
        """Whether a known run stands at this number just now."""
        return any(run.last == number for run in self.known)

    def seen_lately(self, number: int) -> bool:
        """Whether it was among the last few."""
        return number in self.recent

    def _continued(self, number: int, source: str) -> Run | None:
        for run in self.known:
            step = (number - run.last) * run.direction
            if 0 <= step <= run.reach:
                if step:
                    # As far as its lately widest step: one that counts by ones hardly ever meets somebody else.
                    run.reach = min(_LONGEST_STEP, max(2 * step if step > 1 else 1, run.reach - _NARROWS))
                    run.last, run.crossed, run.source = number, run.source != source, source
                return run
        return None

    def _establish(self, run: Run) -> None:
        # The oldest goes: a collector who was forgotten is known again after five numbers.
        if len(self.known) >= _MOST_RUNS:
            del self.known[0]
        self.known.append(run)


def place_of(candidate_number: str) -> int:
    """A number's place among its neighbours. Letters in it (`A0123`) keep series apart."""
    if candidate_number.isdecimal():
        return int(candidate_number[-_DIGITS:])
    digits = "".join(filter(str.isdecimal, candidate_number))[-_DIGITS:]
    letters = "".join(sign for sign in candidate_number if not sign.isdecimal())
    return int(digits or 0) + (hash(letters) << 64)
