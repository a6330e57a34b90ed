"""The background task that imports the sample cards."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gae_pusher.emulator.channels import Fault
from gae_pusher.sansio.tasks import encode_body
from gae_pusher.testing.channels import RunningServer
from gae_pusher.testing.tasks import RunningTasksServer


@pytest.fixture
def board(window: Any) -> str:
    return window.create_board()


def run(window: Any, board: str, status: int = 200, **headers: str) -> None:
    """Deliver the task once, as App Engine does."""
    payload = {
        "board": board.rpartition("/")[2],
        "import": "0123456789abcdef",
        "author": "Ada",
        "colour": "teal",
    }
    body = encode_body("import-cards", payload)
    headers = headers or {"X-AppEngine-QueueName": "default", "X-AppEngine-TaskName": "1"}
    path, kind = "/tasks/import-cards", "application/json"
    window.post(path, body, headers, content_type=kind, status=status)


def test_the_request_only_starts_the_work(
    window: Any, board: str, channels: RunningServer, task_queue: RunningTasksServer
) -> None:
    """The import is answered at once with 202; a task adds the cards and tells its progress."""
    from sample_app.imports import SAMPLE_CARDS

    assert window.post_json(f"{board}/import", {}, status=202).json == {"started": True}
    task_queue.wait_for("attempt", state="succeeded")
    stored = window.get(f"{board}/cards").json
    assert {card["text"] for card in stored} == {card["text"] for card in SAMPLE_CARDS}
    assert {card["author"] for card in stored} == {"Ada"}
    told = channels.log("event", event="import-progress")
    progress = [json.loads(entry.facts["data"]) for entry in told]
    assert [p["done"] for p in progress] == list(range(1, len(SAMPLE_CARDS) + 1))
    assert progress[-1]["total"] == len(SAMPLE_CARDS)


def test_a_task_that_runs_twice_adds_its_cards_once(window: Any, board: str) -> None:
    """Cloud Tasks runs a task at least once; a second run leaves the moved cards where they are."""
    run(window, board)
    card = window.get(f"{board}/cards").json[0]
    window.put_json(f"{board}/cards/{card['id']}/place", {"column": "done", "rank": 99})
    before = window.get(f"{board}/cards").json
    run(window, board)
    assert window.get(f"{board}/cards").json == before


def test_the_cards_come_although_nobody_can_be_told(
    window: Any, board: str, channels: RunningServer
) -> None:
    """When Pusher is down the import goes on: its cards are what counts."""
    channels.fail_requests(100, Fault(status=500))
    run(window, board)
    assert len(window.get(f"{board}/cards").json) == 20


def test_outsiders_cannot_run_the_task(window: Any, board: str) -> None:
    """A request that App Engine did not send is a 403."""
    run(window, board, status=403, **{"X-Other": "1"})
    assert window.get(f"{board}/cards").json == []


def test_a_queue_that_is_down_is_an_error_to_show(
    window: Any, board: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the task cannot be added the answer is a 502 with a sentence for the visitor."""
    import gae_pusher
    from gae_pusher.emulator.ports import free_port
    from sample_app import imports

    monkeypatch.setenv("CLOUD_TASKS_EMULATOR_HOST", f"127.0.0.1:{free_port()}")
    monkeypatch.setattr(imports, "queue", gae_pusher.TaskQueue(timeout=1))
    answer = window.post_json(f"{board}/import", {}, status=502)
    assert "Try again" in answer.json["error"]
