"""An event for later: a card that comes up again in every window after a minute."""

from __future__ import annotations

import time

from google.cloud import ndb

from sample_app.changes import NoSuchCard
from sample_app.live import BOARD_CHANNEL, pusher
from sample_app.visitors import Visitor

REMINDER_SECONDS = 60


def remind(key: ndb.Key, by: Visitor) -> None:
    """Have Cloud Tasks trigger the reminder. Raises NoSuchCard, PusherError."""
    if key.get() is None:
        raise NoSuchCard
    pusher[BOARD_CHANNEL.format(board_id=key.parent().id())].trigger_later(
        "card-reminder",
        {"id": key.id(), "by": by.name},
        delay_seconds=REMINDER_SECONDS,
        # Whoever clicks twice, or has a colleague who does, is reminded once in that minute.
        name=f"{key.id()} in minute {time.time() // REMINDER_SECONDS:.0f}",
    )
