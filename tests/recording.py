"""A small HTTP server that keeps what it was asked and answers what it was told to."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Call:
    """One request as it arrived, its query percent-decoded."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass
class Recorder:
    """Where the server is, what it got, and what it answers next (200 and `{}` by default)."""

    port: int
    calls: list[Call] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)

    def app(self, **options: Any) -> dict[str, Any]:
        """The arguments of a Pusher that talks to this server."""
        return {
            "app_id": "4242",
            "key": "9c1e7f0a2b3d4e5f6071",
            "secret": "0f1e2d3c4b5a69788796",
            "ssl": False,
            "host": "127.0.0.1",
            "port": self.port,
        } | options

    def take(self) -> Call:
        """The one request since the last time."""
        (call,) = self.calls
        self.calls.clear()
        return call


@contextmanager
def recording_server(tls: ssl.SSLContext | None = None) -> Iterator[Recorder]:
    """Run the server on a free port for the duration of a `with` block."""
    recorder = Recorder(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            headers = {name.lower(): value for name, value in self.headers.items()}
            recorder.calls.append(Call(self.command, parts.path, query, headers, body))
            status, text = recorder.answers.pop(0) if recorder.answers else (200, b"{}")
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = answer

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        recorder.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield recorder
        finally:
            server.shutdown()
            thread.join()
