"""HTTP servers for tests that do what a list of values says, faults included."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Received:
    """One request as it came in; `connection` counts from 1."""

    connection: int
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def params(self) -> dict[str, str]:
        """The decoded query."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}


@dataclass(frozen=True)
class Answer:
    """A whole answer. With `closes` the connection is closed after it, unannounced."""

    status: int = 200
    body: bytes = b"{}"
    headers: tuple[str, ...] = ()
    closes: bool = False


@dataclass(frozen=True)
class Raw:
    """These bytes instead of an answer, then the end of the connection."""

    data: bytes = b""
    reset: bool = False


@dataclass(frozen=True)
class Stall:
    """No answer until the server stops."""


@dataclass(frozen=True)
class Trickle:
    """An answer that comes in single bytes, without an end, `head` at once."""

    head: bytes = b""
    pace_seconds: float = 0.05


@dataclass(frozen=True)
class Endless:
    """An answer whose body never ends."""


Step = Answer | Raw | Stall | Trickle | Endless


class Server:
    """Accepts connections on a free loopback port and gives each one a thread."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.closed = threading.Semaphore(0)  # released for each connection that we closed
        self._context = context
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Server:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)

    def serve(self, connection: socket.socket, number: int) -> None:
        """Handle one connection; it is closed afterwards."""
        raise AssertionError("a server does something with its connections")

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.add(connection)
                arguments = (connection, self.connections)
            thread = threading.Thread(target=self._handle, args=arguments, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _handle(self, plain: socket.socket, number: int) -> None:
        connection = plain
        with suppress(OSError, ValueError):
            if self._context is not None:
                connection = self._context.wrap_socket(plain, server_side=True)
                with self._lock:
                    self._open.add(connection)
            self.serve(connection, number)
        with self._lock:
            self._open -= {plain, connection}
        connection.close()
        self.closed.release()


class ScriptedServer(Server):
    """Takes one step of the script for each request, then plain successes."""

    def __init__(self, script: Iterable[Step] = (), context: ssl.SSLContext | None = None) -> None:
        super().__init__(context)
        self.requests: list[Received] = []
        self.arrived = threading.Semaphore(0)  # released for each request
        self.bytes_sent = 0
        self._script = deque(script)

    def serve(self, connection: socket.socket, number: int) -> None:
        """Answer requests until a step ends the connection or the client does."""
        with connection.makefile("rb") as reader:
            while (request := read_request(reader, number)) is not None:
                with self._lock:
                    self.requests.append(request)
                    step = self._script.popleft() if self._script else Answer()
                self.arrived.release()
                if not self._act(step, connection):
                    return

    def _act(self, step: Step, connection: socket.socket) -> bool:
        match step:
            case Answer():
                connection.sendall(_written(step))
                return not step.closes
            case Raw():
                connection.sendall(step.data)
                if step.reset:
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            case Stall():
                self._stopped.wait(PATIENCE_SECONDS)
            case Trickle():
                connection.sendall(step.head)
                while not self._stopped.wait(step.pace_seconds):
                    connection.sendall(b"x")
            case Endless():
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
                while not self._stopped.is_set():
                    self.bytes_sent += connection.send(b" " * 65_536)
        return False


class MuteServer(Server):
    """Takes connections and says nothing."""

    def serve(self, connection: socket.socket, number: int) -> None:
        """Wait until the server stops."""
        self._stopped.wait(PATIENCE_SECONDS)


@dataclass
class ForwardProxy(Server):
    """A proxy: tunnels CONNECT, forwards absolute URLs, or refuses with `status`."""

    status: int = 200
    requests: list[Received] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def serve(self, connection: socket.socket, number: int) -> None:
        """Serve one request, then copy bytes both ways."""
        with connection.makefile("rb", buffering=0) as reader:
            request = read_request(reader, number)
        if request is None:
            return
        self.requests.append(request)
        if self.status != 200:
            connection.sendall(_written(Answer(self.status)))
            return
        tunnel = request.method == "CONNECT"
        url = urlsplit(f"//{request.target}" if tunnel else request.target)
        with socket.create_connection(("127.0.0.1", url.port or 80)) as upstream:
            if tunnel:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n")
            else:
                upstream.sendall(_forwarded(request, f"{url.path}?{url.query}"))
            other = threading.Thread(target=_copy, args=(connection, upstream), daemon=True)
            other.start()
            _copy(upstream, connection)
            other.join(PATIENCE_SECONDS)


def read_request(reader: object, number: int) -> Received | None:
    """One request off a socket's file, None at its end."""
    line = reader.readline().decode("latin-1")  # type: ignore[attr-defined]
    if not line:
        return None
    method, target, _ = line.split()
    headers = {}
    while line := reader.readline().decode("latin-1").strip():  # type: ignore[attr-defined]
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", 0)))  # type: ignore[attr-defined]
    return Received(number, method, target, headers, body)


def _written(answer: Answer) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} Status",
        "Content-Type: application/json",
        f"Content-Length: {len(answer.body)}",
        *answer.headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + answer.body


def _forwarded(request: Received, target: str) -> bytes:
    headers = [f"{name}: {value}" for name, value in request.headers.items()]
    lines = [f"{request.method} {target} HTTP/1.1", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + request.body


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
