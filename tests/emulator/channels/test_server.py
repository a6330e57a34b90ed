"""The server on real sockets: what sockets, broadcasts, refusals and the end look like."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import requests
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from gae_pusher.emulator.channels import Fault, Settings
from gae_pusher.emulator.channels.server import ChannelsServer, new_socket_id
from gae_pusher.sansio.signing import Credentials, signed_params
from gae_pusher.testing.channels import RunningServer, running_server

LOCAL = Credentials("local-key", "local-secret")
WAIT_SECONDS = 10
GOOD_PATH = "/app/local-key?protocol=7"
UPGRADE = (
    b"GET /app/local-key?protocol=7 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n"
)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(2 * WAIT_SECONDS):
            await test()

    asyncio.run(limited())


@asynccontextmanager
async def started(settings: Settings | None = None) -> AsyncIterator[ChannelsServer]:
    server = ChannelsServer(settings=settings)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def client(
    server: ChannelsServer, path: str = GOOD_PATH, *channels: str
) -> AsyncIterator[ClientWebSocketResponse]:
    """A connection that has been greeted and has joined public channels."""
    url = server.http_url + path
    async with ClientSession() as session, session.ws_connect(url, autoping=False) as ws:
        if path == GOOD_PATH:
            await ws.receive_json()
        for channel in channels:
            await subscribe(ws, channel)
        yield ws


async def subscribe(ws: ClientWebSocketResponse, channel: str) -> None:
    await ws.send_json({"event": "pusher:subscribe", "data": {"channel": channel, "auth": ""}})
    while (await ws.receive_json())["event"] != "pusher_internal:subscription_count":
        pass


def call(
    server: Any, method: str, path: str, body: bytes = b"", **params: str
) -> requests.Response:
    query = signed_params(method, path, tuple(params.items()), body, LOCAL, time.time())
    return requests.request(method, server.http_url + path, params=query, data=body, timeout=10)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/app/nobody?protocol=7", 4001),
        ("/app/local-key", 4008),
        ("/app/local-key-not?protocol=3", 4001),
        ("/", 4005),
        ("/elsewhere", 4005),
        ("/apps/4242/events", 4005),
    ],
)
def test_refusal_comes_after_the_upgrade(path: str, code: int) -> None:
    """A refused connection is upgraded, told why in a frame, and closed with the code."""

    async def test() -> None:
        async with started() as server, client(server, path) as ws:
            error = await ws.receive_json()
            closed = await ws.receive()
            assert error["event"] == "pusher:error"
            assert error["data"]["code"] == code
            assert (closed.type, closed.data) == (WSMsgType.CLOSE, code)

    run(test)


def test_events_arrive_in_order() -> None:
    """Every receiver gets every event of a channel in the order of the triggers."""

    async def test() -> None:
        async with started() as server, client(server, GOOD_PATH, "news") as ws:
            for number in range(500):
                fields = {"channel": "news", "name": "tick", "data": str(number)}
                server.trigger(None, fields)
            got = [(await ws.receive_json())["data"] for _ in range(500)]
            assert got == [str(number) for number in range(500)]

    run(test)


def test_slow_receiver_is_cut_off_and_others_go_on() -> None:
    """Who does not read is closed once a limit is unsent; the broadcast reaches everybody else."""
    settings = Settings(write_buffer_bytes=200_000)

    async def test() -> None:
        async with started(settings) as server, client(server, GOOD_PATH, "news") as ws:
            slow = await asyncio.to_thread(connect_raw, server.port, "news")
            closed = asyncio.Event()
            server.log.watch(lambda e: e.facts.get("code") == 4100 and closed.set())
            sent = 0
            while not closed.is_set():
                fields = {"channel": "news", "name": "bulk", "data": "x" * 10_000}
                server.trigger(None, fields)
                sent += 1
                while (await ws.receive_json())["event"] != "bulk":
                    pass
            assert sent < 5_000
            (channel,) = server.state()["apps"][0]["channels"]
            assert channel["subscription_count"] == 1
            slow.close()

    run(test)


def read_until(raw: socket.socket, wanted: bytes) -> bytes:
    """What a raw socket receives, up to some bytes that have to come."""
    raw.settimeout(WAIT_SECONDS)
    received = b""
    while wanted not in received:
        more = raw.recv(4096)
        assert more, f"closed after {received!r}"
        received += more
    return received


def connect_raw(port: int, channel: str) -> socket.socket:
    """A WebSocket that has subscribed and never reads again, nor answers any ping."""
    raw = socket.create_connection(("127.0.0.1", port))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.sendall(UPGRADE)
    read_until(raw, b"connection_established")
    text = json.dumps({"event": "pusher:subscribe", "data": {"channel": channel}}).encode()
    raw.sendall(bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text)
    read_until(raw, b"subscription_count")
    return raw


def test_silent_peer_is_pinged_and_dropped() -> None:
    """A peer that does not answer the protocol ping is closed with 4201."""
    with running_server(
        settings=Settings(ping_after_seconds=0.1, pong_timeout_seconds=0.1)
    ) as server:
        raw = connect_raw(server.port, "news")
        (entry,) = server.wait_for("connection", what="closed")
        assert entry.facts["code"] == 4201
        frames = read_until(raw, b"Pong reply")
        assert frames.startswith(b"\x89\x00")
        raw.close()


def test_client_ping_is_answered() -> None:
    """A protocol ping is answered with its own payload."""

    async def test() -> None:
        async with started() as server, client(server) as ws:
            await ws.ping(b"hello")
            pong = await ws.receive()
            assert (pong.type, pong.data) == (WSMsgType.PONG, b"hello")

    run(test)


def test_binary_and_oversize_messages_end_the_connection() -> None:
    """Binary messages are closed with 1003, too large ones with 1009."""

    async def test() -> None:
        async with started(Settings(frame_bytes=1000)) as server:
            async with client(server) as ws:
                await ws.send_bytes(b"x")
                assert (await ws.receive()).data == 1003
            async with client(server) as ws:
                await ws.send_str("x" * 2000)
                assert (await ws.receive()).data == 1009
            async with client(server) as ws:
                await ws.send_str("x")
                assert (await ws.receive_json())["event"] == "pusher:error"

    run(test)


def test_stop_sends_everybody_back() -> None:
    """Stopping closes with 4200, so that clients return to what is started next."""

    async def test() -> None:
        server = ChannelsServer()
        await server.start()
        async with client(server) as ws:
            stopping = asyncio.create_task(server.stop())
            closed = await ws.receive()
            assert (closed.type, closed.data) == (WSMsgType.CLOSE, 4200)
            await ws.close()
            await stopping
        await server.stop()

    run(test)


def test_restart_on_the_same_port() -> None:
    """A port is free again as soon as the server has stopped."""

    async def test() -> None:
        async with started() as first:
            port = first.port
            with pytest.raises(OSError):  # noqa: PT011
                await ChannelsServer().start(port=port)
        again = ChannelsServer()
        await again.start(port=port)
        await again.stop()

    run(test)


def test_path_may_be_encoded() -> None:
    """A channel's name may be percent-encoded on the wire; the signature is over the text."""
    with running_server() as server:
        path = "/apps/4242/channels/a=b,c;d"
        query = signed_params("GET", path, (), b"", LOCAL, time.time())
        url = f"{server.http_url}/apps/4242/channels/a%3Db%2Cc%3Bd"
        response = requests.get(url, params=query, timeout=10)
        assert (response.status_code, response.json()) == (200, {"occupied": False})
        assert response.headers["Content-Type"].startswith("application/json")


