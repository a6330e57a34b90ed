"""`gae-pusher dev` as a person runs it: one real process with everything in it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gae_pusher.emulator.datastore.google import find
from gae_pusher.errors import ConfigurationError
from tests.conftest import missing
from tests.emulator.appengine.site import wait_until_gone

WAIT_SECONDS = 60

APP = """
import os, gae_pusher
from gae_pusher.tasks import TaskQueue
from gae_pusher.wsgi.tasks import TaskApp

pusher = gae_pusher.Pusher.from_env()
webhooks = gae_pusher.WebhookApp(pusher)
queue = TaskQueue("default")
tasks = TaskApp()

@tasks.on("greet")
def greet(payload):
    print("hello", payload["name"])

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/pusher/webhook":
        return webhooks(environ, start_response)
    if path == "/trigger":
        pusher.trigger("cache-board", "card-added", {"title": "Milk"})
    if path == "/task":
        queue.add("greet", {"name": "task"})
    if path.startswith("/tasks"):
        return tasks(environ, start_response)
    if path == "/count":
        from google.cloud import ndb
        class Counter(ndb.Model):
            n = ndb.IntegerProperty(default=0)
        with ndb.Client().context():
            counter = Counter.get_by_id("c") or Counter(id="c")
            counter.n += 1
            counter.put()
            start_response("200 OK", [])
            return [str(counter.n).encode()]
    start_response("200 OK", [])
    return [str(os.getpgrp()).encode()]
"""


class Dev:
    """A running command; its output is read as JSON lines."""

    def __init__(self, directory: Path, *options: str, **environ: str) -> None:
        command = [sys.executable, "-m", "gae_pusher", "dev", str(directory)]
        ports = ["--port", "0", "--channels-port", "0"]
        self.process = subprocess.Popen(
            [*command, *ports, "--json", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "DATASTORE_EMULATOR_HOST": "", **environ},
        )
        self.ready = self.next("ready")

    def next(self, kind: str, **facts: Any) -> dict[str, Any]:
        """Read on until something of a kind has happened that has these facts."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            activity: dict[str, Any] = json.loads(line)
            if activity["kind"] == kind and facts.items() <= activity.items():
                return activity
        raise AssertionError(f"no {kind}: {self.process.communicate()[1]}")

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.ready["app"] + path, timeout=WAIT_SECONDS) as answer:
            body: bytes = answer.read()
            return body

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(WAIT_SECONDS)


@pytest.fixture
def run_dev(tmp_path: Path) -> Iterator[Callable[..., Dev]]:
    """Run an app in a folder of its own; what still runs after the test is stopped."""
    (tmp_path / "app.yaml").write_text("runtime: python311\n")
    (tmp_path / "main.py").write_text(APP)
    with ExitStack() as stack:

        def run(*options: str, **environ: str) -> Dev:
            dev = Dev(tmp_path, *options, **environ)
            stack.enter_context(dev.process)
            stack.callback(dev.process.terminate)
            return dev

        yield run


def test_everything_is_wired_together(run_dev: Callable[..., Dev]) -> None:
    """The app triggers events and gets its tasks, whose headers it trusts; each is told."""
    dev = run_dev("--datastore", "none")
    dev.get("/trigger?x=1")
    dev.next("event", channel="cache-board", event="card-added")
    dev.next("request", path="/trigger?x=1", status=200, served_by="app")
    dev.get("/task")
    assert dev.next("output", source="app")["text"] == "hello task"
    assert dev.next("task")["status"] == 200
    status = urllib.request.urlopen(dev.ready["inspector"], timeout=WAIT_SECONDS).status
    assert status == 200
    assert dev.stop() == 0


