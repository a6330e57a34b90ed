"""The local Channels server: one port for WebSockets, the HTTP API, the inspector and controls."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

from gae_pusher.emulator.channels.api_events import events_of
from gae_pusher.emulator.channels.clock import Clock
from gae_pusher.emulator.channels.controls import control_routes
from gae_pusher.emulator.channels.faults import Fault, Faults
from gae_pusher.emulator.channels.gate import ApiError
from gae_pusher.emulator.channels.guard import reachable
from gae_pusher.emulator.channels.http_api import serve_api
from gae_pusher.emulator.channels.log import Entry, Log
from gae_pusher.emulator.channels.settings import DEVELOPMENT_APP, App, Settings
from gae_pusher.emulator.channels.snapshot import snapshot
from gae_pusher.emulator.channels.sockets import serve_socket
from gae_pusher.emulator.channels.switchboard import Switchboard

__all__ = ["ChannelsServer", "new_socket_id"]

# Close codes that RFC 6455 section 7.4 lets an endpoint send: the others mean "no code".
_SENDABLE_CODES: Final = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)})


def new_socket_id() -> str:
    """Digits, a dot, digits, hard to guess: tokens are bound to it."""
    return f"{secrets.randbelow(10**6)}.{secrets.randbelow(10**10)}"


class ChannelsServer:
    """Serves one or more apps to browsers and servers, on one port.

    `await start(host, port)` binds, port 0 to a free one; `await stop()` closes every connection
    with 4200, so that clients come back at once to what is started next. In between all methods
    must be called on the event loop that started it. `new_socket_id` makes socket ids: give one
    that counts where a test wants to know them.
    """

    def __init__(
        self,
        apps: Iterable[App] = (DEVELOPMENT_APP,),
        settings: Settings | None = None,
        *,
        new_socket_id: Callable[[], str] = new_socket_id,
    ) -> None:
        self.apps = tuple(apps)
        self.settings = settings or Settings()
        self.host = ""
        self.port = 0
        self._clock = Clock()
        self._faults = Faults()
        self._board = Switchboard(self.apps, self.settings, self._clock, new_socket_id)
        self._board.sender.woken = self._board.set_timer
        self._followers: set[asyncio.Queue[Entry | None]] = set()
        self._runner: web.AppRunner | None = None

    @property
    def log(self) -> Log:
        """What has happened."""
        return self._board.log

    @property
    def http_url(self) -> str:
        """The base of the HTTP API, and the inspector's address."""
        host = reachable(self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def pusher_url(self, app: App) -> str:
        """What PUSHER_URL has to be to use an app; it holds the app's secret."""
        key, secret = (quote(part, safe="") for part in (app.key, app.credentials[0].secret))
        return f"{self.http_url.replace('://', f'://{key}:{secret}@')}/apps/{app.id}"

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Bind and serve. Raises OSError when the port is taken."""
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self.host, self.port = host, runner.addresses[0][1]

    async def stop(self) -> None:
        """Close connections with 4200, drop the webhooks that wait, release the port."""
        if self._runner is None:
            return
        for site in tuple(self._runner.sites):
            await site.stop()
        await self._board.close_all(4200, "The server is stopping")
        for queue in self._followers:
            _put_newest(queue, None)
        await self._board.sender.stop()
        await self._runner.cleanup()
        self._runner = None

    def state(self) -> dict[str, Any]:
        """Apps, connections, channels and members now, without secrets."""
        clients = {socket_id: link.client for socket_id, link in self._board.links.items()}
        return {
            "url": self.http_url,
            "advanced_seconds": self._clock.advanced_seconds,
            "faults_left": self._faults.left,
            "apps": snapshot(self._board.services, clients),
        }

    def trigger(self, app_id: str | None, fields: Mapping[str, Any]) -> None:
        """Trigger as the HTTP API's fields say, unsigned. Raises ApiError or InvalidRequest."""
        service = self._board.services.get(app_id or self.apps[0].id)
        if service is None:
            raise ApiError(404, f"App {app_id} is not on this server")
        for event in events_of(service, fields):
            self._board.carry_out(service, service.trigger(event, self._clock.now()))

    def close_connection(self, socket_id: str, code: int = 4200, reason: str = "") -> None:
        """Close a connection with any code. Raises LookupError or ValueError."""
        if code not in _SENDABLE_CODES:
            raise ValueError(f"{code} is not a close code that may be sent")
        link = self._board.links.get(socket_id)
        if link is None:
            raise LookupError(f"no connection has the socket id {socket_id}")
        self._board.close(link, code, reason)

    def fail_requests(self, count: int, fault: Fault) -> None:
        """Let the next `count` calls of the HTTP API fail or stall; 0 ends it."""
        self._faults.order(count, fault)

    def advance(self, seconds: float) -> None:
        """Let time pass at once: grace periods, caches, retries, silence. Not timestamps."""
        self._clock.advance(seconds)
        self._board.tick()
        for link in tuple(self._board.links.values()):
            self._board.watch_silence(link)

    def replay_webhook(self, delivery_id: str) -> None:
        """Send one of the latest webhooks again. Raises LookupError."""
        if not self._board.sender.replay(delivery_id):
            raise LookupError(f"no webhook with the id {delivery_id} is kept")

    @contextmanager
    def following(self, queue: asyncio.Queue[Entry | None]) -> Iterator[None]:
        """Put every new entry into a queue, and None at the end; a full queue loses its oldest."""
        unwatch = self.log.watch(lambda entry: _put_newest(queue, entry))
        self._followers.add(queue)
        try:
            yield
        finally:
            self._followers.discard(queue)
            unwatch()

    def _application(self) -> web.Application:
        most = max((app.limits.request_bytes for app in self.apps), default=0)
        application = web.Application(client_max_size=most, middlewares=[self._upgrade])
        application.add_routes(control_routes(self))
        application.router.add_route("*", "/apps/{rest:.*}", self._serve_api)
        return application

    @web.middleware
    async def _upgrade(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every WebSocket is upgraded, whatever its path: refusals are close codes."""
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await serve_socket(self._board, request)
        return await handler(request)

    async def _serve_api(self, request: web.Request) -> web.Response:
        return await serve_api(self._board, self._faults, request)


def _put_newest(queue: asyncio.Queue[Entry | None], entry: Entry | None) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(entry)
