"""Who is asking: a name and a colour, chosen at the first visit and kept in a signed cookie."""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import asdict, dataclass

import flask

from sample_app.models import new_id

NAME_LENGTH = 24
COLOURS = ("coral", "amber", "moss", "teal", "sky", "indigo", "plum", "slate")


@dataclass(frozen=True)
class Visitor:
    id: str
    name: str
    colour: str


def configure_session(app: flask.Flask, secret: str) -> None:
    """Sign cookies with a key made from the Pusher secret.

    So there is one secret to keep, every instance has the same key, and a key that leaked would
    not give the secret away: HMAC cannot be run backwards.
    """
    app.secret_key = hmac.digest(secret.encode(), b"sample_app session cookie", hashlib.sha256)
    app.config.update(
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=os.environ.get("GAE_ENV") == "standard",
    )


def current_visitor() -> Visitor | None:
    """The visitor of this request, None before a name was chosen."""
    fields = flask.session.get("visitor")
    return Visitor(**fields) if fields else None


def require_visitor() -> Visitor:
    """The visitor of this request; 403 before a name was chosen."""
    visitor = current_visitor()
    if visitor is None:
        flask.abort(403, "Choose a name first: open the board's page.")
    return visitor


def remember_visitor(name: str, colour: str) -> None:
    """Keep a name and a colour in the cookie; the visitor's id stays."""
    known = current_visitor()
    visitor = Visitor(known.id if known else new_id(), name, colour)
    flask.session.permanent = True
    flask.session["visitor"] = asdict(visitor)
