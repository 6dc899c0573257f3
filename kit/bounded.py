"""What is made once and kept, as long as there is room."""

from collections.abc import Callable
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Bounded(dict[Key, Value]):
    """A dictionary that makes what it lacks, and starts anew when it is full."""

    def __init__(self, limit: int, make: Callable[[Key], Value]) -> None:
        super().__init__()
        self._limit, self._make = limit, make

    def __missing__(self, key: Key) -> Value:
        """Make it, and keep it."""
        made = self._make(key)
        if len(self) >= self._limit:
            self.clear()
        self[key] = made
        return made
