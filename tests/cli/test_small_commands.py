"""The small commands: users, and the help of all of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from gae_pusher.cli import COMMANDS, main
from gae_pusher.testing.channels import RunningServer
from tests.cli.test_listen import listening, next_of


def test_users_lists_ids(
    channels_server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever is on the channel is one line; with --json the answer of the API."""
    with listening(channels_server.pusher_url, "presence-room", "--user-id", "ada") as process:
        next_of(process, "subscribed")
        assert main(["users", "presence-room"]) == 0
        assert capsys.readouterr().out == "ada\n"
        assert main(["users", "presence-room", "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"users": [{"id": "ada"}]}


@pytest.mark.parametrize(
    ("line", "program"),
    [
        ([], "gae-pusher"),
        (["nope"], "gae-pusher"),
        (["trigger", "a-channel"], "gae-pusher trigger"),
        (["emulators", "--set", "nope=1"], "gae-pusher emulators"),
    ],
)
def test_wrong_usage_is_two_lines(
    line: list[str], program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong stands in the first line, where help is in the second; the exit code is 2."""
    with pytest.raises(SystemExit) as end:
        main(line)
    wrong, advice = capsys.readouterr().err.splitlines()
    assert end.value.code == 2
    assert wrong.startswith(f"{program}: ")
    assert advice == f"see {program} --help"


@pytest.mark.parametrize(
    ("command", "library", "extra"),
    [
        (["check"], "yaml", "deploy"),
        (["deploy"], "yaml", "deploy"),
        (["listen", "shop"], "aiohttp", "emulators"),
        (["dev"], "aiohttp", "emulators"),
        (["emulators"], "aiohttp", "emulators"),
        (["completion", "bash"], "shtab", "completion"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_missing_library_is_one_line(command: list[str], library: str, extra: str) -> None:
    """With the base dependencies alone each command is listed, and says what it lacks when run."""
    code = (
        f"import sys; sys.modules[{library!r}] = None\n"
        "from gae_pusher.cli import main, parser\n"
        f"assert {command[0]!r} in parser().format_help()\n"
        f"sys.exit(main({command!r}))"
    )
    environ = {**os.environ, "PUSHER_URL": "http://key:secret@127.0.0.1:1/apps/1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environ, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("gae-pusher: ")
    assert f" {library}" in done.stderr
    assert done.stderr.endswith(f": pip install 'gae-pusher[{extra}]'\n")
    assert done.stderr.count("\n") == 1


def test_users_of_a_public_channel_is_refused(
    channels_server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command says which channels have users."""
    assert main(["users", "shop"]) == 1
    assert "presence-" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["listen", "shop"], ["webhooks", "listen"], ["outbox", "list"]], ids=" ".join
)
def test_no_timeout_where_nothing_is_timed(command: list[str]) -> None:
    """--timeout is for the HTTP API: commands that do not ask it refuse the option."""
    with pytest.raises(SystemExit) as end:
        main([*command, "--timeout", "3"])
    assert end.value.code == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command's help has examples, its own or its subcommands'."""
    texts = []
    for arguments in ([command], [command, "listen"]) if command == "webhooks" else ([command],):
        with pytest.raises(SystemExit) as end:
            main([*arguments, "--help"])
        assert end.value.code == 0
        texts.append(capsys.readouterr().out)
    assert "examples:" in "".join(texts)
