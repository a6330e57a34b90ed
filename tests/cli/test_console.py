"""What `gae-pusher dev` prints for each thing that happened."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gae_pusher.cli.console import render, render_json
from gae_pusher.emulator.activity import Activity

REQUEST = {
    "method": "GET",
    "path": "/cards?x=1",
    "status": 200,
    "took_seconds": 0.0123,
    "served_by": "app",
    "remark": None,
}
WEBHOOK = {
    "status": 200,
    "problem": None,
    "retry_seconds": None,
    "took_seconds": 0.004,
    "body": json.dumps(
        {"time_ms": 1, "events": [{"name": "channel_occupied", "channel": "board"}]}
    ),
}
TASK = {
    "queue": "default",
    "task": "1",
    "method": "POST",
    "url": "/tasks/export",
    "attempt": 1,
    "status": 200,
    "problem": None,
    "took_seconds": 61.2,
    "retry_seconds": None,
}
CRON = {"url": "/outbox", "schedule": "every 1 minutes", "status": 200, "problem": None}
CRON |= {"took_seconds": 0.009}
EVENT = {"channel": "board", "event": "card-added", "data": '"é"', "receivers": 2, "source": "api"}


def line(kind: str, facts: dict[str, Any], width: int | None = None) -> str | None:
    shown = render(Activity(kind, 0, facts), colours=False, width=width)
    return None if shown is None else shown[10:]


@pytest.mark.parametrize(
    ("kind", "facts", "expected"),
    [
        ("request", REQUEST, "GET       200    12 ms  /cards?x=1"),
        (
            "request",
            REQUEST | {"status": 404, "remark": "there is no file x"},
            "GET       404    12 ms  /cards?x=1  there is no file x",
        ),
        ("event", EVENT, "event                   board  card-added  4 B to 2 connections"),
        (
            "event",
            EVENT | {"receivers": 0, "source": "client"},
            "event                   board  card-added  4 B to nobody from a client",
        ),
        ("webhook", WEBHOOK, "webhook   200     4 ms  channel_occupied board"),
        (
            "webhook",
            WEBHOOK | {"status": 404, "problem": "not a 2xx answer", "retry_seconds": 1.0},
            "webhook   404     4 ms  channel_occupied board  not a 2xx answer, again in 1 s",
        ),
        ("task", TASK, "task      200  1.0 min  default  /tasks/export"),
        (
            "task",
            TASK | {"status": None, "problem": "refused", "took_seconds": 2.0, "attempt": 3},
            "task      ---    2.0 s  default  /tasks/export attempt 3  refused",
        ),
        ("cron", CRON, "cron      200     9 ms  /outbox"),
        (
            "cron",
            CRON | {"status": None, "problem": "the app did not start"},
            "cron      ---     9 ms  /outbox  the app did not start",
        ),
        (
            "connection",
            {"what": "closed", "socket_id": "1.2", "code": 4200, "reason": "bye"},
            "socket                  1.2 closed 4200 bye",
        ),
        ("output", {"source": "app", "text": "  hello "}, "app         hello"),
        ("note", {"text": "main.py changed"}, "note      main.py changed"),
        ("problem", {"text": "it broke"}, "problem   it broke"),
        (
            "api",
            {"status": 401, "method": "GET", "path": "/apps/1/channels", "answer": "no\n"},
            "api       401           GET /apps/1/channels  no",
        ),
        ("api", {"status": 200, "method": "POST", "path": "/apps/1/events", "answer": "{}"}, None),
    ],
)
def test_one_aligned_line_each(kind: str, facts: dict[str, Any], expected: str | None) -> None:
    """Label, status, duration and text stand in columns; what is no news has no line."""
    assert line(kind, facts) == expected


def test_long_paths_are_cropped_to_the_terminal() -> None:
    """One thing is one line; a pipe gets everything."""
    long = REQUEST | {"path": "/" + "x" * 200}
    shown = render(Activity("request", 0, long), colours=False, width=80)
    assert shown is not None
    assert len(shown) == 80
    assert shown.endswith("x…")
    assert len(line("request", long) or "") > 200


def test_what_the_app_prints_is_never_cropped() -> None:
    """A traceback is worth its lines."""
    assert (line("output", {"source": "app", "text": "x" * 300}, 80) or "").count("x") == 300


def test_colours_only_where_they_are_wanted() -> None:
    """Without colours there is no escape sequence; with them the text is the same."""
    plain = render(Activity("request", 0, REQUEST), colours=False, width=None) or ""
    painted = render(Activity("request", 0, REQUEST), colours=True, width=None) or ""
    assert "\x1b" not in plain
    assert "\x1b[32m200\x1b[0m" in painted


def test_json_has_all_facts() -> None:
    """A program gets what the line was made of."""
    assert json.loads(render_json(Activity("task", 1.5, TASK))) == {
        "time": 1.5,
        "kind": "task",
        **TASK,
    }
