"""A background task: long work outside the request, with its progress in every window."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.cloud import ndb

import gae_pusher
from sample_app.changes import tell
from sample_app.live import pusher
from sample_app.models import Card, board_key, new_id
from sample_app.visitors import Visitor

SAMPLE_CARDS = json.loads(Path(__file__).with_name("sample_cards.json").read_text("utf-8"))
SECONDS_PER_CARD = 0.15

queue = gae_pusher.TaskQueue()
task_app = gae_pusher.TaskApp(pusher)  # the pusher is for what trigger_later has added


def start_import(board_id: str, by: Visitor) -> None:
    """Add the task; it runs in a request of its own, soon. Raises PusherError."""
    queue.add(
        "import-cards",
        {"board": board_id, "import": new_id(), "author": by.name, "colour": by.colour},
    )


@task_app.on("import-cards")
@ndb.tasklet
def import_cards(payload: dict[str, Any]) -> Iterator[Any]:
    """Add the sample cards to a board, one by one, and say how far it is."""
    board_id, import_id, author = payload["board"], payload["import"], payload["author"]
    for number, fields in enumerate(SAMPLE_CARDS, start=1):
        # A task runs at least once. Ids that follow from its payload let a second run find the
        # cards of the first, where a new id each time would add every card twice.
        card = yield Card.get_or_insert_async(
            f"{import_id}-{number}",
            parent=board_key(board_id),
            rank=float(number),
            author=author,
            colour=payload["colour"],
            **fields,
        )
        progress = {"id": import_id, "by": author, "done": number, "total": len(SAMPLE_CARDS)}
        yield (
            tell(board_id, "card-added", card.as_json()),
            tell(board_id, "import-progress", progress),
            ndb.sleep(SECONDS_PER_CARD),  # stands for the slow part of a real import
        )
