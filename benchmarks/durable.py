"""What a durable event costs a request: `python -m benchmarks durable`.

One WSGI app, called without a server around it, changes an entity in a transaction inside the NDB
context of the request, and does one thing more. The time ends when the context has: it waits for
what the request left under way. Datastore is ours, in a process of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any
from wsgiref.util import setup_testing_defaults

from google.cloud import ndb

import gae_pusher
from benchmarks.common import fast_server, medians, table
from benchmarks.datastore import served
from benchmarks.delayed import delayed_server

ROUNDS, CALLS = 60, 5
DELAY_SECONDS = 0.05
NOTHING = "no event"

Tell = Callable[[], object]


class Card(ndb.Model):
    """What the request changes."""

    moves = ndb.IntegerProperty(default=0)


def run() -> str:
    """A table: each request's median time, and its ratio to the request without an event."""
    with ExitStack() as stack:
        address, _ = stack.enter_context(served("ours"))
        os.environ.update(DATASTORE_EMULATOR_HOST=address, GOOGLE_CLOUD_PROJECT="demo")
        port, server = stack.enter_context(fast_server())
        slow = stack.enter_context(delayed_server(DELAY_SECONDS))
        client = ndb.Client()
        apps = {"0 ms": _apps(client, port), "50 ms": _apps(client, slow)}
        found = {
            name: medians(subjects, rounds=ROUNDS, calls=CALLS) for name, subjects in apps.items()
        }
    rows = [("request", *(head for name in found for head in (f"ms at {name}", "ratio")))]
    for kind in next(iter(found.values())):
        cells = [(measured[kind][0], measured[NOTHING][0]) for measured in found.values()]
        texts = (text for took, plain in cells for text in _cells(took, plain))
        rows.append((kind, *texts))
    turns = f"medians of {ROUNDS} rounds of {CALLS} requests in turns"
    return f"{table(rows)}\n({turns}; Channels: {server} on loopback, and a server of 50 ms)"


def _cells(took: float, plain: float) -> tuple[str, str]:
    return f"{took * 1000:.2f}", f"{took / plain:.2f}"


def _apps(client: ndb.Client, port: int) -> dict[str, Callable[[], object]]:
    durable = _channel(port)
    unsaved = _channel(port, on_commit="send")
    return {
        NOTHING: _request(client),
        "one durable event": _request(client, lambda: durable.trigger("moved", {"n": 1})),
        "one event, on_commit='send'": _request(client, lambda: unsaved.trigger("moved", {"n": 1})),
        "one event, after transaction()": _request(
            client, after=lambda: durable.trigger("moved", {"n": 1})
        ),
    }


def _channel(port: int, **options: Any) -> Any:
    where = {"ssl": False, "host": "127.0.0.1", "port": port}
    kind = gae_pusher.GaeNdbChannel
    return gae_pusher.Pusher("3", "a-key", "a-secret", channel_type=kind, **where, **options)["a"]


def _request(
    client: ndb.Client, inside: Tell | None = None, after: Tell | None = None
) -> Callable[[], object]:
    def change() -> None:
        card = Card.get_by_id("c1") or Card(id="c1")
        card.moves += 1
        card.put()
        if inside is not None:
            inside()

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with client.context():
            ndb.transaction(change)
            if after is not None:
                after()
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"moved\n"]

    def request() -> None:
        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)
        assert b"".join(app(environ, lambda *_: None)) == b"moved\n"

    return request
