"""Everything that speaks Pusher: the app, who may subscribe, and what its webhooks tell us."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import flask
from google.cloud import ndb

import gae_pusher
from gae_pusher.contrib.flask import FlaskEndpoints
from sample_app.models import Board, Occupancy
from sample_app.visitors import current_visitor

gae_pusher.channel_type = gae_pusher.GaeNdbChannel

outbox = gae_pusher.Outbox(gae_pusher.TaskQueue("outbox", path="/outbox"))
pusher = gae_pusher.Pusher.from_env(outbox=outbox)
outbox_app = gae_pusher.OutboxApp(pusher)
realtime = FlaskEndpoints()

BOARD_CHANNEL = "presence-board-{board_id}"


@realtime.authorize(BOARD_CHANNEL)
@ndb.tasklet
def may_join(request: flask.Request, board_id: str) -> Iterator[Any]:
    """Whoever has chosen a name may join a board that exists; others see it as this member."""
    visitor = current_visitor()
    board = yield Board.get_by_id_async(board_id)
    if visitor is None or board is None:
        return None
    return {
        "user_id": visitor.id,
        "user_info": {"name": visitor.name, "colour": visitor.colour},
    }


@realtime.on(gae_pusher.MemberAdded, channel=BOARD_CHANNEL)
def member_added(event: gae_pusher.MemberAdded, board_id: str) -> None:
    change_occupancy(board_id, lambda here: here | {event.user_id})


@realtime.on(gae_pusher.MemberRemoved, channel=BOARD_CHANNEL)
def member_removed(event: gae_pusher.MemberRemoved, board_id: str) -> None:
    change_occupancy(board_id, lambda here: here - {event.user_id})


@realtime.on(gae_pusher.ChannelVacated, channel=BOARD_CHANNEL)
def board_left(event: gae_pusher.ChannelVacated, board_id: str) -> None:
    change_occupancy(board_id, lambda here: set())


@ndb.transactional()
def change_occupancy(board_id: str, change: Callable[[set[str]], set[str]]) -> None:
    """Two webhooks may be handled at the same moment, so this reads and writes in a transaction."""
    occupancy = Occupancy.get_by_id(board_id) or Occupancy(id=board_id)
    occupancy.user_ids = sorted(change(set(occupancy.user_ids)))
    occupancy.put()
