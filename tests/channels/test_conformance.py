"""Every channel type and engine behaves the same against a server that follows a script."""

from __future__ import annotations

import gc
import os
import ssl
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import trustme

from gae_pusher import errors
from gae_pusher.errors import ConnectionFailed, RemoteProtocolError, TransportTimeout
from gae_pusher.limits import RESPONSE_BYTES
from gae_pusher.sansio.signing import Credentials, signed_params
from tests.channels.roads import ROADS, Call, Road
from tests.scripted_server import (
    Answer,
    Endless,
    ForwardProxy,
    MuteServer,
    Raw,
    Received,
    ScriptedServer,
    Stall,
    Step,
    Trickle,
)

EVENT = ("a_channel", "an_event", {"some": "data"})
CHANNELS = [f"channel-{number}" for number in range(101)]
AT_ONCE_SECONDS = 5


@pytest.fixture(params=ROADS, ids=lambda road: road.name)
def road(request: pytest.FixtureRequest) -> Iterator[Road]:
    """One way to send, and at the end of the test no connection that nobody closed."""
    yield request.param
    gc.collect()


def trigger(road: Road, script: list[Step], **options: Any) -> tuple[Any, list[Received]]:
    """Trigger once; the answer or the error, and what the server got."""
    with ScriptedServer(script) as server:
        return outcome(road, server.port, **options), server.requests


def outcome(road: Road, port: int, *args: Any, **options: Any) -> Any:
    """What one trigger answers or raises; its error never shows the signature."""
    pusher = road.pusher(port, **options)
    with road.calling(pusher) as call:
        try:
            return call("trigger", *(args or EVENT))
        except errors.PusherError as error:
            told = "".join(traceback.format_exception(error))
            assert "auth_signature" not in told
            return error
        finally:
            _close(road, pusher, call)


def _close(road: Road, pusher: Any, call: Call) -> None:
    if road.name == "asyncio":
        call("close")
    else:
        pusher.close()


def test_success(road: Road) -> None:
    """A trigger arrives as documented, signed over what arrives, and gives the answer's object."""
    answer, (request,) = trigger(road, [Answer(body=b'{"channels":{}}')])
    assert answer == {"channels": {}}
    assert (request.method, request.target.partition("?")[0]) == ("POST", "/apps/3/events")
    assert request.body == (
        b'{"name":"an_event","data":"{\\"some\\":\\"data\\"}","channels":["a_channel"]}'
    )
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-pusher-library"].startswith("gae_pusher ")
    now = int(request.params["auth_timestamp"])
    assert abs(now - time.time()) < AT_ONCE_SECONDS
    credentials = Credentials("a-key", "a-secret")
    expected = signed_params("POST", "/apps/3/events", (), request.body, credentials, now)
    assert request.params == dict(expected)


def test_a_query_that_needs_escapes(road: Road) -> None:
    """A signed query travels with exactly the escapes that it was given."""
    with ScriptedServer([Answer(body=b'{"channels":{}}')]) as server:
        pusher = road.pusher(server.port)
        with road.calling(pusher) as call:
            call("channels_info", "presence-a,b;c", "user_count")
            _close(road, pusher, call)
    (request,) = server.requests
    assert request.method == "GET"
    assert request.body == b""
    assert "filter_by_prefix=presence-a%2Cb%3Bc&" in request.target
    params = (("info", "user_count"), ("filter_by_prefix", "presence-a,b;c"))
    now = int(request.params["auth_timestamp"])
    credentials = Credentials("a-key", "a-secret")
    expected = signed_params("GET", "/apps/3/channels", params, None, credentials, now)
    assert request.params == dict(expected)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, errors.UnexpectedStatus),
        (400, errors.BadRequest),
        (401, errors.AuthenticationError),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (413, errors.RequestTooLarge),
        (429, errors.RateLimited),
        (500, errors.ServerError),
        (503, errors.ServerError),
    ],
)
def test_statuses(road: Road, status: int, kind: type[errors.ResponseError]) -> None:
    """Every other status than success is the error that belongs to it, with the service's words."""
    location = ("Location: /elsewhere",) if status == 301 else ()
    error, requests = trigger(road, [Answer(status, b"some words\n", location)])
    assert type(error) is kind
    assert (error.status, error.body) == (status, "some words")
    assert len(requests) == 1


@pytest.mark.parametrize(
    "step",
    [
        Stall(),
        Trickle(b"HTTP/1.1 200 OK\r\nX-Slow: "),
        Trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
    ],
    ids=["no answer", "slow headers", "slow body"],
)
def test_timeout(road: Road, step: Step) -> None:
    """The timeout bounds the whole exchange, also when bytes keep coming."""
    started = time.monotonic()
    error, requests = trigger(road, [step], timeout=0.4)
    assert time.monotonic() - started < AT_ONCE_SECONDS
    assert type(error) is TransportTimeout
    assert error.sent is not False
    assert error.retryable
    assert len(requests) == 1


