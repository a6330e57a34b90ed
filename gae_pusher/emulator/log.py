"""A bounded record of all that happened, for the inspector, the commands and tests."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

__all__ = ["BoundedLog"]


class _Numbered(Protocol):
    @property
    def number(self) -> int: ...

    @property
    def kind(self) -> str: ...


E = TypeVar("E", bound=_Numbered)


class BoundedLog(Generic[E]):
    """Keeps the newest entries and tells its watchers of each new one; for one thread."""

    def __init__(self, capacity: int) -> None:
        self._entries: deque[E] = deque(maxlen=capacity)
        self._watchers: list[Callable[[E], None]] = []
        self._last = 0

    def keep(self, make: Callable[[int], E]) -> None:
        """Record the entry that `make` gives for its running number."""
        self._last += 1
        entry = make(self._last)
        self._entries.append(entry)
        for watcher in tuple(self._watchers):
            watcher(entry)

    def entries(self, after: int = 0, kind: str | None = None) -> list[E]:
        """The kept entries with a higher number, oldest first."""
        return [e for e in self._entries if e.number > after and kind in (None, e.kind)]

    def watch(self, watcher: Callable[[E], None]) -> Callable[[], None]:
        """Call `watcher` with every new entry, on the server's thread; returns how to stop it."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)
