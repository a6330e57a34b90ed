"""The server under the Datastore, called by grpc's own client."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from benchmarks.canned_datastore import (
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    SETTINGS,
    frame,
    header,
)
from gae_pusher.emulator.datastore.refusals import Code, Refusal
from gae_pusher.emulator.datastore.serving import SerialServer

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
METHOD = "/a.Service/Method"
Answer = Callable[[str, bytes, float], Any]


class Client:
    """grpc's own, for one method of a server on this machine."""

    def __init__(self, channel: grpc.Channel, port: int) -> None:
        self.port = port
        self.channel = channel
        self._method = channel.unary_unary(METHOD)

    def __call__(self, request: bytes, timeout: float = 30) -> bytes:
        answer: bytes = self._method(request, timeout=timeout)
        return answer

    def future(self, request: bytes) -> Any:
        return self._method.future(request)


@contextmanager
def served(answer: Answer) -> Iterator[Client]:
    """A client of a server with this answer."""
    server = SerialServer(answer)
    port = server.bind("127.0.0.1", 0)
    server.start()
    options = (("grpc.max_receive_message_length", -1),)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
            yield Client(channel, port)
    finally:
        server.stop()


def test_an_answer_comes_back() -> None:
    """The method's path and the request go in, the answer comes out, empty ones too."""
    with served(lambda path, request, _: path.encode() + request) as call:
        assert call(b" with this") == b"/a.Service/Method with this"
        assert call(b"") == METHOD.encode()


def test_large_messages_pass() -> None:
    """Far more than gRPC's usual 4 MB, both ways."""
    with served(lambda _path, request, _: request * 2) as call:
        assert len(call(bytes(9_000_000))) == 18_000_000


def test_a_refusal_is_a_status() -> None:
    """With its code and its words, in any language."""

    def refuse(*_: Any) -> bytes:
        raise Refusal(Code.ABORTED, "zu spät")

    with served(refuse) as call, pytest.raises(grpc.RpcError) as caught:
        call(b"x")
    assert caught.value.code() is grpc.StatusCode.ABORTED
    assert caught.value.details() == "zu spät"


def test_a_long_refusal_is_shortened() -> None:
    """A status travels in a header, where gRPC takes 8 KB and writes three bytes for one."""

    def refuse(*_: Any) -> bytes:
        raise Refusal(Code.ALREADY_EXISTS, "\u8def" * 9_000)

    with served(refuse) as call, pytest.raises(grpc.RpcError) as caught:
        call(b"x")
    assert caught.value.code() is grpc.StatusCode.ALREADY_EXISTS
    assert set(caught.value.details()) == {"\u8def"}


