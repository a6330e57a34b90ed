"""Changes to a board: each is saved and told to the other windows in one tasklet.

`put_async` and `trigger_async` both return futures, so Datastore and Pusher work at the same time
and a change costs the slower of the two, not their sum.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from google.cloud import ndb

import gae_pusher
from sample_app.live import BOARD_CHANNEL, pusher
from sample_app.models import CARDS_PER_BOARD, Card, board_key, card_key, new_id
from sample_app.visitors import Visitor

log = logging.getLogger(__name__)

Steps = Iterator[Any]


class BoardIsFull(Exception):
    """The board would have more cards than it may have."""


class NoSuchCard(Exception):
    """The card is gone: somebody else deleted it."""


@ndb.tasklet
def read_cards(board_id: str) -> Steps:
    """All cards of a board, as JSON."""
    query = Card.query(ancestor=board_key(board_id))
    cards = yield query.fetch_async(limit=CARDS_PER_BOARD)
    return [card.as_json() for card in cards]


@ndb.tasklet
def require_room(board_id: str, cards: int) -> Steps:
    """Raises BoardIsFull unless so many cards more may stand on a board."""
    count = yield Card.query(ancestor=board_key(board_id)).count_async(CARDS_PER_BOARD)
    if count + cards > CARDS_PER_BOARD:
        raise BoardIsFull


@ndb.tasklet
def add_card(board_id: str, fields: dict[str, Any], by: Visitor, socket_id: str | None) -> Steps:
    yield require_room(board_id, 1)
    key = card_key(board_id, new_id())
    card = Card(key=key, author=by.name, colour=by.colour, **fields)
    return (yield save_and_tell(card, "card-added", socket_id))


@ndb.tasklet
def change_card(key: ndb.Key, fields: dict[str, Any], event: str, socket_id: str | None) -> Steps:
    card = yield key.get_async()
    if card is None:
        raise NoSuchCard
    card.populate(**fields)
    return (yield save_and_tell(card, event, socket_id))


@ndb.tasklet
def delete_card(key: ndb.Key, socket_id: str | None) -> Steps:
    gone = {"id": key.id()}
    _, told = yield key.delete_async(), tell(key.parent().id(), "card-deleted", gone, socket_id)
    return {"card": gone, "told": told}


@ndb.tasklet
def save_and_tell(card: Card, event: str, socket_id: str | None) -> Steps:
    fields = card.as_json()
    _, told = yield card.put_async(), tell(card.board_id, event, fields, socket_id)
    return {"card": fields, "told": told}


@ndb.tasklet
def tell(board_id: str, event: str, data: dict[str, Any], socket_id: str | None = None) -> Steps:
    """Trigger an event for everyone on a board but the connection that caused it.

    False when Pusher could not be told. The change is saved all the same, so that is logged and
    shown, and no reason to fail the request.
    """
    try:
        yield pusher[BOARD_CHANNEL.format(board_id=board_id)].trigger_async(event, data, socket_id)
    except gae_pusher.PusherError:
        log.exception("board %s was not told about %s", board_id, event)
        return False
    return True
