"""`gae-pusher outbox`: an operator finds, reads, retries and drops what could not be sent."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from google.cloud import ndb

from gae_pusher import GaeNdbChannel, Pusher
from gae_pusher.cli import main
from gae_pusher.outbox.relay import Relay
from gae_pusher.testing.datastore import running_datastore
from tests.recording import Recorder, recording_server


@pytest.fixture
def channels(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """A Datastore and a Channels server that the environment points at."""
    with running_datastore() as datastore, recording_server() as recorder:
        for name, value in datastore.environment().items():
            monkeypatch.setenv(name, value)
        url = f"http://9c1e7f0a2b3d4e5f6071:0f1e2d3c4b5a69788796@127.0.0.1:{recorder.port}"
        monkeypatch.setenv("PUSHER_URL", f"{url}/apps/4242")
        yield recorder


def park(channels: Recorder, data: str = "1") -> str:
    """A parked entry; gives its id."""
    pusher = Pusher.from_env(channel_type=GaeNdbChannel)
    channels.answers.append((401, b"Invalid signature"))
    with ndb.Client().context():
        entry = ndb.transaction(lambda: pusher["board"].trigger("moved", data)).entry
    channels.calls.clear()
    return str(entry)


def sweep() -> dict[str, int]:
    pusher = Pusher.from_env(channel_type=GaeNdbChannel)
    sender = pusher.sender
    with ndb.Client().context():
        return dict(Relay(sender.transactions.outbox, sender).sweep(5).result())


def test_list_says_what_waits_and_why(
    channels: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line an entry for people, JSON for programs; nothing there is said as well."""
    assert main(["outbox", "list"]) == 0
    assert capsys.readouterr().out == "the outbox is empty\n"
    entry = park(channels)
    assert main(["outbox", "list", "--parked"]) == 0
    line = capsys.readouterr().out
    assert line.startswith(f"{entry}  parked")
    assert "AuthenticationError" in line
    assert main(["outbox", "list", "--json"]) == 0
    (facts,) = json.loads(capsys.readouterr().out)
    assert (facts["id"], facts["state"], facts["events"]) == (entry, "parked", 1)


def test_show_has_the_events(channels: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    """What would be sent, word for word."""
    entry = park(channels, "hello")
    assert main(["outbox", "show", entry, "--json"]) == 0
    (event,) = json.loads(capsys.readouterr().out)["events"]
    assert (event["channels"], event["name"], event["data"]) == (["board"], "moved", "hello")


def test_retry_has_it_sent(channels: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    """A retried entry is due for the next sweep, one by name or all that are parked."""
    one, _ = park(channels, "1"), park(channels, "2")
    assert main(["outbox", "retry", one]) == 0
    assert "the next sweep sends it" in capsys.readouterr().out
    assert sweep() == {"delivered": 1}
    assert main(["outbox", "retry", "--parked", "--json"]) == 0
    assert sweep() == {"delivered": 1}


def test_drop_forgets(channels: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    """A dropped entry is gone; to drop it again is an error of one line."""
    entry = park(channels)
    assert main(["outbox", "drop", entry]) == 0
    assert main(["outbox", "drop", entry]) == 1
    error = capsys.readouterr().err
    assert error == f"gae-pusher: the outbox of app 4242 has no entry {entry}\n"


def test_all_is_never_meant_by_accident(
    channels: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither ids nor --parked: nothing is dropped."""
    park(channels)
    assert main(["outbox", "drop"]) == 1
    assert "--parked" in capsys.readouterr().err
    assert main(["outbox", "list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 1
