"""A key on paper: read aloud over a telephone, typed in again, and right or plainly wrong."""

import hashlib
import re

import msgspec

from lookup.sealed.sealing import KEY_LENGTH

# Crockford's: no I, L, O, U. What looks alike is read alike.
_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {sign: value for value, sign in enumerate(_SIGNS)} | {"O": 0, "I": 1, "L": 1}
_TITLE = "BAO-DANH-1"
# 13 groups of four signs hold the key (260 bits, the last four zero), one more what all of it adds up to; a fifth sign
# in each says whether the group was heard right.
_KEY_GROUPS = 13
_DATA_SIGNS = 4
_GROUP_LENGTH = _DATA_SIGNS + 1
_WEIGHTS = (1, 3, 5, 7)
_HEAD = re.compile(r"([a-z0-9-]+)\s+(\d{1,9})\s+(\d{1,18})\s+(.+)", re.DOTALL)
_GROUPS_A_LINE = 7


class SlipUnreadable(Exception):
    """The text is no slip, or was misheard; `group` counts from one and is 0 where no single group is to blame."""

    def __init__(self, group: int = 0) -> None:
        super().__init__(group)
        self.group = group


class Slip(msgspec.Struct, frozen=True):
    """What a slip says: the key of one bundle of one generation of an exam."""

    exam_code: str
    generation: int
    bundle_id: int
    key: bytes


def write_slip(slip: Slip) -> str:
    """Three short lines: a title with exam, generation and bundle, then fourteen groups of five signs."""
    number = int.from_bytes(slip.key) << 4
    data = [_signs(number >> 20 * place) for place in reversed(range(_KEY_GROUPS))]
    groups = [_with_check(place, signs) for place, signs in enumerate([*data, _sum(slip)], start=1)]
    lines = [" ".join(groups[start : start + _GROUPS_A_LINE]) for start in range(0, len(groups), _GROUPS_A_LINE)]
    return "\n".join([f"{_TITLE} {slip.exam_code} {slip.generation} {slip.bundle_id}", *lines])


def read_slip(text: str) -> Slip:
    """A slip as somebody typed it: capitals or not, with blanks and hyphens wherever. Raises SlipUnreadable."""
    text = text.strip()
    if text[: len(_TITLE)].upper() == _TITLE:
        text = text[len(_TITLE) :].strip()
    head = _HEAD.fullmatch(text)
    if not head:
        raise SlipUnreadable
    groups = _read_groups(head[4])
    number = 0
    for signs in groups[:_KEY_GROUPS]:
        for sign in signs:
            number = number << 5 | _VALUES[sign]
    key, rest = divmod(number, 16)
    slip = Slip(head[1], int(head[2]), int(head[3]), key.to_bytes(KEY_LENGTH))
    if rest or _sum(slip) != groups[-1]:
        raise SlipUnreadable
    return slip


def _read_groups(text: str) -> list[str]:
    """The four signs of each group, as `write_slip` writes them."""
    typed = re.sub(r"[\s-]", "", text).upper()
    if len(typed) != (_KEY_GROUPS + 1) * _GROUP_LENGTH or not set(typed) <= _VALUES.keys():
        raise SlipUnreadable
    signs = "".join(_SIGNS[_VALUES[sign]] for sign in typed)
    groups = [signs[start : start + _GROUP_LENGTH] for start in range(0, len(signs), _GROUP_LENGTH)]
    for place, group in enumerate(groups, start=1):
        if _with_check(place, group[:_DATA_SIGNS]) != group:
            raise SlipUnreadable(place)
    return [group[:_DATA_SIGNS] for group in groups]


def _signs(number: int) -> str:
    return "".join(_SIGNS[number >> 5 * place & 31] for place in reversed(range(_DATA_SIGNS)))


def _with_check(place: int, signs: str) -> str:
    """Odd weights: one sign misheard is always noticed, and so is a group in another's place."""
    total = 9 * place + sum(weight * _VALUES[sign] for weight, sign in zip(_WEIGHTS, signs, strict=True))
    return signs + _SIGNS[total % 32]


def _sum(slip: Slip) -> str:
    told = b"%b\0%d\0%d\0%b" % (slip.exam_code.encode(), slip.generation, slip.bundle_id, slip.key)
    return _signs(int.from_bytes(hashlib.sha256(b"slip\0" + told).digest()[:3]))
