"""trigger_later: a background task triggers the event, on every blocking channel type."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.cloud import ndb

import gae_pusher
from gae_pusher import (
    AddedTask,
    AsyncioChannel,
    GaeNdbChannel,
    InTransaction,
    InvalidEventName,
    InvalidTask,
    PayloadTooLarge,
    Pusher,
    TaskApp,
    TaskQueue,
    TaskTooLarge,
)
from gae_pusher.limits import Limits
from gae_pusher.testing.channels import RunningServer, running_server
from gae_pusher.testing.tasks import RunningTasksServer, running_tasks_server
from tests.channels.roads import ROADS, Road, ndb_client
from tests.serving import serving

FRONT = {"GAE_PUSHER_FRONT": "1"}
BLOCKING = [road for road in ROADS if road.blocks]
MASTER_KEY = base64.b64encode(bytes(range(32))).decode()


@dataclass
class Shelf:
    """A queue that keeps what it is given."""

    tasks: list[dict[str, Any]] = field(default_factory=list)

    def add(self, task: str, payload: Any, *, delay_seconds: float, name: str | None) -> Any:
        self.tasks.append({"payload": payload, "delay_seconds": delay_seconds, "name": name})
        return AddedTask(task)


@pytest.fixture(scope="module")
def channels() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def task_app(channels: RunningServer) -> TaskApp:
    return TaskApp(Pusher.from_url(channels.pusher_url), environ=FRONT)


@pytest.fixture
def tasks(task_app: TaskApp, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningTasksServer]:
    with serving(task_app) as url, running_tasks_server(url) as server:
        monkeypatch.setenv("CLOUD_TASKS_EMULATOR_HOST", server.address)
        yield server


def shelved(**options: Any) -> tuple[Pusher, Shelf]:
    shelf = Shelf()
    return Pusher("3", "a-key", "a-secret", queue=shelf, **options), shelf


@pytest.mark.parametrize("road", BLOCKING, ids=lambda road: road.name)
def test_a_task_triggers_the_event(
    road: Road, channels: RunningServer, tasks: RunningTasksServer
) -> None:
    """From trigger_later through Cloud Tasks and TaskApp to the Channels server."""
    channel_type = getattr(gae_pusher, road.channel_type)
    pusher = Pusher.from_url(channels.pusher_url, channel_type=channel_type, **road.options)
    channels.clear_log()
    added = pusher["reminders"].trigger_later("due", {"card": road.name})
    assert not added.duplicate
    tasks.wait_for("attempt", state="succeeded")
    (entry,) = channels.log("event", channel="reminders", event="due")
    assert json.loads(entry.facts["data"]) == {"card": road.name}


def test_it_waits_for_its_time() -> None:
    """delay_seconds goes to the queue, whose it is to wait."""
    pusher, shelf = shelved()
    pusher["reminders"].trigger_later("due", delay_seconds=90)
    (task,) = shelf.tasks
    event = {"channel": "reminders", "name": "due", "data": "{}"}
    assert task["payload"] == {"app_id": "3", "event": event}
    assert task["delay_seconds"] == 90
    assert task["name"] is None


def test_a_name_is_taken_once(tasks: RunningTasksServer) -> None:
    """A second event of this channel, event and name is not added, and the answer says so."""
    pusher = Pusher("3", "a-key", "a-secret")
    later = {"delay_seconds": 3600, "name": "card 1"}
    first = pusher["reminders"].trigger_later("due", **later)
    again = pusher["reminders"].trigger_later("due", {"other": "data"}, **later)
    others = [
        pusher["elsewhere"].trigger_later("due", **later),
        pusher["reminders"].trigger_later("overdue", **later),
        Pusher("4", "a-key", "a-secret")["reminders"].trigger_later("due", **later),
    ]
    assert (first.duplicate, again.duplicate) == (False, True)
    assert again.name == first.name
    assert [other.duplicate for other in others] == [False] * 3


@pytest.mark.parametrize(
    ("event", "data", "options", "error"),
    [
        ("", {}, {}, InvalidEventName),
        ("due", "x" * 10_241, {}, PayloadTooLarge),
        ("due", {}, {"name": ""}, InvalidTask),
        ("due", {}, {"delay_seconds": -1}, InvalidTask),
    ],
)
def test_mistakes_are_told_at_once(
    event: str, data: Any, options: dict[str, Any], error: type[Exception]
) -> None:
    """Names, sizes and delays are checked when it is called, before anything is sent."""
    pusher = Pusher("3", "a-key", "a-secret", queue=TaskQueue(project="demo"))
    with pytest.raises(error):
        pusher["reminders"].trigger_later(event, data, **options)


def test_raised_limits_meet_that_of_a_task(tasks: RunningTasksServer) -> None:
    """An event that a dedicated cluster takes may be too large for a task: that is said."""
    limits = Limits(event_data_bytes=200_000)
    pusher = Pusher("3", "a-key", "a-secret", limits=limits)
    with pytest.raises(TaskTooLarge) as raised:
        pusher["reminders"].trigger_later("due", "x" * 150_000)
    assert raised.value.limit == 102_400
    assert tasks.log() == []


def test_what_is_encrypted_waits_encrypted() -> None:
    """A task for an encrypted channel holds the envelope, and no word of the data."""
    pusher, shelf = shelved(encryption_master_key_base64=MASTER_KEY)
    pusher["private-encrypted-a"].trigger_later("due", {"card": "the secret"})
    data = json.loads(shelf.tasks[0]["payload"]["event"]["data"])
    assert data.keys() == {"nonce", "ciphertext"}


def test_a_transaction_refuses() -> None:
    """A task cannot be taken back when the transaction rolls back, so none is added there."""
    pusher, shelf = shelved(channel_type=GaeNdbChannel)

    def change() -> None:
        pusher["reminders"].trigger_later("due")

    context = ndb_client().context()
    with context as outside, outside.new(transaction=b"one").use():
        assert ndb.in_transaction()
        with pytest.raises(InTransaction, match=r"transaction\(\) has returned"):
            change()
    with ndb_client().context():
        change()
    assert len(shelf.tasks) == 1


def test_types_that_await_have_none() -> None:
    """A call of Cloud Tasks would stop their event loop."""
    channel = Pusher("3", "a-key", "a-secret", channel_type=AsyncioChannel)["reminders"]
    assert not hasattr(channel, "trigger_later")