def test_a_timeout_for_one_call(road: Road) -> None:
    """A verb's own timeout goes before the configured one."""
    with ScriptedServer([Stall()]) as server:
        pusher = road.pusher(server.port)
        with road.calling(pusher) as call:
            with pytest.raises(TransportTimeout, match=r"0\.2 seconds"):
                call("trigger", *EVENT, timeout=0.2)
            _close(road, pusher, call)


def test_refused(road: Road) -> None:
    """Where nobody listens, surely nothing was sent."""
    with ScriptedServer() as server:
        port = server.port
    error = outcome(road, port)
    assert type(error) is ConnectionFailed
    assert error.sent is False
    assert f"http://127.0.0.1:{port}" in str(error)


@pytest.mark.parametrize(
    "step",
    [
        Raw(),
        Raw(reset=True),
        Raw(b"HTTP/1.1 200 OK\r\nContent-Le", reset=True),
        Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", reset=True),
        Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"),
    ],
    ids=["closed", "reset", "in the headers", "short body", "in the body", "short chunk"],
)
def test_broken_off(road: Road, step: Step) -> None:
    """A connection that breaks after the request leaves open whether it had its effect."""
    error, requests = trigger(road, [step], timeout=2)
    # Tornado's client loses a reset in the body, and notices at the end of the time.
    assert isinstance(error, ConnectionFailed if road.names_garbage else errors.TransportError)
    assert error.sent is not False
    assert len(requests) == 1


@pytest.mark.parametrize("step", [Raw(b"SSH-2.0-OpenSSH_9.9\r\n"), Raw(b"\x00\xff" * 100 + b"\n")])
def test_garbage(road: Road, step: Step) -> None:
    """An answer that is no HTTP is a clear error."""
    error, _ = trigger(road, [step])
    if road.names_garbage:
        assert type(error) is RemoteProtocolError
        assert "no HTTP" in str(error)
    else:
        assert type(error) is ConnectionFailed
        assert error.sent is not False


def test_no_json(road: Road) -> None:
    """A success that holds no JSON object is a clear error."""
    error, _ = trigger(road, [Answer(body=b"<html>")])
    assert type(error) is RemoteProtocolError


def test_a_huge_answer(road: Road) -> None:
    """An answer without an end is given up once it is larger than anybody wants to hold."""
    with ScriptedServer([Endless()]) as server:
        error = outcome(road, server.port, timeout=60)
    assert type(error) is (RemoteProtocolError if road.names_garbage else ConnectionFailed)
    assert server.bytes_sent < 2 * RESPONSE_BYTES


def test_a_stale_connection(road: Road) -> None:
    """A kept connection that the service closed meanwhile is noticed before anything is sent."""
    with ScriptedServer([Answer(closes=True)]) as server:
        pusher = road.pusher(server.port)
        with road.calling(pusher) as call:
            call("trigger", *EVENT)
            assert server.closed.acquire(timeout=AT_ONCE_SECONDS)
            call("trigger", *EVENT)
            _close(road, pusher, call)
    assert [request.connection for request in server.requests] == [1, 2]


def test_a_kept_connection_that_breaks(road: Road) -> None:
    """A request that was written to a kept connection is not sent again behind the caller."""
    with ScriptedServer([Answer(), Raw()]) as server:
        pusher = road.pusher(server.port)
        with road.calling(pusher) as call:
            call("trigger", *EVENT)
            with pytest.raises(ConnectionFailed) as caught:
                call("trigger", *EVENT)
            call("trigger", *EVENT)
            _close(road, pusher, call)
    assert caught.value.sent is not False
    assert len(server.requests) == 3


def test_connections_are_kept(road: Road) -> None:
    """One trigger after the other takes one connection."""
    with ScriptedServer() as server:
        pusher = road.pusher(server.port)
        with road.calling(pusher) as call:
            for _ in range(4):
                call("trigger", *EVENT)
            call("channel_info", "a_channel")
            _close(road, pusher, call)
    assert len(server.requests) == 5
    assert server.connections == (1 if road.reuses else 5)


def test_use_after_close(road: Road) -> None:
    """A verb after `close` opens a new connection."""
    with ScriptedServer() as server:
        pusher = road.pusher(server.port)
        with road.calling(pusher) as call:
            for _ in range(2):
                assert call("trigger", *EVENT) == {}
                _close(road, pusher, call)
    assert server.connections == 2


def test_each_part_is_signed_when_it_is_sent(road: Road) -> None:
    """A trigger of many channels travels in parts, each with the time of its own sending."""
    times = iter([1_700_000_000.0, 1_700_000_007.0])
    with ScriptedServer() as server:
        answer = outcome(road, server.port, CHANNELS, "an_event", {}, clock=lambda: next(times))
    assert answer == {}
    stamps = [request.params["auth_timestamp"] for request in server.requests]
    assert stamps == ["1700000000", "1700000007"]
    for request in server.requests:
        credentials = Credentials("a-key", "a-secret")
        now = int(request.params["auth_timestamp"])
        expected = signed_params("POST", "/apps/3/events", (), request.body, credentials, now)
        assert request.params == dict(expected)


