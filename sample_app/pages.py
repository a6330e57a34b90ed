"""The pages: all boards, one board, and the name that a visitor chooses first."""

from __future__ import annotations

import flask
from google.cloud import ndb

from sample_app.assets import pusher_js_url
from sample_app.forms import find_board, text_field
from sample_app.live import BOARD_CHANNEL, pusher
from sample_app.models import TITLE_LENGTH, Board, Occupancy, new_id
from sample_app.visitors import (
    COLOURS,
    NAME_LENGTH,
    current_visitor,
    remember_visitor,
    require_visitor,
)

pages = flask.Blueprint("pages", __name__)

BOARDS_SHOWN = 12


@pages.get("/")
def home() -> str:
    boards = Board.query().order(-Board.created).fetch(BOARDS_SHOWN)
    keys = [ndb.Key(Occupancy, board.key.id()) for board in boards]
    here = [len(found.user_ids) if found else 0 for found in ndb.get_multi(keys)]
    return flask.render_template("home.html", boards=list(zip(boards, here, strict=True)))


@pages.post("/visitor")
def choose_name() -> flask.typing.ResponseReturnValue:
    colour = flask.request.form.get("colour", "")
    if colour not in COLOURS:
        flask.abort(400, "Choose one of the colours.")
    remember_visitor(text_field(flask.request.form, "name", NAME_LENGTH), colour)
    board_id = flask.request.form.get("board")
    where = flask.url_for(".board", board_id=board_id) if board_id else flask.url_for(".home")
    return flask.redirect(where, 303)


@pages.post("/boards")
def create_board() -> flask.typing.ResponseReturnValue:
    require_visitor()
    board = Board(id=new_id(), title=text_field(flask.request.form, "title", TITLE_LENGTH))
    board.put()
    return flask.redirect(flask.url_for(".board", board_id=board.key.id()), 303)


@pages.get("/boards/<string(length=16):board_id>")
def board(board_id: str) -> str:
    found = find_board(board_id)
    visitor = current_visitor()
    if visitor is None:
        return flask.render_template("welcome.html", board_id=board_id, title=found.title)
    settings = {
        "url": flask.request.path,
        "me": visitor.id,
        "channel": BOARD_CHANNEL.format(board_id=board_id),
        "key": pusher.key,
        "options": pusher.config.pusher_js_options(),
    }
    return flask.render_template(
        "board.html", title=found.title, settings=settings, pusher_js_url=pusher_js_url()
    )
