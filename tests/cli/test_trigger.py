"""`gae-pusher trigger` and `gae-pusher channels` against a real local server."""

from __future__ import annotations

import io
import json
import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from gae_pusher.cli import configured, main, trigger
from gae_pusher.cli.channels import report
from gae_pusher.cli.configured import parse_variables
from gae_pusher.errors import ConfigurationError
from gae_pusher.testing.channels import RunningServer


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PUSHER_")]:
        monkeypatch.delenv(name)


def test_an_event_is_triggered(
    channels_server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """DATA goes out as it was given; one line says what was done."""
    assert main(["trigger", "board", "card-added", '{"title": "é"}']) == 0
    event = channels_server.wait_for_event("board", "card-added")
    assert json.loads(event.facts["data"]) == {"title": "é"}
    assert capsys.readouterr().out == "triggered card-added on board (15 B)\n"


def test_data_may_be_plain_text_from_standard_input(
    channels_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """- reads all of it, without the last line's end."""
    monkeypatch.setattr("sys.stdin", io.StringIO("hello\nworld\n"))
    assert main(["trigger", "board", "said", "-"]) == 0
    assert channels_server.wait_for_event("board", "said").facts["data"] == "hello\nworld"


def test_counts_can_be_asked_for(
    channels_server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """--info adds a line for each attribute; --json prints the answer itself."""
    main(["trigger", "board", "e", "x", "--info", "subscription_count"])
    assert capsys.readouterr().out == "triggered e on board (1 B)\n  subscription_count 0\n"
    main(["trigger", "board", "e", "x", "--info", "subscription_count", "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert answer == {"channels": {"board": {"subscription_count": 0}}}


def test_an_answer_without_counts_is_said() -> None:
    """Soketi takes the event and gives no counts: who asked for them is told."""
    asked = trigger.Plan("shop", "tick", "1", None, "subscription_count", None)
    assert trigger.report(asked, {"ok": True}).splitlines() == [
        "triggered tick on shop (1 B)",
        "  the server answered without counts",
    ]


def test_broken_json_is_remarked_on(
    channels_server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is triggered as text, which is what was asked, and stderr says what it looks like."""
    assert main(["trigger", "board", "e", "{title: 1}"]) == 0
    assert "looks like JSON" in capsys.readouterr().err
    assert channels_server.wait_for_event("board", "e").facts["data"] == "{title: 1}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trigger", "bad channel", "e", "x"], "'bad channel'"),
        (["trigger", "board", "pusher:e", "x"], "'pusher:e'"),
        (["trigger", "board", "e", "x" * 10_241], "10241"),
        (["trigger", "board", "e", "x", "--socket-id", "1"], "'1'"),
        (["channels", "--info", "user_count"], "user_count"),
    ],
)
def test_errors_are_short(
    channels_server: RunningServer,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    """What was wrong, on one or two lines of stderr, with exit code 1."""
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.err.count("\n") <= 2
    assert captured.out == ""


def test_channels_are_listed(
    channels_server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty server says so in words, and in JSON with --json."""
    assert main(["channels"]) == 0
    assert capsys.readouterr().out == "no channel is occupied\n"
    main(["channels", "--prefix", "presence-", "--info", "user_count", "--json"])
    assert json.loads(capsys.readouterr().out) == {"channels": {}}


def test_the_list_is_sorted_and_aligned() -> None:
    """One channel a line, attributes in a column."""
    answer = {"channels": {"presence-b": {"user_count": 2}, "a": {}}}
    assert report(answer) == "a\npresence-b  user_count 2"


def test_an_env_file_names_the_app(
    channels_server: RunningServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its variables win over the environment's, and no secret stands in the command line."""
    file = tmp_path / ".env"
    file.write_text(f"# mine\nexport PUSHER_URL='{channels_server.pusher_url}'\n")
    monkeypatch.setenv("PUSHER_URL", "https://k:s@wrong.invalid/apps/1")
    assert main(["trigger", "board", "e", "x", "--env-file", str(file)]) == 0
    channels_server.wait_for_event("board", "e")


def test_variables_of_a_file() -> None:
    """Comments, empty lines, export and quotes are understood; = may stand in a value."""
    text = "\n# c\nA=1\nexport B = 'two words'\nC=\"x=y\"\nD=\n"
    assert parse_variables(text) == {"A": "1", "B": "two words", "C": "x=y", "D": ""}


def test_a_bad_line_is_named_without_its_content() -> None:
    """It may hold a secret."""
    with pytest.raises(ConfigurationError) as caught:
        parse_variables("A=1\nmy secret\n")
    assert str(caught.value) == "line 2 of the file is not NAME=VALUE"


@pytest.mark.parametrize("listening", [True, False])
def test_the_local_server_is_offered_when_nothing_is_configured(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    listening: bool,
) -> None:
    """The hint is the line to type, and comes only when a server listens on the default port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        monkeypatch.setattr(configured, "LOCAL_PORT", other.getsockname()[1])
        if not listening:
            other.close()
        assert main(["channels"]) == 1
    error = capsys.readouterr().err
    assert ("export PUSHER_URL=http://local-key:" in error) is listening
    assert error.count("\n") <= 2
