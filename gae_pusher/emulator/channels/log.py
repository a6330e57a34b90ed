"""A bounded record of all that happened, for the inspector, the commands and tests."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, TypeAlias

__all__ = ["Entry", "Kind", "Log", "Watcher"]

# connection: opened, refused or closed; frame: one text message either way; event: accepted
# from the HTTP API or a client; request: one call of the HTTP API; webhook: one attempt.
Kind: TypeAlias = Literal["connection", "frame", "event", "request", "webhook"]
Watcher: TypeAlias = Callable[["Entry"], None]

LONGEST_TEXT: Final = 16_384


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: a running number, unix time, the app's id, the facts."""

    number: int
    time: float
    kind: Kind
    app: str
    facts: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The entry as JSON has it."""
        return asdict(self)


class Log:
    """Keeps the newest entries and tells its watchers of each new one."""

    def __init__(self, capacity: int) -> None:
        self._entries: deque[Entry] = deque(maxlen=capacity)
        self._watchers: list[Watcher] = []
        self._last = 0

    def add(self, kind: Kind, app: str, time: float, **facts: Any) -> None:
        """Record a fact; long texts are cut, never dropped."""
        self._last += 1
        entry = Entry(self._last, time, kind, app, {k: _bounded(v) for k, v in facts.items()})
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


def _bounded(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}… ({len(value)} characters)"
    return value
