"""A reminder: a card's event that Cloud Tasks triggers later."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from gae_pusher.testing.channels import RunningServer
from gae_pusher.testing.tasks import RunningTasksServer


@pytest.fixture
def board(window: Any) -> str:
    return window.create_board()


@pytest.fixture
def card(window: Any, board: str) -> str:
    """The path of a card."""
    fields = {"text": "Call the printer", "column": "todo", "rank": 1}
    added = window.post_json(f"{board}/cards", fields).json["card"]
    return f"{board}/cards/{added['id']}"


def test_a_reminder_comes_to_every_window(
    window: Any,
    card: str,
    channels: RunningServer,
    task_queue: RunningTasksServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The request only adds the task; the task triggers the event for the whole board."""
    from sample_app import reminders

    monkeypatch.setattr(reminders, "REMINDER_SECONDS", 0.001)
    window.post_json(f"{card}/reminder", {}, status=202)
    task_queue.wait_for("attempt", state="succeeded")
    entry = channels.wait_for_event("presence-board-" + card.split("/")[2], "card-reminder")
    assert json.loads(entry.facts["data"]) == {"id": card.rpartition("/")[2], "by": "Ada"}


def test_two_clicks_are_one_reminder(
    window: Any, card: str, task_queue: RunningTasksServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task has a name that is taken for the rest of that minute."""
    from sample_app import reminders

    monkeypatch.setattr(reminders, "time", SimpleNamespace(time=lambda: 1_800_000_000.0))
    window.post_json(f"{card}/reminder", {}, status=202)
    window.post_json(f"{card}/reminder", {}, status=202)
    assert len(task_queue.log("task")) == 1


def test_a_card_that_is_gone_has_none(window: Any, board: str) -> None:
    """404, as for every other change of a card that somebody deleted."""
    window.post_json(f"{board}/cards/0123456789abcdef/reminder", {}, status=404)
