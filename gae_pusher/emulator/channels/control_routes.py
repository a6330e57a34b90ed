"""The controls under /_emulator/: for the inspector, for commands, and for tests over HTTP.

No part of the Channels protocol. They answer this machine only (see guard.py).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.resources import files
from typing import Any, Final, TypeAlias

from aiohttp import web

from gae_pusher.emulator.channels.controls import Controls
from gae_pusher.emulator.channels.faults import Fault
from gae_pusher.emulator.channels.gate import ApiError
from gae_pusher.emulator.channels.guard import control_refusal
from gae_pusher.emulator.channels.json_text import dumps
from gae_pusher.emulator.channels.log import Entry
from gae_pusher.errors import InvalidRequest

__all__ = ["PREFIX", "control_routes"]

PREFIX: Final = "/_emulator"
STREAM_QUEUE: Final = 4_096

_Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def control_routes(controls: Controls) -> list[web.RouteDef]:
    """The routes of one server, each behind the guard."""
    routes = _Routes(controls)
    return [
        web.get("/", guarded(routes.inspector)),
        web.get(f"{PREFIX}/state", guarded(routes.state)),
        web.get(f"{PREFIX}/log", guarded(routes.log)),
        web.get(f"{PREFIX}/log/stream", guarded(routes.stream)),
        web.post(f"{PREFIX}/trigger", guarded(routes.trigger)),
        web.post(f"{PREFIX}/connections/{{socket_id}}/close", guarded(routes.close)),
        web.post(f"{PREFIX}/faults", guarded(routes.faults)),
        web.post(f"{PREFIX}/clock", guarded(routes.clock)),
        web.post(f"{PREFIX}/webhooks/{{id}}/replay", guarded(routes.replay)),
    ]


def guarded(handler: _Handler) -> _Handler:
    """Refuse everybody but this machine and its own pages."""

    async def guard(request: web.Request) -> web.StreamResponse:
        headers = request.headers
        why = control_refusal(request.remote, headers.get("Host"), headers.get("Origin"))
        if why is not None:
            return _refuse(403, why)
        return await handler(request)

    return guard


class _Routes:
    """The handlers: they read JSON, use the controls and answer JSON."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    async def inspector(self, request: web.Request) -> web.Response:
        """The inspector page."""
        page = files("gae_pusher.emulator.channels").joinpath("inspector.html").read_text("utf-8")
        headers = {
            "Content-Security-Policy": "default-src 'none'; connect-src 'self'; img-src data:; "
            "style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'",
            "Cache-Control": "no-store",
        }
        return web.Response(text=page, content_type="text/html", headers=headers)

    async def state(self, request: web.Request) -> web.Response:
        """Connections, channels and members now."""
        return _json(self._controls.state())

    async def log(self, request: web.Request) -> web.Response:
        """The kept entries; `after` is an entry's number, `kind` one kind."""
        try:
            after = int(request.query.get("after", "0"))
        except ValueError:
            return _refuse(400, "after must be an entry's number")
        entries = self._controls.log.entries(after, request.query.get("kind"))
        return _json({"entries": [entry.as_dict() for entry in entries]})

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """The log as server-sent events: what is kept, then everything as it happens."""
        response = web.StreamResponse()
        response.content_type = "text/event-stream"
        response.headers["Cache-Control"] = "no-store"
        await response.prepare(request)
        last = request.headers.get("Last-Event-ID", "0")
        queue: asyncio.Queue[Entry | None] = asyncio.Queue(STREAM_QUEUE)
        with suppress(ConnectionError), self._controls.following(queue):
            for entry in self._controls.log.entries(int(last[:18]) if last.isdecimal() else 0):
                await response.write(_sse(entry))
            while (next_entry := await queue.get()) is not None:
                await response.write(_sse(next_entry))
        return response

    async def trigger(self, request: web.Request) -> web.Response:
        """Trigger an event without a signature: `{"app", "channel", "name", "data"}`."""
        fields = await _fields(request)
        try:
            self._controls.trigger(str(fields.pop("app", "")) or None, fields)
        except (ApiError, InvalidRequest) as error:
            return _refuse(400, str(error))
        return _json({})

    async def close(self, request: web.Request) -> web.Response:
        """Close a connection: `{"code": 4200, "reason": ""}`."""
        fields = await _fields(request)
        code, reason = fields.get("code", 4200), fields.get("reason", "")
        if not isinstance(code, int) or not isinstance(reason, str):
            return _refuse(400, "code must be a number, reason a string")
        try:
            self._controls.close_connection(request.match_info["socket_id"], code, reason)
        except LookupError as error:
            return _refuse(404, str(error.args[0]))
        except ValueError as error:
            return _refuse(400, str(error))
        return _json({})

    async def faults(self, request: web.Request) -> web.Response:
        """Fail or stall the next calls: `{"count", "status", "body", "delay_seconds"}`."""
        fields = await _fields(request)
        count = fields.pop("count", 1)
        try:
            self._controls.fail_requests(count, Fault(**fields))
        except (TypeError, ValueError) as error:
            return _refuse(400, str(error))
        return _json({})

    async def clock(self, request: web.Request) -> web.Response:
        """Let time pass: `{"advance_seconds": 3}`."""
        seconds = (await _fields(request)).get("advance_seconds")
        if not isinstance(seconds, int | float) or not 0 <= seconds < 1e9:
            return _refuse(400, "advance_seconds must be a number, zero or more")
        self._controls.advance(seconds)
        return _json({})

    async def replay(self, request: web.Request) -> web.Response:
        """Send a webhook again, the same bytes."""
        try:
            self._controls.replay_webhook(request.match_info["id"])
        except LookupError as error:
            return _refuse(404, str(error.args[0]))
        return _json({})


async def _fields(request: web.Request) -> dict[str, Any]:
    # Only application/json: a page of another site cannot send that without asking first.
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send application/json.\n")
    try:
        fields = json.loads(await request.text())
    except ValueError:
        raise web.HTTPBadRequest(text="The body is not JSON.\n") from None
    if not isinstance(fields, dict):
        raise web.HTTPBadRequest(text="The body must be a JSON object.\n")
    return fields


def _json(value: object) -> web.Response:
    return web.Response(text=dumps(value), content_type="application/json")


def _refuse(status: int, message: str) -> web.Response:
    return web.Response(status=status, text=f"{message}\n")


def _sse(entry: Entry) -> bytes:
    return f"id: {entry.number}\ndata: {dumps(entry.as_dict())}\n\n".encode()
