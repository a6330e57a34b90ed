"""The local Channels server: one port for WebSockets, the HTTP API, the inspector and controls."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

from gae_pusher.emulator.channels.clock import Clock
from gae_pusher.emulator.channels.control_routes import control_routes
from gae_pusher.emulator.channels.controls import Controls
from gae_pusher.emulator.channels.guard import reachable
from gae_pusher.emulator.channels.http_api import serve_api
from gae_pusher.emulator.channels.settings import DEVELOPMENT_APP, App, Settings
from gae_pusher.emulator.channels.sockets import serve_socket
from gae_pusher.emulator.channels.switchboard import Switchboard

__all__ = ["ChannelsServer", "new_socket_id"]


def new_socket_id() -> str:
    """Digits, a dot, digits, hard to guess: tokens are bound to it."""
    return f"{secrets.randbelow(10**6)}.{secrets.randbelow(10**10)}"


class ChannelsServer(Controls):
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
        self._runner: web.AppRunner | None = None
        super().__init__(Switchboard(self.apps, self.settings, Clock(), new_socket_id))

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
        self._dismiss_followers()
        await self._board.sender.stop()
        await self._runner.cleanup()
        self._runner = None

    def _application(self) -> web.Application:
        most = max((app.limits.request_bytes for app in self.apps), default=0)
        application = web.Application(client_max_size=most, middlewares=[self._upgrade])
        application.add_routes(control_routes(self))
        application.router.add_route("*", "/{path:.*}", self._serve_api)
        return application

    @web.middleware
    async def _upgrade(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every WebSocket is upgraded, whatever its path: refusals are close codes."""
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await serve_socket(self._board, request)
        return await handler(request)

    async def _serve_api(self, request: web.Request) -> web.Response:
        return await serve_api(self._board, self._faults, request)
