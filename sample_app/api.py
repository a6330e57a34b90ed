"""What a board's page asks the server for: JSON in, JSON out."""

from __future__ import annotations

from typing import Any

import flask

from sample_app import changes
from sample_app.forms import card_place, card_text, find_board, socket_id
from sample_app.imports import SAMPLE_CARDS, start_import
from sample_app.models import CARDS_PER_BOARD, card_key
from sample_app.reminders import REMINDER_SECONDS, remind
from sample_app.visitors import require_visitor

api = flask.Blueprint("api", __name__, url_prefix="/boards/<string(length=16):board_id>")


@api.errorhandler(changes.BoardIsFull)
def refuse_card(error: changes.BoardIsFull) -> flask.typing.ResponseReturnValue:
    return {"error": f"No room: a board holds at most {CARDS_PER_BOARD} cards."}, 409


@api.errorhandler(changes.NoSuchCard)
def miss_card(error: changes.NoSuchCard) -> flask.typing.ResponseReturnValue:
    return {"error": "This card is gone: somebody deleted it."}, 404


@api.get("/cards")
def cards(board_id: str) -> Any:
    return changes.read_cards(board_id).result()


@api.post("/cards")
def add_card(board_id: str) -> Any:
    visitor = require_visitor()
    find_board(board_id)
    return changes.add_card(board_id, card_text() | card_place(), visitor, socket_id()).result()


@api.put("/cards/<string(maxlength=40):card_id>/text")
def edit_card(board_id: str, card_id: str) -> Any:
    require_visitor()
    key = card_key(board_id, card_id)
    return changes.change_card(key, card_text(), "card-edited", socket_id()).result()


@api.put("/cards/<string(maxlength=40):card_id>/place")
def move_card(board_id: str, card_id: str) -> Any:
    require_visitor()
    key = card_key(board_id, card_id)
    return changes.change_card(key, card_place(), "card-moved", socket_id()).result()


@api.delete("/cards/<string(maxlength=40):card_id>")
def delete_card(board_id: str, card_id: str) -> Any:
    require_visitor()
    return changes.delete_card(card_key(board_id, card_id), socket_id()).result()


@api.post("/cards/<string(maxlength=40):card_id>/reminder")
def remind_of_card(board_id: str, card_id: str) -> flask.typing.ResponseReturnValue:
    remind(card_key(board_id, card_id), require_visitor())
    return {"seconds": REMINDER_SECONDS}, 202


@api.post("/import")
def import_cards(board_id: str) -> flask.typing.ResponseReturnValue:
    """Hand long work to a background task; its progress comes to every window as events."""
    visitor = require_visitor()
    find_board(board_id)
    changes.require_room(board_id, len(SAMPLE_CARDS)).result()
    start_import(board_id, visitor)
    return {"started": True}, 202
