"""`gae-pusher emulators --only datastore`: what it says, what it serves, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from argparse import ArgumentParser
from pathlib import Path

import pytest

from gae_pusher.cli import emulators
from gae_pusher.cli.emulated_datastore import DatastorePlan, plan_datastore
from gae_pusher.errors import ConfigurationError
from tests.cli.test_emulated_tasks import COMMAND, ENVIRON, running
from tests.emulator.datastore.raw import Raw

ONLY = ("--only", "datastore", "--datastore-port", "0")


def planned(*options: str) -> DatastorePlan:
    parser = ArgumentParser()
    emulators.register(parser.add_subparsers())
    return plan_datastore(parser.parse_args(["emulators", *options]))


def test_plans(tmp_path: Path) -> None:
    """Without options it listens on 8081, in memory; every option has its place."""
    defaults = DatastorePlan("127.0.0.1", 8081, "demo-local", None, None, None, 0)
    assert planned() == defaults
    (tmp_path / "index.yaml").write_text("indexes:")
    given = planned(
        *("--datastore-port", "0", "--project", "p", "--data", "d", "--query-delay", "1.5"),
        *("--require-indexes", str(tmp_path / "index.yaml"), "--suggest-indexes", "s"),
    )
    assert given == DatastorePlan("127.0.0.1", 0, "p", Path("d"), "indexes:", Path("s"), 1.5)
    with pytest.raises(ConfigurationError, match="from 0 to 3600 seconds"):
        planned("--query-delay", "-1")


def test_data_and_suggestions_stay(tmp_path: Path) -> None:
    """A signal ends it with 0; entities are there in the next run, suggestions in their file."""
    data, suggested = tmp_path / "data", tmp_path / "index.yaml"
    options = (*ONLY, "--project", "p", "--data", str(data), "--suggest-indexes", str(suggested))
    for run in range(2):
        with running(*options, "--json") as (process, line):
            told = json.loads(line)["datastore"]
            assert told["environment"]["GOOGLE_CLOUD_PROJECT"] == "p"
            assert told["environment"]["DATASTORE_EMULATOR_HOST"] == told["address"]
            raw = Raw(told["address"], "p")
            if run == 0:
                raw.put(raw.entity(raw.key("T", 1), a=1, b=2))
            assert raw.names("T", ("a", "=", 1), ["b"]) == [1]
            raw.close()
            process.send_signal(signal.SIGTERM)
            assert process.communicate(timeout=10) == ("", "")
            assert process.returncode == 0
    assert suggested.read_text().startswith("indexes:\n\n- kind: T\n")


def test_an_environment_file(tmp_path: Path) -> None:
    """The variables of all emulators are in a file that only its owner may read."""
    file = tmp_path / ".env"
    ports = [f"--{name}-port=0" for name in ("channels", "datastore", "tasks")]
    with running(*ports, "--env-file", str(file)):
        lines = dict(line.split("=", 1) for line in file.read_text().splitlines())
    assert lines["PUSHER_URL"].startswith("http://local-key:local-secret@127.0.0.1:")
    assert lines["DATASTORE_EMULATOR_HOST"].startswith("127.0.0.1:")
    assert lines["CLOUD_TASKS_EMULATOR_HOST"].startswith("127.0.0.1:")
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--datastore-port", "TAKEN"], "or choose another with --datastore-port"),
        (["--data", "FOLDER"], "cannot keep a Datastore's data in"),
        (["--require-indexes", "no-such-file"], "no-such-file"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path: Path, options: list[str], words: str) -> None:
    """Exit code 1 and a line that says what to do, never a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        stands_for = {"TAKEN": str(taken.getsockname()[1]), "FOLDER": str(tmp_path)}
        options = [stands_for.get(option, option) for option in options]
        command = [*COMMAND, *ONLY, *options]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=20, env=ENVIRON, check=False
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
