"""A gRPC server that answers on one thread, one call after the other.

grpc's own Python server hands each call to a second thread and back, twice, which takes longer
than nearly all that this Datastore has to do for one. This server stands beside it on the same
binding to grpc's core. That binding is not public, but what is used of it here is what grpc's own
server is made of: it is the same from grpcio 1.49 to 1.85 (2022 to 2026), with both of which this
was tested.
"""

from __future__ import annotations

import errno
import logging
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import grpc
from grpc._cython import cygrpc

from gae_pusher.emulator.datastore.refusals import Code, Refusal

__all__ = ["SerialServer"]

logger = logging.getLogger("gae_pusher")

# What is called with a method's path, the request, and when the client gives up, in unix seconds.
Answer = Callable[[str, bytes, float], bytes]

_NO_FLAGS: Final = 0
_NO_METADATA: Final = ()
_ANY_NUMBER: Final = 2**31 - 1
_A_MONTH_IN_SECONDS: Final = 30 * 24 * 3600
_MESSAGE_BYTES: Final = 2_000  # a status travels in a header of at most 8 KB, three for one byte
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # Without it a second server could be bound to the same port, and get half of the calls.
    ("grpc.so_reuseport", 0),
    # Calls wait their turn. Else the core gives up those beyond some number or half a minute.
    ("grpc.server.max_pending_requests", _ANY_NUMBER),
    ("grpc.server.max_pending_requests_hard_limit", _ANY_NUMBER),
    ("grpc.server_max_unrequested_time_in_server", _A_MONTH_IN_SECONDS),
)


class SerialServer:
    """Serves unary calls: what `answer` returns, or the Refusal that it raises."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._core = cygrpc.Server(_OPTIONS, False)
        self._events = cygrpc.CompletionQueue()
        self._core.register_completion_queue(self._events)
        self._lock = threading.Lock()
        self._stopping = False
        self._stopped = False
        self._due = 0  # operations of the core that have not come back; of the serving thread
        self._thread = threading.Thread(target=self._serve, name="datastore", daemon=True)

    def bind(self, host: str, port: int) -> int:
        """Listen at that address, and the port of it. Raises OSError when it is taken."""
        # The core would say that on stderr, in words of its own.
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
        address = f"[{host}]:{port}" if family == socket.AF_INET6 else f"{host}:{port}"
        bound: int = self._core.add_http2_port(address.encode())
        if not bound:
            raise OSError(errno.EADDRINUSE, f"cannot listen on {address}")
        return bound

    def start(self) -> None:
        """Serve, on a thread of its own."""
        self._core.start()
        self._await_call()
        self._thread.start()

    def stop(self) -> None:
        """End the calls that are under way, and wait until the port is free."""
        with self._lock:
            self._stopping = True
            self._core.shutdown(self._events, self._shut)
            self._core.cancel_all_calls()
        self._thread.join()

    def _serve(self) -> None:
        while self._due or not self._stopped:
            event = self._events.poll()
            try:
                event.tag(event)
            except Exception:  # one call fails, not the server
                logger.exception("the Datastore could not take or answer a call")
            del event  # it holds its call, and the core waits for that when it stops
        with self._lock:  # not before `stop` is through with the core
            self._core.destroy()

    def _shut(self, _event: Any) -> None:
        self._stopped = True

    def _await_call(self) -> None:
        with self._lock:
            if not self._stopping:
                self._core.request_call(self._events, self._events, self._begin)
                self._due += 1

    def _begin(self, event: Any) -> None:
        self._due -= 1
        if not event.success:  # the server stops
            return
        self._await_call()
        call, details = event.call, event.call_details
        respond = partial(
            self._respond, call, details.method.decode("utf-8", "replace"), details.deadline
        )
        self._do(call, [cygrpc.ReceiveCloseOnServerOperation(_NO_FLAGS)], self._came_back)
        self._do(call, [cygrpc.ReceiveMessageOperation(_NO_FLAGS)], respond)

    def _respond(self, call: Any, method: str, deadline: float, event: Any) -> None:
        self._due -= 1
        operations = [cygrpc.SendInitialMetadataOperation(_NO_METADATA, _NO_FLAGS)]
        operations += self._outcome(method, event.batch_operations[0].message(), deadline)
        self._do(call, operations, self._came_back)

    def _outcome(self, method: str, request: bytes | None, deadline: float) -> list[Any]:
        try:
            if request is None:  # or the client went away, and nobody reads this
                raise Refusal(Code.UNIMPLEMENTED, f"{method} takes one message, none came")
            answer = self._answer(method, request, deadline)
        except Refusal as refusal:
            return [_status(grpc.StatusCode[refusal.code.value], refusal.message)]
        except BaseException:  # nobody else could make anything of it on this thread
            logger.exception("the Datastore failed at %s", method)
            return [_status(grpc.StatusCode.UNKNOWN, "the emulator failed: see its log")]
        return [cygrpc.SendMessageOperation(answer, _NO_FLAGS), _status(grpc.StatusCode.OK, "")]

    def _do(self, call: Any, operations: list[Any], then: Callable[[Any], None]) -> None:
        call.start_server_batch(operations, then)
        self._due += 1

    def _came_back(self, _event: Any) -> None:
        self._due -= 1


def _status(code: grpc.StatusCode, message: str) -> Any:
    text = message.encode("utf-8", "replace")[:_MESSAGE_BYTES].decode("utf-8", "ignore")
    return cygrpc.SendStatusFromServerOperation(
        _NO_METADATA, code.value[0], text.encode(), _NO_FLAGS
    )
