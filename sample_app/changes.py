"""Changes to a board: each is saved and told to the other windows in one transaction.

A trigger inside a transaction is stored beside the card and leaves right after the commit. So no
window hears of a card that was not saved, and none misses one that was, whatever happens to Pusher
or to this process.
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
    yield ndb.transaction_async(lambda: save_and_tell(card, "card-added", socket_id))
    return {"card": card.as_json()}


@ndb.tasklet
def change_card(key: ndb.Key, fields: dict[str, Any], event: str, socket_id: str | None) -> Steps:
    @ndb.tasklet
    def change() -> Steps:
        card = yield key.get_async()
        if card is None:
            raise NoSuchCard
        card.populate(**fields)
        yield save_and_tell(card, event, socket_id)
        return card

    card = yield ndb.transaction_async(change)
    return {"card": card.as_json()}


@ndb.tasklet
def delete_card(key: ndb.Key, socket_id: str | None) -> Steps:
    gone = {"id": key.id()}
    channel = pusher[BOARD_CHANNEL.format(board_id=key.parent().id())]

    @ndb.tasklet
    def delete() -> Steps:
        yield key.delete_async(), channel.trigger_async("card-deleted", gone, socket_id)

    yield ndb.transaction_async(delete)
    return {"card": gone}


@ndb.tasklet
def save_and_tell(card: Card, event: str, socket_id: str | None) -> Steps:
    channel = pusher[BOARD_CHANNEL.format(board_id=card.board_id)]
    yield card.put_async(), channel.trigger_async(event, card.as_json(), socket_id)


@ndb.tasklet
def tell(board_id: str, event: str, data: dict[str, Any]) -> Steps:
    """Trigger an event that may get lost, outside of any transaction: progress, say.

    When Pusher cannot be told, that is logged, and no reason to fail.
    """
    try:
        yield pusher[BOARD_CHANNEL.format(board_id=board_id)].trigger_async(event, data)
    except gae_pusher.PusherError:
        log.exception("board %s was not told about %s", board_id, event)
