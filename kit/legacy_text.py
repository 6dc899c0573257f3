"""Names typed in fonts from before Unicode (TCVN3 `NguyÔn V¨n Hoµ`, VNI `Nguyeãn Vaên Hoøa`): recognise and convert.

No maintained Python package does this, so the two tables stand here, laid out as the fonts are.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

Charset = Literal["tcvn3", "vni"]

CHARSETS: tuple[Charset, ...] = ("tcvn3", "vni")
TITLES: dict[Charset, str] = {"tcvn3": "TCVN3 (ABC)", "vni": "VNI"}

_TCVN3_SMALL = dict(
    zip(
        "µ¸¶·¹¨»¾¼½Æ©ÇÊÈÉË®ÌÐÎÏÑªÒÕÓÔÖ×ÝØÜÞßãáâä«åèæçé¬êíëìîïóñòô\u00adõøö÷ùúýûüþ",
        "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ",
        strict=True,
    )
)
# All the capitals there are. The others are small letters shown by the font .VnTimeH, whose name a CSV file does not
# carry: `_restore_capitals` guesses them back from the letters around.
_HAVE_CAPITALS = "ăâđêôơư"
_TCVN3 = _TCVN3_SMALL | dict(zip("¡¢§£¤¥¦", "ĂÂĐÊÔƠƯ", strict=True))

_SAC, _HUYEN, _HOI, _NGA, _NANG = "\u0301", "\u0300", "\u0309", "\u0303", "\u0323"
_CIRCUMFLEX, _BREVE = "\u0302", "\u0306"
_TONES = (_SAC, _HUYEN, _HOI, _NGA, _NANG)
# VNI writes a letter, then its marks as a second character; these stand for a whole letter.
_VNI_LETTERS = dict(zip("íìæóòîñôö", "íìỉĩịỵđơư", strict=True))
_VNI_MARKS = [
    ("aeouyôö", dict(zip("ùøûõï", _TONES, strict=True))),
    ("aeo", dict(zip("âáàåãä", [_CIRCUMFLEX, *(_CIRCUMFLEX + tone for tone in _TONES)], strict=True))),
    ("a", dict(zip("êéèúüë", [_BREVE, *(_BREVE + tone for tone in _TONES)], strict=True))),
]


def _vni_table() -> dict[str, str]:
    lower = dict(_VNI_LETTERS)
    for bases, marks in _VNI_MARKS:
        for base in bases:
            for code, mark in marks.items():
                lower[base + code] = unicodedata.normalize("NFC", _VNI_LETTERS.get(base, base) + mark)
    upper = {code.upper(): letter.upper() for code, letter in lower.items()}
    # Typed as `Aùnh`: only the base letter was made a capital.
    mixed = {code[0].upper() + code[1:]: letter.upper() for code, letter in lower.items() if len(code) > 1}
    return lower | mixed | upper


_TABLES: dict[Charset, dict[str, str]] = {"tcvn3": _TCVN3, "vni": _vni_table()}
_CODES: dict[Charset, re.Pattern[str]] = {
    charset: re.compile("|".join(sorted(map(re.escape, table), key=len, reverse=True)))
    for charset, table in _TABLES.items()
}
_WHOLLY: dict[Charset, re.Pattern[str]] = {
    charset: re.compile(rf"(?:{codes.pattern}|[\x00-\x7f])*") for charset, codes in _CODES.items()
}

_SYLLABLE = re.compile(
    r"(?:ngh?|nh|gh|gi|kh|ph|th|tr|ch|qu|[bcdđghklmnpqrstvx])?"
    r"(?:[aeiouyêôơư]|i[au]|ai|ao|au|ay|âu|ây|eo|êu|oi|ôi|ơi|ui|ưi|ưu|oa|oe|oai|oay|oao|oeo|ua|uê|uơ|uy|ưa|uya|uyu|uây|"
    r"uôi|ươi|ươu|iêu|yêu|i?u|"
    r"(?:a|ă|â|e|ê|i|o|ô|ơ|u|ư|y|oa|oă|oe|uâ|uê|uy|iê|yê|uô|ươ|uyê|oo)(?:ng|nh|ch|[cmnpt]))"
)
# Foreign names and slips of the pen leave some words that are no syllables in any reading.
_MOST = 0.7
_NOT_IN_WORDS = re.compile(r"[\s\x00-\x1f!-@\[-`{-\x7f]+")


def recognise(sample: Iterable[str], *, least: int = 2) -> Charset | None:
    """Which old font the cells of one column were typed in, or None for Unicode, ASCII and anything unsure.

    Asks whether words with strange letters become Vietnamese syllables by conversion. `least` different words must
    do so: a single one may be a French name (`Loïc` reads as VNI for `Lọc`).
    """
    words = {word for cell in sample if not cell.isascii() for word in strange_words(cell)}
    if not words:
        return None
    right = {word for word in words if _is_typed_syllable(word)}
    converted = {charset: {word for word in words if _becomes_syllable(word, charset)} for charset in CHARSETS}
    charset: Charset = max(CHARSETS, key=lambda charset: len(converted[charset]))
    gained = len(converted[charset] - right)
    sure = gained >= least and gained >= 2 * len(right) and len(converted[charset]) >= _MOST * len(words)
    return charset if sure else None


def strange_words(text: str) -> list[str]:
    """The words of a cell that hold anything beyond ASCII."""
    return [word for word in _NOT_IN_WORDS.split(unicodedata.normalize("NFC", text)) if not word.isascii()]


def syllable_share(words: list[str], charset: Charset | None = None) -> float:
    """How much of the words are Vietnamese syllables, from 0 to 1, read as Unicode or as an old font."""
    if not words:
        return 0.0
    good = sum(_becomes_syllable(word, charset) if charset else _is_typed_syllable(word) for word in words)
    return good / len(words)


@lru_cache(maxsize=65536)
def convert(text: str, charset: Charset) -> str:
    """The text in Unicode (NFC). Text with letters that the old font did not have is Unicode already and stays.

    TCVN3 has no capitals with tones: they are restored where the letters around are capitals (`TRÇN` is `TRẦN`), and
    at the start of a name all of whose other words begin with one.
    """
    if text.isascii() or any(character > "\xff" for character in text):
        return text
    if charset == "vni":
        return _decode(text, charset)
    words = text.split(" ")
    return _restore_capitals(words, [_decode(word, charset) for word in words])


def _decode(text: str, charset: Charset) -> str:
    table = _TABLES[charset]
    return _CODES[charset].sub(lambda found: table[found[0]], text)


def _restore_capitals(before: list[str], after: list[str]) -> str:
    telling = [letters for letters in map(_letters_of_sure_case, before, after) if len(letters) > 1]
    if telling and all(map(str.isupper, telling)):
        return " ".join(after).upper()
    lowered = {i for i, word in enumerate(before) if word and _TCVN3.get(word[0], "Ă").lower() not in _HAVE_CAPITALS}
    others = [word for i, word in enumerate(after) if word and i not in lowered]
    if others and all(word[0].isupper() for word in others):
        after = [word[0].upper() + word[1:] if i in lowered else word for i, word in enumerate(after)]
    return " ".join(after)


def _letters_of_sure_case(before: str, after: str) -> str:
    return "".join(
        letter
        for code, letter in zip(before, after, strict=True)
        if letter.isalpha() and (code.isascii() or letter.lower() in _HAVE_CAPITALS)
    )


@lru_cache(maxsize=65536)
def _is_typed_syllable(word: str) -> bool:
    """Whether a word is a syllable as a person types it: not with a capital in its middle."""
    return (word.islower() or word.isupper() or word.istitle()) and _is_syllable(word)


@lru_cache(maxsize=65536)
def _becomes_syllable(word: str, charset: Charset) -> bool:
    if not _WHOLLY[charset].fullmatch(word):
        return False
    return _is_syllable(_decode(word, charset))


def _is_syllable(word: str) -> bool:
    apart = unicodedata.normalize("NFD", word.lower())
    toneless = "".join(character for character in apart if character not in _TONES)
    if len(apart) - len(toneless) > 1:
        return False
    return _SYLLABLE.fullmatch(unicodedata.normalize("NFC", toneless)) is not None
