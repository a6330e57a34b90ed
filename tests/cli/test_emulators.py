"""`gae-pusher emulators`: what it says, what it serves, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from gae_pusher.cli import emulators, main
from gae_pusher.cli.emulators import Plan, plan
from gae_pusher.emulator.channels import DEVELOPMENT_APP, App, Settings, WebhookEndpoint
from gae_pusher.errors import ConfigurationError
from gae_pusher.sansio.signing import Credentials

EMULATORS = [sys.executable, "-m", "gae_pusher", "emulators"]
COMMAND = [*EMULATORS, "--only", "channels", "--channels-port", "0"]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("PUSHER_")}


def parsed(*options: str) -> Namespace:
    parser = ArgumentParser()
    emulators.register(parser.add_subparsers())
    return parser.parse_args(["emulators", *options])


@contextmanager
def running(*options: str, **environ: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command and the line that it said when it was ready."""
    process = subprocess.Popen(
        [*COMMAND, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=CLEAN | environ,
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


def test_default_plan() -> None:
    """Without options it is the development app on this machine's port 6001."""
    assert plan(parsed(), {}) == Plan(
        (DEVELOPMENT_APP,), Settings(), "127.0.0.1", 6001, shows_secret=True
    )


def test_environment_is_the_app() -> None:
    """A PUSHER_URL of this machine gives app and port; options go before it."""
    environ = {"PUSHER_URL": "http://k:s@localhost:6002/apps/7"}
    planned = plan(parsed(), environ)
    assert planned.apps == (App("7", (Credentials("k", "s"),)),)
    assert (planned.port, planned.shows_secret) == (6002, False)
    assert plan(parsed("--channels-port", "9"), environ).port == 9
    assert plan(parsed("--app", "8:k:s"), environ).apps[0].id == "8"
    real = {"PUSHER_URL": "https://k:s@api-eu.pusher.com/apps/7"}
    assert plan(parsed(), real).apps == (DEVELOPMENT_APP,)


def test_options_reach_every_app(tmp_path: Path) -> None:
    """Webhooks, limits and switches apply to all apps, from options and files alike."""
    file = tmp_path / "apps"
    file.write_text("2:c:d\n")
    planned = plan(
        parsed(
            *("--app", "1:a:b", "--apps-file", str(file), "--webhook", "http://localhost/x"),
            *("--set", "presence-members=5", "--set", "webhook-grace-seconds=0"),
            *("--disable", "client-events", "--strict", "--authorized-connections"),
        ),
        {},
    )
    assert [app.id for app in planned.apps] == ["1", "2"]
    for app in planned.apps:
        assert app.webhooks == (WebhookEndpoint("http://localhost/x"),)
        assert app.limits.presence_members == 5
        assert not app.features.client_events
        assert app.features.authorized_connections
    assert planned.settings.strict
    assert planned.settings.webhook_timing.grace_seconds == 0


def test_impossible_plans(tmp_path: Path) -> None:
    """A key of two apps, a missing file and a useless setting are errors."""
    with pytest.raises(ConfigurationError):
        plan(parsed("--app", "1:a:b", "--app", "2:a:c"), {})
    with pytest.raises(OSError, match="nothing-here"):
        plan(parsed("--apps-file", str(tmp_path / "nothing-here")), {})
    with pytest.raises(ConfigurationError, match="at least 1"):
        plan(parsed("--set", "activity-timeout-seconds=0"), {})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ready_line_and_clean_end(number: signal.Signals) -> None:
    """One line says how to connect; a signal ends it with 0 and nothing more to say."""
    with running() as (process, line):
        url = line.split()[6]
        assert line == (
            f"Channels and its inspector are at {url} "
            f"PUSHER_URL={url.replace('://', '://local-key:local-secret@')}/apps/4242\n"
        )
        assert requests.get(url, timeout=10).ok
        process.send_signal(number)
        assert process.communicate(timeout=10) == ("", "")
        assert process.returncode == 0


def test_json_line_keeps_secrets() -> None:
    """With --json the line is for programs; secrets that were given are not repeated."""
    with running("--json", "--app", "7:my-key:hush") as (_, line):
        ready = json.loads(line)
        assert ready["apps"] == [{"id": "7", "key": "my-key"}]
        assert ready["url"] == f"http://127.0.0.1:{ready['port']}"
        assert requests.get(f"{ready['url']}/_emulator/state", timeout=10).ok
    with running("--app", "7:my-key:hush") as (_, line):
        assert "PUSHER_URL=http://my-key:<secret>@127.0.0.1:" in line
        assert "hush" not in line
    with running("--json") as (_, line):
        assert json.loads(line)["apps"][0]["pusher_url"].startswith(
            "http://local-key:local-secret@"
        )


def test_other_addresses_are_warned_of() -> None:
    """Listening for other machines is possible and said to be unprotected."""
    with running("--host", "0.0.0.0") as (process, line):
        assert "http://127.0.0.1:" in line
        process.terminate()
        _, err = process.communicate(timeout=10)
        assert err.startswith("warning: listening on 0.0.0.0, not only for this machine")


def test_taken_port() -> None:
    """A taken port is one clear line and exit code 1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "--channels-port", str(port)],
            capture_output=True,
            text=True,
            timeout=20,
            env=CLEAN,
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"gae-pusher: port {port} of 127.0.0.1 is taken: stop what listens there, "
        "or choose another with --channels-port\n"
    )


@pytest.mark.parametrize(
    "options",
    [
        ["--app", "7:k"],
        ["--channels-port", "70000"],
        ["--set", "x=1"],
        ["--disable", "x"],
        ["--webhook", "localhost"],
        ["--only", "x"],
        ["--nonsense"],
    ],
)
def test_wrong_usage(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage is exit code 2 and says what is wrong."""
    with pytest.raises(SystemExit) as exited:
        main(["emulators", *options])
    assert exited.value.code == 2
    assert options[0] in capsys.readouterr().err


def test_missing_library_is_named() -> None:
    """Without aiohttp the command says how to install it."""
    program = (
        "import sys; sys.modules['aiohttp'] = None; from gae_pusher.cli import main; "
        "sys.exit(main(['emulators']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20, env=CLEAN
    )
    assert (done.returncode, done.stderr) == (
        1,
        "gae-pusher: the emulators need aiohttp: pip install 'gae-pusher[emulators]'\n",
    )


def test_help_loads_nothing_heavy() -> None:
    """The help does without aiohttp, and a start takes about a second."""
    program = (
        "import sys; from gae_pusher.cli import parser; parser(); "
        "print({'aiohttp', 'requests', 'google.cloud.ndb'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20
    )
    assert done.stdout == "set()\n"
    start = time.monotonic()
    with running() as (_, line):
        assert line
    assert time.monotonic() - start < 5
