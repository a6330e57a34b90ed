"""What happens to a request at the front door."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gae_pusher.emulator.activity import Activity, Tell
from gae_pusher.emulator.appengine.cron import Cron
from gae_pusher.emulator.appengine.cron_routes import CRON_PATH, CronRoutes
from gae_pusher.emulator.appengine.instance import Instance
from gae_pusher.emulator.appengine.pages import READY_PATH, crash_page, crash_text
from gae_pusher.emulator.appengine.proxy import MESSAGE_BYTES
from gae_pusher.emulator.appengine.routing import Missing, SendFile, route
from gae_pusher.emulator.appengine.statics import send_file
from gae_pusher.emulator.appengine.supervisor import Crashed

__all__ = ["application"]

_NO_WEBSOCKETS: Final = (
    "App Engine standard serves no WebSockets: let the page connect to Pusher Channels"
)


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer, who gave it (app, static or front), and why it was not the app."""

    response: web.Response
    served_by: str = "app"
    remark: str | None = None


def application(instance: Instance, cron: Cron, tell: Tell) -> web.Application:
    """The aiohttp application that stands before an app."""
    front, routes = _Front(instance, tell), CronRoutes(cron)
    app = web.Application(client_max_size=MESSAGE_BYTES)
    app.router.add_get(READY_PATH, front.ready)
    app.router.add_get(CRON_PATH, routes.show)
    app.router.add_post(CRON_PATH, routes.run)
    app.router.add_route("*", "/{path:.*}", front.handle)
    return app


class _Front:
    """Static files, the app, or a page that says why not; one line told about each request."""

    def __init__(self, instance: Instance, tell: Tell) -> None:
        self._instance = instance
        self._tell = tell

    async def ready(self, request: web.Request) -> web.Response:
        """Answer when the app can be asked: the crash page waits here."""
        try:
            await self._instance.supervisor.ready()
        except Crashed:
            return web.Response(status=503, text="not yet\n")
        return web.Response(text="ready\n")

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a request of the public port."""
        started = time.time()
        answer = await self._answer(request)
        facts = {
            "method": request.method,
            "path": request.rel_url.raw_path_qs,
            "status": answer.response.status,
            "took_seconds": round(time.time() - started, 4),
            "served_by": answer.served_by,
            "remark": answer.remark,
        }
        self._tell(Activity("request", started, facts))
        return answer.response

    async def _answer(self, request: web.Request) -> _Answer:
        instance = self._instance
        match route(instance.manifest, request.path, self._is_file):
            case SendFile(path, serving):
                file = instance.directory / path
                return _Answer(await send_file(request, file, serving), "static")
            case Missing(reason):
                return _Answer(web.Response(status=404, text=f"{reason}\n"), "static", reason)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            response = web.Response(status=400, text=f"{_NO_WEBSOCKETS}\n")
            return _Answer(response, "front", _NO_WEBSOCKETS)
        return await self._forward(request)

    async def _forward(self, request: web.Request) -> _Answer:
        instance = self._instance
        try:
            return _Answer(
                await instance.proxy.forward(request, instance.manifest.deadline_seconds)
            )
        except Crashed as crash:
            return _Answer(self._crashed(request, crash), "front", "the app did not start")
        except web.HTTPRequestEntityTooLarge:
            remark = f"a request may have {MESSAGE_BYTES} bytes on App Engine"
            return _Answer(web.Response(status=413, text=f"{remark}\n"), "front", remark)

    def _crashed(self, request: web.Request, crash: Crashed) -> web.Response:
        command = self._instance.command
        if "text/html" in request.headers.get("Accept", ""):
            directory = str(self._instance.directory)
            page = crash_page(command, crash.code, crash.tail, directory)
            return web.Response(status=500, text=page, content_type="text/html")
        return web.Response(status=500, text=crash_text(command, crash.code, crash.tail))

    def _is_file(self, path: str) -> bool:
        return (self._instance.directory / path).is_file()
