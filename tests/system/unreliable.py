"""A Channels server that answers, refuses, resets, stalls and talks nonsense, by chance."""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

STALL_SECONDS: Final = 1.0

# What happens to a request, and how often: accepted or not, then answered or not.
FAULTS: Final = {
    "accepted": 74,
    "accepted, then reset": 4,
    "accepted, then stalled": 2,
    "accepted, then nonsense": 2,
    "500": 6,
    "503": 3,
    "429": 3,
    "reset": 4,
    "stalled": 2,
}


class Arrivals:
    """What was accepted, in order, and how the requests went."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.data: list[dict[str, Any]] = []
        self.outcomes: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, body: dict[str, Any]) -> str:
        """Decide what happens to a request, and keep its events if they are accepted."""
        with self._lock:
            (outcome,) = self.random.choices(list(FAULTS), list(FAULTS.values()))
            self.outcomes[outcome] += 1
            if outcome.startswith("accepted"):
                self.data += [json.loads(item["data"]) for item in body.get("batch", [body])]
            return outcome


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is nothing to print."""


@contextmanager
def unreliable_channels(seed: int) -> Iterator[tuple[int, Arrivals]]:
    """Run one for the duration of a `with` block; gives its port and what arrived."""
    arrivals = Arrivals(seed)
    stopped = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            body = self.rfile.read(size)
            if len(body) < size:
                return  # the sender died in the middle
            outcome = arrivals.take(json.loads(body))
            if "stalled" in outcome:
                stopped.wait(STALL_SECONDS)
            if "stalled" in outcome or "reset" in outcome:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
                return
            text = b"<html>" if "nonsense" in outcome else b"{}"
            self.send_response(int(outcome) if outcome.isdecimal() else 200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1], arrivals
        finally:
            stopped.set()
            server.shutdown()
            thread.join()
