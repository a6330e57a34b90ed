"""Ids that the server chooses: spread out, and never the same twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["Ids"]

_BITS: Final = 52
# Clear of the small ids that people and sequential counters choose.
_LEAST: Final = 1 << 50


class Ids:
    """Counts, and turns the count's bits round: neighbours get ids that are far apart.

    The Datastore spreads ids so that neighbours are not stored on one machine; here it keeps
    programs from depending on ids that grow.
    """

    def __init__(self, used: int = 0) -> None:
        self.used = used
        self.reserved: set[int] = set()

    def next(self) -> int:
        """An id that has not been given out and is not reserved."""
        while True:
            self.used += 1
            number = _LEAST + int(f"{self.used:0{_BITS - 2}b}"[::-1], 2)
            if number not in self.reserved:
                return number

    def reserve(self, numbers: Iterable[int]) -> None:
        """Keep ids from being given out; small ones never are."""
        self.reserved.update(number for number in numbers if number >= _LEAST)
