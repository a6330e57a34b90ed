"""Drives the official JavaScript clients, which run under Node in tests/node/peer.mjs."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from gae_pusher.emulator.channels import App, frames
from gae_pusher.testing.channels import RunningServer

SCRIPT = Path(__file__).parents[2] / "node" / "peer.mjs"
WAIT_SECONDS = 15.0
ANYTHING: Any = object()


class PeerError(Exception):
    """What a client threw; `status` and `body` when the HTTP API had answered."""

    def __init__(self, message: str, status: int | None, body: str | None) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class Peer:
    """The child process. `wait` looks at what the clients said, from the beginning."""

    def __init__(self, process: subprocess.Popen[str], server: RunningServer) -> None:
        self._process = process
        self._ids = count(1)
        self._changed = threading.Condition()
        self.news: list[dict[str, Any]] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._ended = False
        self.server = server
        threading.Thread(target=self._listen, daemon=True).start()

    def do(self, command: str, **options: Any) -> Any:
        """Run a command and return its result. Raises PeerError."""
        number = next(self._ids)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": number, "do": command, **options}) + "\n")
        self._process.stdin.flush()
        answer = self._await(lambda: self._answers.get(number), f"an answer to {command}")
        if "error" in answer:
            raise PeerError(answer["error"], answer["status"], answer["body"])
        return answer["result"]

    def connect(self, client: str, app: App | None = None, **options: Any) -> str:
        """Connect a client and return its socket id."""
        self.start(client, app, **options)
        self.wait(client, "connection", "connected")
        return str(self.do("socket_id", client=client))

    def start(self, client: str, app: App | None = None, **options: Any) -> None:
        """Let a client connect without waiting for success."""
        self.do("connect", client=client, **{**self._credentials(app), **options})

    def sdk(self, method: str, *args: Any, app: App | None = None, **options: Any) -> Any:
        """Call the Node server SDK; the parsed answer."""
        options = {**self._credentials(app), **options}
        answer = self.do("server", method=method, args=args, **options)
        assert answer["status"] == 200
        return json.loads(answer["body"])

    def verify_webhook(self, headers: list[tuple[str, str]], body: str) -> Any:
        """What the Node server SDK thinks of a webhook."""
        return self.do("webhook", headers=headers, body=body, **self._credentials(None))

    def subscribe(self, client: str, channel: str) -> Any:
        """Subscribe and wait for the success; its data."""
        seen = len(self.news)
        self.do("subscribe", client=client, channel=channel)
        return self.wait(client, channel, "pusher:subscription_succeeded", after=seen)

    def sign_in(self, client: str, user_id: str) -> None:
        """Sign in and wait until the client has subscribed to its server-to-user channel."""
        self.do("signin", client=client)
        frame = frames.subscription_succeeded(f"#server-to-user-{user_id}")
        socket_ids = [self.do("socket_id", client=client)]
        self.server.wait_for("frame", text=frame, socket_ids=socket_ids)

    def wait(
        self, client: str, source: str, event: str, data: Any = ANYTHING, *, after: int = 0
    ) -> Any:
        """The data of the first such news after a position, waiting for it if need be."""

        def found() -> dict[str, Any] | None:
            for news in self.news[after:]:
                named = (news.get("client"), news.get("from"), news.get("event"))
                if named == (client, source, event) and data in (ANYTHING, news["data"]):
                    return news
            return None

        return self._await(found, f"{client} {source} {event}")["data"]

    def seen(self, client: str, source: str, event: str) -> list[Any]:
        """The data of all such news so far."""
        wanted = (client, source, event)
        return [
            news["data"]
            for news in self.news
            if (news.get("client"), news.get("from"), news.get("event")) == wanted
        ]

    def _credentials(self, app: App | None) -> dict[str, Any]:
        app = app or self.server.app
        return {
            "appId": app.id,
            "key": app.key,
            "secret": app.credentials[0].secret,
            "host": self.server.host,
            "port": self.server.port,
        }

    def _await(self, found: Callable[[], Any], what: str) -> Any:
        with self._changed:
            self._changed.wait_for(lambda: found() is not None or self._ended, WAIT_SECONDS)
            if found() is None:
                raise TimeoutError(f"no {what}; the clients said {self.news}")
            return found()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            with self._changed:
                if "id" in message:
                    self._answers[message["id"]] = message
                else:
                    self.news.append(message)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


@contextmanager
def peer(node: str, server: RunningServer) -> Iterator[Peer]:
    """Run the clients against a server."""
    process = subprocess.Popen(
        [node, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Peer(process, server)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(WAIT_SECONDS)
        assert process.stdout is not None
        process.stdout.close()
