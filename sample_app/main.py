"""The app: `gunicorn sample_app.main:app`. This module wires the others together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import flask
from google.cloud import ndb
from werkzeug.exceptions import HTTPException

import gae_pusher
from sample_app import api, assets, imports, live, pages, visitors
from sample_app.models import COLUMNS, TEXT_LENGTH, TITLE_LENGTH, Board

REQUEST_BYTES = 64 * 1024

app = flask.Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = REQUEST_BYTES
app.register_blueprint(pages.pages)
app.register_blueprint(api.api)
app.register_blueprint(assets.files)
live.realtime.init_app(app, live.pusher)  # /pusher/auth and /pusher/webhook
visitors.configure_session(app, live.pusher.secret)


@app.post("/tasks/<task>")
def run_task(task: str) -> Any:
    return imports.task_app  # Flask runs the WSGI app that a view returns


@app.get("/outbox")
@app.post("/outbox/deliver")
def work_off_outbox() -> Any:
    """Cron and Cloud Tasks have events sent that did not leave right after their transaction."""
    return live.outbox_app


@app.get("/_ah/warmup")
def warm_up() -> str:
    """Open the connection to Datastore before the first visitor would wait for it."""
    Board.query().fetch(1, keys_only=True)
    return "warm\n"


@app.context_processor
def template_values() -> dict[str, Any]:
    return {
        "colours": visitors.COLOURS,
        "columns": COLUMNS,
        "name_length": visitors.NAME_LENGTH,
        "static_url": assets.static_url,
        "text_length": TEXT_LENGTH,
        "title_length": TITLE_LENGTH,
        "visitor": visitors.current_visitor(),
    }


@app.errorhandler(HTTPException)
def refuse(error: HTTPException) -> flask.typing.ResponseReturnValue:
    """A page for people, JSON for the board's own requests."""
    code = error.code or 500
    if flask.request.accept_mimetypes.accept_html:
        return flask.render_template("error.html", error=error), code
    return {"error": error.description}, code


@app.errorhandler(gae_pusher.PusherError)
def report_failure(error: gae_pusher.PusherError) -> flask.typing.ResponseReturnValue:
    """Cloud Tasks did not take the work: nothing was started, so the page may try again."""
    app.logger.error("a background task could not be added: %s", error)
    return {"error": "That could not be started. Try again in a moment."}, 502


@app.after_request
def protect(response: flask.Response) -> flask.Response:
    response.headers.setdefault("Content-Security-Policy", assets.CONTENT_SECURITY_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response


def in_ndb_context(wsgi_app: Callable[..., Any], client: ndb.Client) -> Callable[..., Any]:
    """Give each request an NDB context. Its end waits for all that the request left under way."""

    def middleware(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with client.context():
            return wsgi_app(environ, start_response)

    return middleware


app.wsgi_app = in_ndb_context(app.wsgi_app, ndb.Client())
