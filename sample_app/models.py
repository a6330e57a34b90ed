"""What the board remembers, in Datastore."""

from __future__ import annotations

import secrets
from typing import Any

from google.cloud import ndb

COLUMNS = {"todo": "To do", "doing": "Doing", "done": "Done"}
TITLE_LENGTH = 60
TEXT_LENGTH = 280
CARDS_PER_BOARD = 200
RANK_LIMIT = 1_000_000


class Board(ndb.Model):
    """One board. Its key's name stands in its address and in the name of its channel."""

    title = ndb.StringProperty(required=True)
    created = ndb.DateTimeProperty(auto_now_add=True)


class Card(ndb.Model):
    """One card, a child of its board. Cards of a column stand in the order of their rank."""

    text = ndb.StringProperty(required=True)
    column = ndb.StringProperty(required=True, choices=list(COLUMNS))
    rank = ndb.FloatProperty(required=True)
    author = ndb.StringProperty(required=True)
    colour = ndb.StringProperty(required=True)

    @property
    def board_id(self) -> str:
        return self.key.parent().id()

    def as_json(self) -> dict[str, Any]:
        return {"id": self.key.id(), **self.to_dict()}


class Occupancy(ndb.Model):
    """Who is on a board, as Pusher's webhooks tell it. Has the same name in its key as the board.

    A set of user ids and no counter: a webhook may come twice.
    """

    user_ids = ndb.StringProperty(repeated=True)


def new_id() -> str:
    """An id chosen here and not by Datastore, so that a put and its event can go out together."""
    return secrets.token_hex(8)


def board_key(board_id: str) -> ndb.Key:
    return ndb.Key(Board, board_id)


def card_key(board_id: str, card_id: str) -> ndb.Key:
    return ndb.Key(Board, board_id, Card, card_id)