def test_body_has_a_limit() -> None:
    """A body that no batch could need is refused before it is read."""
    with running_server() as server:
        limit = server.app.limits.request_bytes
        assert call(server, "POST", "/apps/4242/events", b"x" * (limit + 1)).status_code == 413


def test_a_path_that_the_service_lacks_is_told_and_logged() -> None:
    """A call outside of /apps/, as pusher 3.3.4's terminate sends it, is seen in the log."""
    with running_server() as server:
        answer = call(server, "POST", "/users/u-19/terminate_connections", b"{}")
        assert (answer.status_code, answer.text) == (404, "404 NOT FOUND\n")
        (request,) = server.wait_for("request")
        assert (request.facts["path"], request.facts["status"]) == (
            "/users/u-19/terminate_connections",
            404,
        )


def test_bytes_that_are_no_text() -> None:
    """A path of arbitrary bytes is refused like any other wrong request."""
    with running_server() as server, socket.create_connection((server.host, server.port)) as raw:
        raw.sendall(b"GET /apps/4242/channels/\xff\xfe?auth_key=\xff HTTP/1.1\r\nHost: x\r\n\r\n")
        assert raw.recv(4096).split(b" ")[1] in (b"400", b"401")


def test_upgrade_of_escapes_that_are_no_text() -> None:
    """A WebSocket to a path whose escapes are no text is turned away like any unknown one."""
    with running_server() as server, socket.create_connection((server.host, server.port)) as raw:
        raw.sendall(UPGRADE.replace(b"/app/local-key?protocol=7", b"/app/%ff%fe?version=%ff"))
        read_until(raw, b"Did you forget")
        server.wait_for("connection", what="refused", code=4001)


def test_ordered_failures() -> None:
    """The next calls fail as ordered, then the API works again."""
    with running_server() as server:
        server.fail_requests(2, Fault(503, "busy\n"))
        path, body = "/apps/4242/events", b'{"name":"x","data":"","channel":"a"}'
        answers = [call(server, "POST", path, body) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [503, 503, 200]
        assert answers[0].text == "busy\n"
        assert len(server.log("event")) == 1
        server.fail_requests(1, Fault(delay_seconds=30))
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{server.http_url}/apps/4242/channels", timeout=0.3)
        assert call(server, "GET", "/apps/4242/channels").status_code == 200


def test_socket_ids_are_what_libraries_expect() -> None:
    """Digits, a dot, digits."""
    whole, _, part = new_socket_id().partition(".")
    assert whole.isdecimal()
    assert part.isdecimal()


def test_log_tells_the_story() -> None:
    """A call leaves a request and an event in the log, without its signature."""
    with running_server() as server:
        call(server, "POST", "/apps/4242/events", b'{"name":"x","data":"d","channel":"a"}')
        (request,) = server.wait_for("request")
        assert request.facts["status"] == 200
        assert "auth_signature" not in request.facts["query"]
        assert server.wait_for_event("a", "x").facts == {
            "channel": "a",
            "event": "x",
            "data": "d",
            "receivers": 0,
            "source": "api",
            "socket_id": None,
        }


def test_waiting_in_vain_says_what_was_there(server: RunningServer) -> None:
    """A TimeoutError shows the log."""
    call(server, "GET", "/apps/4242/channels")
    with pytest.raises(TimeoutError, match="/apps/4242/channels"):
        server.wait_for("request", timeout=0.01, status=500)
