"""A bounded record of all that happened, for the commands and tests."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

__all__ = ["Entry", "Kind", "Log", "Watcher"]

# queue: created, changed, paused, resumed, purged or deleted; task: created or deleted;
# attempt: one dispatch, when it has ended.
Kind: TypeAlias = Literal["queue", "task", "attempt"]
Watcher: TypeAlias = Callable[["Entry"], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: a running number, unix time, the queue's short name, the facts."""

    number: int
    time: float
    kind: Kind
    queue: str
    facts: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The entry as JSON has it."""
        return asdict(self)


class Log:
    """Keeps the newest entries and tells its watchers of each new one. Bodies stay out of it."""

    def __init__(self, capacity: int) -> None:
        self._entries: deque[Entry] = deque(maxlen=capacity)
        self._watchers: list[Watcher] = []
        self._last = 0

    def add(self, kind: Kind, queue: str, time: float, **facts: Any) -> None:
        """Record a fact."""
        self._last += 1
        entry = Entry(self._last, time, kind, queue, facts)
        self._entries.append(entry)
        for watcher in tuple(self._watchers):
            watcher(entry)

    def entries(self, after: int = 0, kind: str | None = None) -> list[Entry]:
        """The kept entries with a higher number, oldest first."""
        return [e for e in self._entries if e.number > after and kind in (None, e.kind)]

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher` with every new entry, on the server's thread; returns how to stop it."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)
