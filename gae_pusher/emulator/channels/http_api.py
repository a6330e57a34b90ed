"""The HTTP API on a socket: read a request, ask the core, do what it ordered, answer."""

from __future__ import annotations

import asyncio

from aiohttp.web import Request, Response

from gae_pusher.emulator.channels.api import ApiResponse, answer
from gae_pusher.emulator.channels.faults import Faults
from gae_pusher.emulator.channels.gate import ApiRequest
from gae_pusher.emulator.channels.switchboard import Switchboard

__all__ = ["serve_api"]


async def serve_api(board: Switchboard, faults: Faults, request: Request) -> Response:
    """Answer one call, or fail it if a test ordered that."""
    call = await _read(request)
    fault = faults.take()
    if fault.delay_seconds:
        await asyncio.sleep(fault.delay_seconds)
    if fault.status is not None:
        response = ApiResponse(fault.status, fault.body, "text/plain")
    else:
        response = answer(board.services, call, board.clock.now(), board.clock.wall())
    app_id = next(iter(call.segments[1:]), "")
    _note(board, app_id, call, response, request.headers.get("X-Pusher-Library"))
    if response.orders:
        board.carry_out(board.services[app_id], response.orders)
    return Response(status=response.status, text=response.body, content_type=response.content_type)


async def _read(request: Request) -> ApiRequest:
    body = await request.read()
    # Bytes that are no UTF-8 arrive as surrogates, which nothing could be signed over.
    target = request.raw_path.encode(errors="surrogateescape").decode(errors="replace")
    path, _, query = target.partition("?")
    return ApiRequest(request.method, path, query, body)


def _note(
    board: Switchboard, app_id: str, call: ApiRequest, response: ApiResponse, library: str | None
) -> None:
    query = {k: v for k, v in call.pairs if k.lower() != "auth_signature"}
    board.log.add(
        "request",
        app_id,
        board.clock.wall(),
        method=call.method,
        path=call.raw_path,
        query=query,
        body=call.body.decode(errors="replace"),
        status=response.status,
        answer=response.body,
        library=library,
    )