@pytest.mark.parametrize(
    ("step", "cause"), [(Answer(500), errors.ServerError), (Raw(), ConnectionFailed)]
)
def test_partial_failure(road: Road, step: Step, cause: type[errors.PusherError]) -> None:
    """A failure after a part was accepted says which channels were, and why not the others."""
    with ScriptedServer([Answer(), step]) as server:
        error = outcome(road, server.port, CHANNELS, "an_event", {})
    assert type(error) is errors.PartialFailure
    assert error.accepted == tuple(CHANNELS[:100])
    assert error.remaining == (CHANNELS[100],)
    assert type(error.__cause__) is cause


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority of our own."""
    return trustme.CA()


def _encrypted(authority: trustme.CA, host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


@pytest.mark.parametrize(
    ("host", "trusted", "accepted"),
    [("127.0.0.1", True, True), ("pusher.example", True, False), ("127.0.0.1", False, False)],
    ids=["right", "wrong host", "unknown authority"],
)
def test_tls(road: Road, authority: trustme.CA, host: str, trusted: bool, accepted: bool) -> None:
    """Only a certificate for this very host, by an authority that we trust, gets the request."""
    options = {"ssl": True}
    with (
        authority.cert_pem.tempfile() as ca_certs,
        ScriptedServer(context=_encrypted(authority, host)) as server,
    ):
        answer = outcome(
            road, server.port, **options, **({"ca_certs": ca_certs} if trusted else {})
        )
    if accepted:
        assert answer == {}
        assert len(server.requests) == 1
    else:
        assert type(answer) is ConnectionFailed
        assert answer.sent is False
        assert server.requests == []


def test_a_stalled_handshake(road: Road) -> None:
    """A server that takes the connection and does not say hello is a timeout, nothing was sent."""
    with MuteServer() as server:
        error = outcome(road, server.port, ssl=True, timeout=0.4)
    assert type(error) is TransportTimeout
    assert error.sent is False


def test_a_proxy_for_plain_http(road: Road) -> None:
    """A configured proxy is given the whole URL and its own credentials."""
    with ScriptedServer() as server, ForwardProxy() as proxy:
        answer = outcome(road, server.port, http_proxy=f"http://me:pass@127.0.0.1:{proxy.port}")
    assert answer == {}
    (forwarded,), (request,) = proxy.requests, server.requests
    assert forwarded.target.startswith(f"http://127.0.0.1:{server.port}/apps/3/events?")
    assert forwarded.headers["proxy-authorization"] == "Basic bWU6cGFzcw=="
    assert request.target.startswith("/apps/3/events?")


def test_a_proxy_for_https(road: Road, authority: trustme.CA) -> None:
    """Through a proxy the encrypted connection still reaches from end to end."""
    context = _encrypted(authority, "127.0.0.1")
    with (
        authority.cert_pem.tempfile() as ca_certs,
        ScriptedServer(context=context) as server,
        ForwardProxy() as proxy,
    ):
        http_proxy = f"http://me:pass@127.0.0.1:{proxy.port}"
        options = {"ssl": True, "ca_certs": ca_certs, "http_proxy": http_proxy}
        answer = outcome(road, server.port, **options)
    assert answer == {}
    (tunnel,), (request,) = proxy.requests, server.requests
    assert (tunnel.method, tunnel.target) == ("CONNECT", f"127.0.0.1:{server.port}")
    assert tunnel.headers["proxy-authorization"] == "Basic bWU6cGFzcw=="
    assert "proxy-authorization" not in request.headers


def test_a_proxy_that_refuses(road: Road) -> None:
    """A proxy that opens no tunnel is a connection that failed, nothing was sent."""
    with ForwardProxy(status=403) as proxy:
        error = outcome(road, 443, ssl=True, http_proxy=f"http://127.0.0.1:{proxy.port}")
    assert type(error) is ConnectionFailed
    assert error.sent is False


def test_many_threads(road: Road) -> None:
    """Many threads may share one Pusher, and take no more connections than they may."""
    if not road.blocks:
        pytest.skip("an event loop belongs to one thread")
    options = {} if road.name == "requests" else {"connections": 4}
    answers: list[Any] = []
    with ScriptedServer() as server:
        pusher = road.pusher(server.port, **options)

        def work() -> None:
            for _ in range(10):
                answers.append(pusher["a_channel"].trigger("an_event", {}))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(AT_ONCE_SECONDS * 4)
        pusher.close()
    assert answers == [True] * 80
    assert len(server.requests) == 80
    assert server.connections <= (16 if road.name == "requests" else 4)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this platform")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_fork(road: Road) -> None:
    """A child sends on a connection of its own, and the parent keeps what it had."""
    if road.name in ("tornado", "asyncio"):
        pytest.skip("an event loop does not outlive a fork")
    with ScriptedServer() as server:
        pusher = road.pusher(server.port)
        with road.calling(pusher) as call:
            call("trigger", *EVENT)
            child = os.fork()
            if child == 0:
                succeeded = False
                try:
                    succeeded = call("trigger", *EVENT) == {}
                finally:
                    os._exit(not succeeded)
            assert os.waitpid(child, 0)[1] == 0
            call("trigger", *EVENT)
            _close(road, pusher, call)
    assert [request.connection for request in server.requests] == [1, 2, 1]
