"""A real local Cloud Tasks for synchronous tests, on a thread of its own.

with running_tasks_server("http://127.0.0.1:8080") as server:
    os.environ["CLOUD_TASKS_EMULATOR_HOST"] = server.address
    TaskQueue(project="my-project").add("import-cards", {"board": "b1"})
    server.wait_for("attempt", state="succeeded")
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gae_pusher.emulator.tasks import Entry, Settings
from gae_pusher.emulator.tasks.server import TasksServer

__all__ = ["RunningTasksServer", "running_tasks_server"]

WAIT_SECONDS = 10.0


class RunningTasksServer:
    """A local Cloud Tasks that is running; every method may be called from any thread."""

    def __init__(self, server: TasksServer) -> None:
        self._server = server
        self._changed = threading.Condition()
        self._entries: deque[Entry] = deque(maxlen=server.settings.log_entries)
        server.log.watch(self._append)

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

    def log(self, kind: str | None = None, **facts: object) -> list[Entry]:
        """All entries so far, of one kind if named, that have these facts."""
        with self._changed:
            return [entry for entry in self._entries if _matches(entry, kind, facts)]

    def wait_for(
        self, kind: str, timeout: float = WAIT_SECONDS, count: int = 1, **facts: object
    ) -> list[Entry]:
        """Wait until the log has `count` entries of a kind with these facts, and return them.

        Raises TimeoutError, which shows what was logged instead.
        """
        with self._changed:
            found: list[Entry] = []

            def there() -> bool:
                found[:] = [entry for entry in self._entries if _matches(entry, kind, facts)]
                return len(found) >= count

            if not self._changed.wait_for(there, timeout):
                seen = [dict(entry.facts) for entry in self._entries if entry.kind == kind]
                raise TimeoutError(
                    f"{len(found)} of {count} {kind} entries with {facts} within {timeout:g} s; "
                    f"the log has {seen}"
                )
            return found

    def _append(self, entry: Entry) -> None:
        with self._changed:
            self._entries.append(entry)
            self._changed.notify_all()


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
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="tasks-server", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(host, port), loop).result()
        yield RunningTasksServer(server)
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _matches(entry: Entry, kind: str | None, facts: dict[str, object]) -> bool:
    if kind is not None and entry.kind != kind:
        return False
    return all(entry.facts.get(name) == value for name, value in facts.items())
