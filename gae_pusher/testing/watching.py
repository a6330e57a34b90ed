"""What the servers for synchronous tests share: a log to wait on, and a loop on a thread."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

__all__ = ["WAIT_SECONDS", "LogEntry", "WatchedLog", "loop_on_a_thread"]

WAIT_SECONDS = 10.0


class LogEntry(Protocol):
    """An entry of an emulator's log."""

    @property
    def kind(self) -> str: ...

    @property
    def facts(self) -> Mapping[str, Any]: ...


E = TypeVar("E", bound=LogEntry)


class WatchedLog(Generic[E]):
    """The newest entries of a log that another thread writes; any thread may wait for them."""

    def __init__(self, watch: Callable[[Callable[[E], None]], object], most: int) -> None:
        self._changed = threading.Condition()
        self._entries: deque[E] = deque(maxlen=most)
        watch(self._append)

    def log(self, kind: str | None = None, **facts: object) -> list[E]:
        """All entries so far, of one kind if named, that have these facts."""
        with self._changed:
            return [entry for entry in self._entries if _matches(entry, kind, facts)]

    def clear_log(self) -> None:
        """Forget the entries so far."""
        with self._changed:
            self._entries.clear()

    def wait_for(
        self, kind: str, timeout: float = WAIT_SECONDS, count: int = 1, **facts: object
    ) -> list[E]:
        """Wait until the log has `count` entries of a kind with these facts, and return them.

        Raises TimeoutError, which shows what was logged instead.
        """
        with self._changed:
            if self._changed.wait_for(lambda: len(self.log(kind, **facts)) >= count, timeout):
                return self.log(kind, **facts)
            raise TimeoutError(
                f"{len(self.log(kind, **facts))} of {count} {kind} entries with {facts} within "
                f"{timeout:g} s; the log has {[dict(entry.facts) for entry in self.log(kind)]}"
            )

    def _append(self, entry: E) -> None:
        with self._changed:
            self._entries.append(entry)
            self._changed.notify_all()


@contextmanager
def loop_on_a_thread(name: str) -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs on a thread of its own for the duration of a `with` block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=name, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _matches(entry: LogEntry, kind: str | None, facts: dict[str, object]) -> bool:
    if kind is not None and entry.kind != kind:
        return False
    return all(entry.facts.get(name) == value for name, value in facts.items())
