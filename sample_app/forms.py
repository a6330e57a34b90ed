"""Checks of what a browser sent: everything that is wrong becomes a 4xx that says what."""

from __future__ import annotations

import re
from typing import Any

import flask

from sample_app.models import COLUMNS, RANK_LIMIT, TEXT_LENGTH, Board

SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, which no encoding can store


def find_board(board_id: str) -> Board:
    found = Board.get_by_id(board_id)
    if found is None:
        flask.abort(404, "There is no such board.")
    return found


def socket_id() -> str | None:
    """The connection of the window that asks: it has made the change already, so skip it."""
    return flask.request.headers.get("X-Socket-Id") or None


def card_text() -> dict[str, Any]:
    return {"text": text_field(_json(), "text", TEXT_LENGTH)}


def card_place() -> dict[str, Any]:
    column, rank = _json().get("column"), _json().get("rank")
    if column not in tuple(COLUMNS):
        flask.abort(400, f"The column must be one of {', '.join(COLUMNS)}.")
    if type(rank) not in (int, float) or not abs(rank) <= RANK_LIMIT:
        flask.abort(400, f"The rank must be a number of at most {RANK_LIMIT}.")
    return {"column": column, "rank": float(rank)}


def text_field(fields: Any, name: str, limit: int) -> str:
    """A field's text in one line without blanks around it; 400 when it is empty or too long."""
    value = fields.get(name)
    text = " ".join(value.split()) if isinstance(value, str) else ""
    if not 0 < len(text) <= limit or SURROGATE.search(text):
        flask.abort(400, f"The {name} must have 1 to {limit} characters.")
    return text


def _json() -> dict[str, Any]:
    fields = flask.request.get_json()
    if not isinstance(fields, dict):
        flask.abort(400, "Send a JSON object.")
    return fields
