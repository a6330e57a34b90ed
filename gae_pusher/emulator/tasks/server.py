"""TasksServer: a local Cloud Tasks on a port of this machine, embeddable in any event loop."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlsplit

import grpc

from gae_pusher.emulator.tasks.dispatcher import Dispatcher
from gae_pusher.emulator.tasks.engine import Engine
from gae_pusher.emulator.tasks.log import Log
from gae_pusher.emulator.tasks.queue import Queue
from gae_pusher.emulator.tasks.queue_service import QueueService
from gae_pusher.emulator.tasks.rpc import handlers
from gae_pusher.emulator.tasks.settings import Settings
from gae_pusher.emulator.tasks.task import Dispatch
from gae_pusher.emulator.tasks.task_service import TaskService
from gae_pusher.errors import ConfigurationError

__all__ = ["TasksServer"]

THREADS: Final = 8
GRACE_SECONDS: Final = 0.5


class TasksServer:
    """Speaks the Cloud Tasks v2 API, and sends App Engine tasks to `target`, the app's own URL.

    Point clients to it with CLOUD_TASKS_EMULATOR_HOST=HOST:PORT. Tasks live in memory only.
    `clock` gives unix seconds; after moving one of your own, call `wake`.
    Raises ConfigurationError for a target that is no http URL.
    """

    def __init__(
        self,
        target: str,
        settings: Settings | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings or Settings()
        self.host = ""
        self.port = 0
        self._engine = Engine(self.settings, clock)
        self._dispatcher = Dispatcher(self._engine, _checked(target))
        self._grpc: grpc.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def log(self) -> Log:
        """What happened so far; use it on the server's event loop."""
        return self._engine.log

    @property
    def address(self) -> str:
        """HOST:PORT, what CLOUD_TASKS_EMULATOR_HOST has to be."""
        return f"{self.host}:{self.port}"

    @property
    def target(self) -> str:
        """Where App Engine tasks go; it may be changed while the server runs."""
        return self._dispatcher.target

    @target.setter
    def target(self, url: str) -> None:
        self._dispatcher.target = _checked(url)

    def wake(self) -> None:
        """Look at the clock again."""
        self._engine.wake()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen and dispatch. Raises OSError for a port that is taken."""
        self._loop = asyncio.get_running_loop()
        self._engine.attach(self._loop)
        # With SO_REUSEPORT two servers would share a port and lose each other's queues.
        server = grpc.server(
            ThreadPoolExecutor(THREADS, "tasks-server"), options=[("grpc.so_reuseport", 0)]
        )
        server.add_generic_rpc_handlers(
            handlers(
                QueueService(self._engine),
                TaskService(self._engine, self._deliver, lambda: urlsplit(self.target).netloc),
            )
        )
        self.port = _listen(server, host, port)
        self.host = host
        self._dispatcher.start()
        server.start()
        self._grpc = server

    async def stop(self) -> None:
        """Stop listening; attempts under way are dropped, tasks are forgotten."""
        if self._grpc is not None:
            stopped = self._grpc.stop(GRACE_SECONDS)
            await asyncio.to_thread(stopped.wait)
        await self._dispatcher.stop()

    def _deliver(self, queue: Queue, dispatch: Dispatch) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._dispatcher.deliver, queue, dispatch)


def _checked(target: str) -> str:
    parts = urlsplit(target)
    if parts.scheme != "http" or not parts.netloc or parts.path.strip("/") or parts.query:
        raise ConfigurationError(
            f"the target of tasks is {target!r}, it must look like http://127.0.0.1:8080"
        )
    return target.rstrip("/")


def _listen(server: grpc.Server, host: str, port: int) -> int:
    """The port that is listened on. A probe goes first: gRPC prints what it cannot do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    socket.create_server((host, port), family=family).close()
    address = f"[{host}]" if ":" in host else host
    try:
        listened: int = server.add_insecure_port(f"{address}:{port}")
    except RuntimeError as error:
        raise OSError(errno.EADDRINUSE, f"{host}:{port} cannot be listened on") from error
    return listened
