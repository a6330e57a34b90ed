"""Keeps the app running: starts it, restarts it, and knows whether it can be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from typing import Final

from gae_pusher.emulator.appengine.entrypoint import ADDRESS
from gae_pusher.emulator.ports import opened
from gae_pusher.emulator.process import Process

__all__ = ["Crashed", "State", "Supervisor"]

# How long the app may take to end: a moment when it has nothing to do.
IDLE_STOP_SECONDS: Final = 0.6
BUSY_STOP_SECONDS: Final = 2
# How soon after a broken connection an ending process shows that it has ended.
EXIT_SECONDS: Final = 2
LATE_SECONDS: Final = 15


class State(Enum):
    """Where the app is in its life."""

    STOPPED = "stopped"
    STARTING = "starting"
    SERVING = "serving"
    CRASHED = "crashed"


_NEXT: Final = {
    State.STOPPED: {State.STARTING},
    State.STARTING: {State.SERVING, State.CRASHED, State.STOPPED, State.STARTING},
    State.SERVING: {State.STARTING, State.CRASHED, State.STOPPED},
    State.CRASHED: {State.STARTING, State.STOPPED},
}


class Crashed(Exception):
    """The app ended with `code` instead of answering; `tail` is the end of what it printed.

    `reason` says why it could not even be started.
    """

    def __init__(self, code: int, tail: tuple[str, ...], reason: str | None = None) -> None:
        super().__init__(reason or f"the app ended with exit code {code}")
        self.code = code
        self.tail = tail


class Supervisor:
    """Runs the app on one port, again and again.

    `start` makes a new process; `warm_up` is awaited when it listens, before anybody may ask;
    `changed` hears of every new state and, for CRASHED, of the crash; `late` when an app does not
    listen for long.
    """

    def __init__(
        self,
        start: Callable[[], Awaitable[Process]],
        warm_up: Callable[[], Awaitable[None]],
        port: int,
        changed: Callable[[State, Crashed | None], None],
        late: Callable[[], None],
    ) -> None:
        self.state = State.STOPPED
        self._start = start
        self._warm_up = warm_up
        self._port = port
        self._changed = changed
        self._late = late
        self._settled = asyncio.Event()
        self._moved = asyncio.Event()
        self._crash: Crashed | None = None
        self._process: Process | None = None
        self._life: asyncio.Task[None] | None = None
        self._answered = False
        self._asking = 0
        self._turn = asyncio.Lock()

    async def restart(self) -> None:
        """End the process if there is one and start another; returns before that is ready."""
        async with self._turn:
            self._move(State.STARTING)
            await self._end()
            self._life = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """End the process for good."""
        async with self._turn:
            await self._end()
            if self.state is not State.STOPPED:
                self._move(State.STOPPED)

    def kill(self) -> None:
        """End the process at once, with all that it started."""
        if self._process is not None:
            self._process.kill()

    async def ready(self) -> None:
        """Wait until the app can be asked. Raises Crashed."""
        await self._settled.wait()
        if self._crash is not None:
            raise self._crash

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Send the app a request. If it ends after one was answered, a new one takes its place."""
        self._asking += 1
        try:
            yield
            self._answered = True
        finally:
            self._asking -= 1

    async def has_ended(self) -> bool:
        """Ask after a broken connection whether the process is gone, or soon will be."""
        if self.state is State.SERVING:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), EXIT_SECONDS)
        return self.state is not State.SERVING

    async def _live(self) -> None:
        """Run the app until it ends on its own without having answered anything."""
        while True:
            self._answered = False
            crash = await self._live_once()
            if not self._answered:
                self._crash = crash
                self._move(State.CRASHED)
                return
            self._move(State.STARTING)

    async def _live_once(self) -> Crashed:
        try:
            process = self._process = await self._start()
        except OSError as error:
            return Crashed(127, (str(error),), str(error))
        opening = asyncio.create_task(self._open())
        try:
            code = await process.wait()
        finally:
            opening.cancel()
        await process.stop(0)
        return Crashed(code, tuple(process.tail))

    async def _open(self) -> None:
        try:
            await asyncio.wait_for(opened(ADDRESS, self._port), LATE_SECONDS)
        except TimeoutError:
            self._late()
            await opened(ADDRESS, self._port)
        await self._warm_up()
        self._move(State.SERVING)

    async def _end(self) -> None:
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait({self._life})
            self._life = None
        if self._process is not None:
            await self._process.stop(BUSY_STOP_SECONDS if self._asking else IDLE_STOP_SECONDS)
            self._process = None

    def _move(self, state: State) -> None:
        assert state in _NEXT[self.state], f"{self.state} to {state}"
        self.state = state
        if state is not State.CRASHED:
            self._crash = None
        if state in (State.SERVING, State.CRASHED):
            self._settled.set()
        else:
            self._settled.clear()
        self._moved.set()
        self._moved = asyncio.Event()
        self._changed(state, self._crash)
