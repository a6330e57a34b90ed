"""A real local Cloud Tasks for synchronous tests, on a thread of its own.

with running_tasks_server("http://127.0.0.1:8080") as server:
    os.environ["CLOUD_TASKS_EMULATOR_HOST"] = server.address
    TaskQueue(project="my-project").add("import-cards", {"board": "b1"})
    server.wait_for("attempt", state="succeeded")
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gae_pusher.emulator.tasks import Entry, Settings
from gae_pusher.emulator.tasks.server import TasksServer
from gae_pusher.testing.watching import WatchedLog, loop_on_a_thread

__all__ = ["RunningTasksServer", "running_tasks_server"]


class RunningTasksServer(WatchedLog[Entry]):
    """A local Cloud Tasks that is running; every method may be called from any thread."""

    def __init__(self, server: TasksServer) -> None:
        self._server = server
        super().__init__(server.log.watch, server.settings.log_entries)

    @property
    def address(self) -> str:
        """HOST:PORT, what CLOUD_TASKS_EMULATOR_HOST has to be."""
        return self._server.address

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._server.port

    def wake(self) -> None:
        """Have the server look at its clock again, after you moved it."""
        self._server.wake()


@contextmanager
def running_tasks_server(
    target: str,
    settings: Settings | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Callable[[], float] = time.time,
) -> Iterator[RunningTasksServer]:
    """Run a local Cloud Tasks in the background for the duration of a `with` block.

    `target` is the app that tasks are sent to. Port 0 takes a free one; read it back.
    Raises ConfigurationError for a bad target, OSError when the port is taken.
    """
    server = TasksServer(target, settings, clock=clock)
    with loop_on_a_thread("tasks-server") as loop:
        try:
            asyncio.run_coroutine_threadsafe(server.start(host, port), loop).result()
            yield RunningTasksServer(server)
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