def test_jobs_of_cron_yaml_run(run_dev: Callable[..., Dev], tmp_path: Path) -> None:
    """The table names the page that runs them, and each run is told and kept for the inspector."""
    (tmp_path / "cron.yaml").write_text("cron:\n- url: /count-up\n  schedule: every 24 hours\n")
    dev = run_dev("--datastore", "none")
    request = urllib.request.Request(
        dev.ready["cron"], b'{"url": "/count-up"}', {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["status"] == 200
    assert dev.next("cron")["url"] == "/count-up"


def test_webhooks_reach_the_app(run_dev: Callable[..., Dev]) -> None:
    """A subscription makes the local server send channel_occupied, signed so that it is taken."""
    dev = run_dev("--datastore", "none")

    async def subscribe() -> None:
        async with aiohttp.ClientSession() as session:
            url = f"{dev.ready['websocket']}?protocol=7&client=js&version=8.4.0"
            async with session.ws_connect(url) as ws:
                await ws.receive_json()
                await ws.send_json({"event": "pusher:subscribe", "data": {"channel": "board"}})
                await ws.receive_json()
                await asyncio.to_thread(dev.next, "webhook", status=200)

    asyncio.run(asyncio.wait_for(subscribe(), WAIT_SECONDS))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(run_dev: Callable[..., Dev], number: signal.Signals) -> None:
    """The exit code is 0, nothing is printed to stderr, and no process of the app is left."""
    dev = run_dev("--datastore", "none")
    group = int(dev.get("/"))
    assert dev.stop(number) == 0
    wait_until_gone(group)
    assert dev.process.stderr is not None
    assert dev.process.stderr.read() == ""


def test_the_embedded_datastore_is_the_default_and_kept(
    run_dev: Callable[..., Dev], tmp_path: Path
) -> None:
    """What was stored is there at the next run, in a folder that git ignores."""
    for expected in (b"1", b"2"):
        dev = run_dev()
        assert dev.get("/count") == expected
        assert dev.stop() == 0
    kept = tmp_path / ".gae_pusher"
    assert (kept / ".gitignore").read_text() == "*\n"
    assert (kept / "datastore.sqlite3").is_file()


def test_google_s_datastore_is_started_kept_and_stopped(
    run_dev: Callable[..., Dev], tmp_path: Path
) -> None:
    """What was stored is there at the next run, in a folder that git ignores; java is gone."""
    try:
        find()
    except ConfigurationError as error:
        missing(str(error))
    for expected in (b"1", b"2"):
        dev = run_dev("--datastore", "google")
        host, port = dev.ready["datastore"].split(":")
        assert dev.get("/count") == expected
        assert dev.stop() == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)))
    assert (tmp_path / ".gae_pusher" / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("option", ["--port", "--channels-port"])
def test_a_taken_port_is_one_line(tmp_path: Path, option: str) -> None:
    """The port and the option that changes it are named; the exit code is 1."""
    (tmp_path / "app.yaml").write_text("runtime: python311\n")
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = str(other.getsockname()[1])
        command = [sys.executable, "-m", "gae_pusher", "dev", str(tmp_path), "--datastore", "none"]
        free = ["--port", "0", "--channels-port", "0"]
        done = subprocess.run(
            [*command, *free, option, port], capture_output=True, text=True, timeout=WAIT_SECONDS
        )
    assert done.returncode == 1
    assert done.stderr == (
        f"gae-pusher: port {port} of 127.0.0.1 is taken: stop what listens there, "
        f"or choose another with {option}\n"
    )


def test_a_bad_app_yaml_is_one_line(tmp_path: Path) -> None:
    """File and line, and no traceback."""
    (tmp_path / "app.yaml").write_text("runtime: python311\nhandlers: 5\n")
    command = [sys.executable, "-m", "gae_pusher", "dev", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_SECONDS)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("gae-pusher: app.yaml:2: handlers must be a list")


def test_it_stops_when_nobody_reads_any_more(run_dev: Callable[..., Dev]) -> None:
    """`gae-pusher dev | head` leaves nothing running."""
    dev = run_dev("--datastore", "none", "--no-reload")
    group = int(dev.get("/"))
    assert dev.process.stdout is not None
    dev.process.stdout.close()
    dev.get("/")
    assert dev.process.wait(WAIT_SECONDS) == 0
    wait_until_gone(group)


def test_a_host_for_everybody_is_warned_about(run_dev: Callable[..., Dev]) -> None:
    """stderr says that it is open to the network; the app's own port is not."""
    dev = run_dev("--datastore", "none", "--host", "0.0.0.0")
    dev.get("/")
    dev.stop()
    assert dev.process.stderr is not None
    assert dev.process.stderr.read().startswith("warning: listening on 0.0.0.0")
