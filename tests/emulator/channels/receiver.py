"""An HTTP server that takes webhooks, as an application would."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class Hook:
    """One request as it arrived: header names as they were spelled."""

    headers: list[tuple[str, str]]
    body: bytes

    @property
    def events(self) -> list[dict[str, Any]]:
        return json.loads(self.body)["events"]


class Receiver:
    """What has arrived, and what is to be answered: `statuses` in turn, then 200."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.hooks: list[Hook] = []
        self.statuses: list[int] = []
        self.stall = threading.Event()
        self.stall.set()
        self._changed = threading.Condition()

    def take(self, hook: Hook) -> int:
        with self._changed:
            self.hooks.append(hook)
            self._changed.notify_all()
            status = self.statuses.pop(0) if self.statuses else 200
        self.stall.wait(WAIT_SECONDS)
        return status

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for hook in self.hooks for event in hook.events]

    def wait(self, hooks: int) -> list[Hook]:
        """Wait until so many requests have arrived."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.hooks) >= hooks, WAIT_SECONDS)
            return list(self.hooks)

    def wait_for_events(self, *names: str) -> list[dict[str, Any]]:
        """Wait until events of these names have arrived; all events so far."""
        with self._changed:

            def there() -> bool:
                return set(names) <= {event["name"] for event in self.events}

            assert self._changed.wait_for(there, WAIT_SECONDS), self.events
            return self.events


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take(Hook(self.headers.items(), body))
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{httpd.server_port}/hooks")
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.stall.set()
        httpd.shutdown()
        thread.join()
        httpd.server_close()
