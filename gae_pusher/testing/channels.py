"""A real local Channels server for synchronous tests, on a thread of its own.

with running_server() as server:
    pusher = Pusher.from_url(server.pusher_url)
    pusher.trigger("my-channel", "my-event", {"hello": "world"})
    server.wait_for_event("my-channel", "my-event")
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from gae_pusher.emulator.channels import (
    DEVELOPMENT_APP,
    App,
    Entry,
    Fault,
    Settings,
)
from gae_pusher.emulator.channels.server import ChannelsServer
from gae_pusher.testing.watching import WAIT_SECONDS, WatchedLog, loop_on_a_thread

__all__ = ["RunningServer", "running_server"]

T = TypeVar("T")


class RunningServer(WatchedLog[Entry]):
    """A Channels server that is running; every method may be called from any thread."""

    def __init__(self, server: ChannelsServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        super().__init__(server.log.watch, server.settings.log_entries)

    @property
    def host(self) -> str:
        """The address that is listened on."""
        return self._server.host

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._server.port

    @property
    def http_url(self) -> str:
        """The base of the HTTP API, and the inspector's address."""
        return self._server.http_url

    @property
    def app(self) -> App:
        """The first app."""
        return self._server.apps[0]

    @property
    def pusher_url(self) -> str:
        """What PUSHER_URL has to be to use the first app."""
        return self._server.pusher_url(self.app)

    def wait_for_event(self, channel: str, event: str, timeout: float = WAIT_SECONDS) -> Entry:
        """Wait until an event was accepted for a channel. Raises TimeoutError."""
        return self.wait_for("event", timeout, channel=channel, event=event)[0]

    def state(self) -> dict[str, Any]:
        """Connections, channels and members now."""
        return self._call(self._server.state)

    def close_connection(self, socket_id: str, code: int = 4200, reason: str = "") -> None:
        """Close a connection with any code. Raises LookupError when there is none."""
        self._call(lambda: self._server.close_connection(socket_id, code, reason))

    def fail_requests(self, count: int, fault: Fault) -> None:
        """Let the next `count` calls of the HTTP API fail or stall; 0 ends it."""
        self._call(lambda: self._server.fail_requests(count, fault))

    def advance(self, seconds: float) -> None:
        """Let time pass at once: grace periods, caches, retries, silence. Not timestamps."""
        self._call(lambda: self._server.advance(seconds))

    def replay_webhook(self, delivery_id: str) -> None:
        """Send one of the latest webhooks again. Raises LookupError."""
        self._call(lambda: self._server.replay_webhook(delivery_id))

    def _call(self, function: Callable[[], T]) -> T:
        async def call() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(WAIT_SECONDS)


@contextmanager
def running_server(
    apps: Iterable[App] = (DEVELOPMENT_APP,),
    settings: Settings | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[RunningServer]:
    """Run a Channels server in the background for the duration of a `with` block.

    Port 0 takes a free one; read it back. Raises OSError when the port is taken.
    """
    with loop_on_a_thread("channels-server") as loop:
        server = ChannelsServer(apps, settings)
        try:
            asyncio.run_coroutine_threadsafe(server.start(host, port), loop).result()
            yield RunningServer(server, loop)
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
