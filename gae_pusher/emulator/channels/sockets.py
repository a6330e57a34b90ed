"""One WebSocket from upgrade to end: admitted or turned away, then read frame by frame."""

from __future__ import annotations

from asyncio import Transport
from collections.abc import Mapping
from typing import Final

from aiohttp import WSCloseCode, WSMsgType
from aiohttp.web import Request, WebSocketResponse

from gae_pusher.emulator.channels import frames
from gae_pusher.emulator.channels.handshake import Rejection, admit
from gae_pusher.emulator.channels.keepalive import Keepalive
from gae_pusher.emulator.channels.link import Link, pong_frame
from gae_pusher.emulator.channels.service import Service
from gae_pusher.emulator.channels.switchboard import Switchboard

__all__ = ["serve_socket"]

_LOGGED_PARAMETERS: Final = ("client", "version", "protocol")


async def serve_socket(board: Switchboard, request: Request) -> WebSocketResponse:
    """Upgrade, whatever is wrong: a refusal is a close code, which clients understand."""
    socket = WebSocketResponse(
        compress=False, autoping=False, max_msg_size=board.settings.frame_bytes
    )
    await socket.prepare(request)
    path, query = _clean(request.path), {k: _clean(v) for k, v in request.query.items()}
    parts = tuple(path.strip("/").split("/"))
    admitted = admit(board.services.values(), parts, query, board.settings.capacity)
    if isinstance(admitted, Rejection):
        await _turn_away(board, socket, admitted, path)
    elif isinstance(request.transport, Transport):
        await _serve(board, socket, _link(board, admitted, query, socket, request.transport))
    return socket


def _clean(text: str) -> str:
    """The text without the surrogates that stand for bytes that are no UTF-8."""
    return text.encode(errors="replace").decode()


async def _turn_away(
    board: Switchboard, socket: WebSocketResponse, rejection: Rejection, path: str
) -> None:
    """Say why in a frame and in the close code, as the service was seen to do."""
    board.log.add(
        "connection",
        "",
        board.clock.wall(),
        what="refused",
        path=path,
        code=rejection.code,
        reason=rejection.reason,
    )
    await socket.send_str(frames.error(rejection.reason, rejection.code))
    await socket.close(code=rejection.code, message=rejection.reason.encode()[:123])


def _link(
    board: Switchboard,
    service: Service,
    query: Mapping[str, str],
    socket: WebSocketResponse,
    transport: Transport,
) -> Link:
    client = {name: query[name][:40] for name in _LOGGED_PARAMETERS if name in query}
    keepalive = Keepalive(board.settings, board.clock.now())
    return Link(board.new_socket_id(), service, socket, transport, keepalive, client)


async def _serve(board: Switchboard, socket: WebSocketResponse, link: Link) -> None:
    board.connect(link)
    reason = ""
    try:
        reason = await _read(board, socket, link)
    finally:
        board.disconnect(link, socket.close_code, reason)


async def _read(board: Switchboard, socket: WebSocketResponse, link: Link) -> str:
    """Read until the end; the reason that the peer gave for it."""
    while True:
        message = await socket.receive()
        link.keepalive.heard(board.clock.now())
        match message.type:
            case WSMsgType.TEXT:
                board.receive(link, message.data)
            case WSMsgType.PING:
                link.write(pong_frame(message.data))
            case WSMsgType.PONG:
                pass
            case WSMsgType.BINARY:
                board.close(link, WSCloseCode.UNSUPPORTED_DATA, "Frames are text")
            case WSMsgType.CLOSE:
                return message.extra or ""
            case _:
                return ""
