"""What the API and the dispatcher share: the queues under a lock, the clock, the log."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gae_pusher.emulator.tasks.log import Kind, Log
from gae_pusher.emulator.tasks.queues import Queues
from gae_pusher.emulator.tasks.settings import Settings

__all__ = ["Engine"]


class Engine:
    """The API is called on gRPC's threads, the dispatcher runs on the event loop."""

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self.settings = settings
        self.log = Log(settings.log_entries)
        self.clock = clock
        self._queues = Queues(settings)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Name the loop on which the dispatcher waits and the log is kept."""
        self._loop = loop

    @contextmanager
    def locked(self) -> Iterator[tuple[Queues, float]]:
        """The queues and the time, for one step that nobody else sees half done."""
        with self._lock:
            yield self._queues, self.clock()

    @contextmanager
    def changing(self) -> Iterator[tuple[Queues, float]]:
        """The same for a step after which the dispatcher looks again."""
        with self.locked() as held:
            yield held
        self.wake()

    def wake(self) -> None:
        """Have the dispatcher look again."""
        self._on_loop(self._changed.set)

    def note(self, kind: Kind, queue: str, **facts: Any) -> None:
        """Put something into the log, in the order of the calls."""
        time = self.clock()
        self._on_loop(lambda: self.log.add(kind, queue, time, **facts))

    async def changed(self, timeout: float | None) -> None:
        """Wait for `wake`, at most that many seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()

    def _on_loop(self, action: Callable[[], None]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action)
