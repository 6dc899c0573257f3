"""Vietnamese text as people type and paste it, made comparable."""

import html
import re
import unicodedata

# Small letters that look like đ and are typed for it: the eth and the African d come from old converters.
_D = str.maketrans("đðɖ", "ddd")
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});")
# The order of the dictionary: letters first, then tones: ngang, huyền, hỏi, ngã, sắc, nặng.
_LETTERS = {letter: place for place, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")}
_TONES = {tone: place for place, tone in enumerate("\u0300\u0309\u0303\u0301\u0323", 1)}
_SHAPES = {"a\u0306": "ă", "a\u0302": "â", "e\u0302": "ê", "o\u0302": "ô", "o\u031b": "ơ", "u\u031b": "ư"}
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


def nfc(text: str) -> str:
    """The text with precomposed letters, as TCVN 6909:2001 asks."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def search_key(text: str) -> str:
    """What two spellings of one name have in common: no tone or letter marks, small letters, single blanks.

    `Đặng Thị  HOÀ` and `dang thi hoa` have the same key.
    """
    text = text.casefold()
    if not text.isascii():
        apart = unicodedata.normalize("NFD", text.translate(_INVISIBLE)).translate(_D)
        text = "".join(character for character in apart if not unicodedata.combining(character))
    return " ".join(text.split())


def sort_key(text: str) -> tuple[object, ...]:
    """Puts text into Vietnamese order, word by word: letters before tones, numbers by their size, before letters.

    `Trường số 9` stands before `Trường số 10`, `Ba` before `Bà` before `Băng`; small and capital letters are equal.
    """
    words = re.findall(r"\d+|[^\W\d_]+", unicodedata.normalize("NFC", text.casefold()))
    return tuple((1, *_letters_and_tones(word)) if word[0].isalpha() else (0, *_number(word)) for word in words)


def _number(word: str) -> tuple[int, str]:
    digits = word.lstrip("0")
    return len(digits), digits


def _letters_and_tones(word: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    letters: list[str] = []
    tones: list[int] = []
    for sign in unicodedata.normalize("NFD", word):
        if sign in _TONES:
            tones[-1] = _TONES[sign]
        elif letters and (shaped := _SHAPES.get(letters[-1] + sign)):
            letters[-1] = shaped
        elif not unicodedata.combining(sign):
            letters.append(sign)
            tones.append(0)
    return tuple(_LETTERS.get(letter, len(_LETTERS) + ord(letter)) for letter in letters), tuple(tones)


def full_width_to_ascii(text: str) -> str:
    """Digits, letters and signs typed with an East Asian keyboard (`１２：３`) as the ordinary ones."""
    return text if text.isascii() else text.translate(_FULL_WIDTH)


def clean_cell(text: str) -> tuple[str, bool]:
    """The cell as meant, and whether its letters were not precomposed (NFC).

    HTML entities (`To&#xE1;n`) become letters, invisible characters go, and blanks of any kind, the no-break space
    among them, become single ones.
    """
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    if text.isascii():
        return " ".join(text.split()), False
    text = " ".join(text.translate(_INVISIBLE).split())
    composed = unicodedata.normalize("NFC", text)
    return composed, composed != text
