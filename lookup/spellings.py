"""Words as people type them: with or without marks, Lí or Lý, Hóa or Hoá, any case and punctuation."""

import difflib
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Generic, TypeVar

from kit.vietnamese import search_key

Meaning = TypeVar("Meaning")

# Comparing takes time, and a file may have a million bad cells: who mistypes a word keeps its first letter, mostly.
_SLIPS = 3
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")


@lru_cache(maxsize=4096)
def spelling_keys(text: str) -> tuple[str, str]:
    """The text with its marks and without them, as comparable keys of letters and digits only.

    `Hóa học`, `HOÁ HỌC` and `hoá-học` share both keys; `Họa` shares only the second one with `Hóa`. Tones stand
    at the end of their word, because people place them on either vowel; y is i (Vật lý, Vật lí).
    """
    decomposed = unicodedata.normalize("NFD", text.casefold().replace("ð", "đ"))
    marked = "".join(_word_key(word) for word in _words(decomposed))
    bare = "".join(c for c in search_key(text) if c.isalnum())
    return marked, bare.replace("y", "i")


def _words(decomposed: str) -> list[str]:
    return "".join(c if c.isalnum() or unicodedata.combining(c) else " " for c in decomposed).split()


def _word_key(word: str) -> str:
    tones = "".join(sorted(c for c in word if c in _TONES))
    return "".join(c for c in word if c not in _TONES).replace("y", "i") + tones


class Spellings(Generic[Meaning]):
    """A small dictionary from spellings to meanings that would rather not answer than guess."""

    def __init__(self, spellings: Iterable[tuple[str, Meaning]] = ()) -> None:
        self._exact: dict[str, Meaning] = {}
        self._by_bare_key: dict[str, dict[str, Meaning]] = {}
        self._shown: dict[str, str] = {}
        for text, meaning in spellings:
            self.add(text, meaning)

    def add(self, text: str, meaning: Meaning) -> None:
        """Teach a spelling. A spelling that already means something keeps its first meaning."""
        self._exact.setdefault(_exact_key(text), meaning)
        marked, bare = spelling_keys(text)
        if bare:
            self._by_bare_key.setdefault(bare, {}).setdefault(marked, meaning)
            self._shown.setdefault(bare, text)

    def find(self, text: str) -> Meaning | None:
        """What the text means; None when it is unknown, or when its missing marks leave two meanings open."""
        if (meaning := self._exact.get(_exact_key(text))) is not None:
            return meaning
        marked, bare = spelling_keys(text)
        found = self._by_bare_key.get(bare)
        if not found or not any(c.isalpha() for c in bare):
            return None
        if marked in found:
            return found[marked]
        if marked != bare:
            return None
        meanings = list(found.values())
        return meanings[0] if all(meaning == meanings[0] for meaning in meanings) else None

    def nearest(self, text: str) -> str | None:
        """The known spelling that looks most like the text, to be named in an error; None if none is close."""
        key = spelling_keys(text)[1]
        alike = [known for known in self._shown if known[:1] == key[:1] and abs(len(known) - len(key)) <= _SLIPS]
        close = difflib.get_close_matches(key, alike, n=1)
        return self._shown[close[0]] if close else None


def _exact_key(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip().casefold()
