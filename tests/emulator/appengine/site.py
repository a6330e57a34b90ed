"""A small real app behind a real front door, for synchronous tests."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any

from gae_pusher.emulator.activity import Activity
from gae_pusher.emulator.appengine.server import AppEngineServer

WAIT_SECONDS = 20

# Answers with what it was asked, as JSON; its version is in the answer.
ECHO_APP = """
import json, os

def app(environ, start_response):
    body = environ["wsgi.input"].read()
    answer = {
        "version": 1,
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "query": environ["QUERY_STRING"],
        "read": len(body),
        "group": os.getpgrp(),
        "headers": {k[5:]: v for k, v in environ.items() if k.startswith("HTTP_")},
        "environ": dict(os.environ),
    }
    start_response("200 OK", [("Content-Type", "application/json"), ("X-App", "1")])
    return [json.dumps(answer).encode()]
"""

APP_YAML = "runtime: python311\n"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: HTTPMessage
    body: bytes


class Site:
    """A running AppEngineServer; every method may be called from the test's thread."""

    def __init__(self, directory: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.directory = directory
        self.activities: list[Activity] = []
        self._loop = loop
        self._changed = threading.Condition()
        self.server = AppEngineServer(directory, "demo-test", dict(os.environ), self._tell)

    def start(self, services: dict[str, str] | None = None) -> None:
        self.run(self.server.listen())
        self.run(self.server.run(services or {}))

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(WAIT_SECONDS)

    def request(
        self,
        path: str,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Reply:
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=WAIT_SECONDS)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def wait_for(self, kind: str, text: str, since: int = 0) -> Activity:
        """The first activity of a kind, after `since` others, whose facts contain a text."""

        def found() -> Activity | None:
            of_kind = (a for a in self.activities[since:] if a.kind == kind)
            return next((a for a in of_kind if text in str(a.facts)), None)

        with self._changed:
            assert self._changed.wait_for(lambda: found() is not None, WAIT_SECONDS), (
                f"no {kind} with {text!r} in {self.activities[since:]}"
            )
        activity = found()
        assert activity is not None
        return activity

    def change_until_restarted(self, name: str, text: str) -> None:
        """Write a file until it is noticed: the watcher needs a moment before it sees anything."""
        since = len(self.activities)
        deadline = time.monotonic() + WAIT_SECONDS
        with self._changed:
            while not self._restarting(since):
                assert time.monotonic() < deadline, "the change was not noticed"
                self.write(name, text)
                self._changed.wait_for(lambda: self._restarting(since), 2)

    def _restarting(self, since: int) -> bool:
        return any("restarting the app" in str(a.facts) for a in self.activities[since:])

    def _tell(self, activity: Activity) -> None:
        with self._changed:
            self.activities.append(activity)
            self._changed.notify_all()


@contextmanager
def loop_in_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def make_site(directory: Path, files: dict[str, str]) -> Iterator[Site]:
    """A site that is not started yet; it is stopped in any case."""
    for name, text in {"app.yaml": APP_YAML, "main.py": ECHO_APP, **files}.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    with loop_in_thread() as loop:
        site = Site(directory, loop)
        try:
            yield site
        finally:
            site.run(site.server.stop())


def wait_until_gone(group: int) -> None:
    """Wait until a process group has no member: the dead must be reaped by init first."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError(f"process group {group} is still there")


SiteMaker = Callable[..., Site]
