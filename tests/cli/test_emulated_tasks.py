"""`gae-pusher emulators --only tasks`: what it says, what it serves, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gae_pusher import TaskQueue
from gae_pusher.cli import emulators
from gae_pusher.cli.emulated_tasks import TasksPlan, plan_tasks
from tests.emulator.tasks.worker import running_worker

COMMAND = [sys.executable, "-m", "gae_pusher", "emulators"]
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("PUSHER_")}


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command and the first line that it said."""
    process = subprocess.Popen(
        [*COMMAND, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRON,
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


def test_the_default_plan() -> None:
    """Without options it listens on 8123 for an app on 8080."""
    parser = ArgumentParser()
    emulators.register(parser.add_subparsers())
    planned = plan_tasks(parser.parse_args(["emulators"]))
    assert planned == TasksPlan("127.0.0.1", 8123, "http://127.0.0.1:8080", None)


def test_tasks_reach_the_target(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Started alone with a queue.yaml it serves those queues; a signal ends it with 0."""
    file = tmp_path / "queue.yaml"
    file.write_text("queue:\n- name: imports\n  rate: 100/s\n")
    with (
        running_worker() as worker,
        running(
            *("--only", "tasks", "--tasks-port", "0"),
            *("--target", worker.url, "--queue-yaml", str(file)),
        ) as (process, line),
    ):
        address = line.split("CLOUD_TASKS_EMULATOR_HOST=")[1].split()[0]
        assert line == f"Cloud Tasks is at CLOUD_TASKS_EMULATOR_HOST={address} for {worker.url}\n"
        monkeypatch.setenv("CLOUD_TASKS_EMULATOR_HOST", address)
        TaskQueue("imports", project="demo").add("import-cards", 1)
        assert worker.wait(1)[0].path == "/tasks/import-cards"
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=10) == ("", "")
        assert process.returncode == 0


def test_all_emulators_tell_in_one_line_of_json() -> None:
    """Without --only there are Channels, Datastore and Cloud Tasks."""
    ports = [f"--{name}-port=0" for name in ("channels", "datastore", "tasks")]
    with running("--json", *ports) as (_, line):
        ready = json.loads(line)
    assert ready["apps"][0]["key"] == "local-key"
    assert ready["tasks"]["target"] == "http://127.0.0.1:8080"
    assert ready["tasks"]["address"].startswith("127.0.0.1:")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--target", "localhost:8080"], "the target of tasks is 'localhost:8080'"),
        (["--queue-yaml", "no-such-file"], "no-such-file"),
        (["--tasks-port", "TAKEN"], "is taken: stop what listens there, or choose another with"),
    ],
)
def test_what_cannot_be_done_is_one_line(options: list[str], words: str) -> None:
    """Exit code 1 and a line that says what to do, never a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        options = [port if option == "TAKEN" else option for option in options]
        done = subprocess.run(
            [*COMMAND, "--only", "tasks", *options], capture_output=True, text=True, timeout=20
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_missing_library_is_named() -> None:
    """Without google-cloud-tasks the command says how to install it."""
    program = (
        "import sys; sys.modules['google.cloud.tasks_v2'] = None; "
        "from gae_pusher.cli import main; sys.exit(main(['emulators', '--only', 'tasks']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 1
    assert "pip install 'gae-pusher[emulators]'" in done.stderr
    assert "Traceback" not in done.stderr
