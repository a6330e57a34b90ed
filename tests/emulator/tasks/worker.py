"""A real HTTP server that is sent tasks and answers as it was told."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WAIT_SECONDS = 10


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """A status, or one of the ways in which a worker can fail to answer.

    `fault`: "reset" before the answer, "cut" in the middle of its body, "stall" until `release`.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    fault: str = ""


class Worker(ThreadingHTTPServer):
    """Answers with the scripted answers in turn, with 200 when there is none left."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[Received] = []
        self.script: list[Answer] = []
        self.changed = threading.Condition()
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def wait(self, count: int) -> list[Received]:
        """All requests so far, once there are `count`."""
        with self.changed:
            arrived = self.changed.wait_for(lambda: len(self.received) >= count, WAIT_SECONDS)
            assert arrived, f"{len(self.received)} of {count} requests came"
            return list(self.received)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The emulator may hang up; that is no error here."""


class _Handler(BaseHTTPRequestHandler):
    server: Worker

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65_537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.server.changed:
            request = Received(self.command, self.path, dict(self.headers.items()), body)
            self.server.received.append(request)
            answer = self.server.script.pop(0) if self.server.script else Answer()
            self.server.changed.notify_all()
        self._answer(answer)
        self.close_connection = True

    def _answer(self, answer: Answer) -> None:
        if answer.fault == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return
        if answer.fault == "stall":
            self.server.release.wait(WAIT_SECONDS)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "100" if answer.fault == "cut" else "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def running_worker() -> Iterator[Worker]:
    worker = Worker()
    thread = threading.Thread(target=worker.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield worker
    finally:
        worker.release.set()
        worker.shutdown()
        thread.join()
        worker.server_close()