def test_a_defect_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A bug of ours is no silence: the client gets UNKNOWN, the log the traceback."""
    with served(lambda *_: 1 / 0) as call, pytest.raises(grpc.RpcError) as caught:
        call(b"x")
    assert caught.value.code() is grpc.StatusCode.UNKNOWN
    [record] = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def test_the_deadline_is_the_clients() -> None:
    """In unix seconds, past the end of all days where the client waits for ever."""
    seen: list[float] = []

    def note(_path: str, _request: bytes, deadline: float) -> bytes:
        seen.append(deadline - time.time())
        return b""

    with served(note) as call:
        call(b"x", timeout=30)
        call.channel.unary_unary(METHOD)(b"x")
    assert 25 < seen[0] < 32  # on its way it is rounded up
    assert seen[1] > 1e9


def test_calls_of_many_clients_take_turns() -> None:
    """Each gets its own answer, and no two are answered at the same time."""
    inside = threading.Lock()

    def answer(_path: str, request: bytes, _: float) -> bytes:
        assert inside.acquire(blocking=False)
        inside.release()
        return request

    with served(answer) as call, ThreadPoolExecutor(16) as threads:
        texts = [str(number).encode() for number in range(500)]
        assert list(threads.map(call, texts)) == texts


def test_who_gives_up_keeps_nobody_from_being_served() -> None:
    """A call that is cancelled while it is answered costs the next one nothing but the wait."""
    begun, go_on = threading.Event(), threading.Event()

    def answer(_path: str, request: bytes, _: float) -> bytes:
        if request == b"slow":
            begun.set()
            go_on.wait(10)
        return request

    with served(answer) as call:
        slow = call.future(b"slow")
        assert begun.wait(10)
        slow.cancel()
        go_on.set()
        assert call(b"next") == b"next"
        assert slow.cancelled()


def test_stopping_ends_what_waits_and_frees_the_port() -> None:
    """Calls that were not answered yet fail as cut off; the port can be bound at once."""
    begun, go_on = threading.Event(), threading.Event()

    def answer(*_: Any) -> bytes:
        begun.set()
        go_on.wait(10)
        return b""

    server = SerialServer(answer)
    port = server.bind("127.0.0.1", 0)
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        futures = [channel.unary_unary(METHOD).future(b"x") for _ in range(3)]
        assert begun.wait(10)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        codes = {future.exception(10).code() for future in futures}
        go_on.set()
        stopping.join(10)
    assert not stopping.is_alive()
    assert codes <= {grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE}
    socket.create_server(("127.0.0.1", port)).close()


def test_a_call_without_a_message_is_refused() -> None:
    """A client that streams nothing gets a status, as from grpc's own server."""
    with served(lambda *_: b"") as call, pytest.raises(grpc.RpcError) as caught:
        call.channel.stream_unary(METHOD)(iter([]), timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_many_calls_wait_for_their_turn() -> None:
    """Thousands at once, as a loader sends them: the core gives none of them up."""

    def answer(_path: str, request: bytes, _: float) -> bytes:
        time.sleep(0.0002)  # longer than it takes a client to send the next one
        return request

    with served(answer) as call:
        futures = [call.future(b"x") for _ in range(4_000)]
        assert {future.result(60) for future in futures} == {b"x"}


@pytest.mark.parametrize("outcome", ["no bytes", Refusal(Code.ABORTED, "\udcff" * 10_000)])
def test_an_answer_that_cannot_be_sent_costs_one_call(outcome: Any) -> None:
    """The next one is served, and the server can be stopped."""

    def answer(_path: str, request: bytes, _: float) -> Any:
        if request != b"bad":
            return request
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    with served(answer) as call:
        with pytest.raises(grpc.RpcError):
            call(b"bad", timeout=1)
        assert call(b"next", timeout=10) == b"next"


def test_a_path_that_is_no_text_costs_one_call() -> None:
    """It does not come from a gRPC client, and does not end the server either."""
    names = {":method": b"POST", ":scheme": b"http", ":path": b"/a/\xff\xfe", ":authority": b"x"}
    names |= {"te": b"trailers", "content-type": b"application/grpc"}
    with served(lambda _path, request, _: request) as call, socket.socket() as client:
        client.connect(("127.0.0.1", call.port))
        client.settimeout(10)
        heads = b"".join(header(name.encode(), value) for name, value in names.items())
        client.sendall(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + frame(SETTINGS, 0, 0)
            + frame(HEADERS, END_HEADERS, 1, heads)
        )
        client.sendall(frame(DATA, END_STREAM, 1, b"\0\0\0\0\1x"))
        assert client.recv(10_000)
        assert call(b"next", timeout=10) == b"next"


def test_servers_may_come_and_go() -> None:
    """Whatever the core and the stopping thread do first."""
    for _ in range(300):
        server = SerialServer(lambda *_: b"")
        server.bind("127.0.0.1", 0)
        server.start()
        server.stop()


def test_a_taken_port_is_an_error() -> None:
    """At once, and as every other program says it."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        SerialServer(lambda *_: b"").bind("127.0.0.1", taken.getsockname()[1])
