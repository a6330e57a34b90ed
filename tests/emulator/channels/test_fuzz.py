"""No frame and no request, however strange, breaks the server or makes it send nonsense."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from .caller import Caller
from .stage import KEY, Stage, auth, member_data

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
CHANNEL = st.one_of(
    TEXT,
    st.sampled_from(["news", "private-a", "presence-a", "cache-a", "#server-to-user-ada", "#", ""]),
)
TOKEN = st.one_of(
    TEXT, st.just(auth("1.1:private-a")), st.just(auth(f"1.1:presence-a:{member_data('ada')}"))
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "channel": CHANNEL | JSON,
        "auth": TOKEN | JSON,
        "channel_data": st.just(member_data("ada")) | JSON,
        "user_data": st.just('{"id":"ada"}') | JSON,
    },
)
FRAME = st.fixed_dictionaries(
    {
        "event": st.sampled_from(
            ["pusher:subscribe", "pusher:unsubscribe", "pusher:signin", "pusher:ping", "client-x"]
        )
        | TEXT,
    },
    optional={"channel": CHANNEL | JSON, "data": FIELDS | JSON},
)


@settings(max_examples=150, deadline=None)
@given(st.lists(FRAME | JSON, max_size=8))
def test_frames(frames: list[Any]) -> None:
    """Every frame is answered or ignored; what is sent can be encoded; leaving cleans up."""
    stage = Stage()
    stage.connect("1.1", "2.2")
    for socket in ("1.1", "2.2"):
        stage.subscribe(socket, "private-a")
    for frame in frames:
        stage.send_text("1.1", json.dumps(frame))
    for frame in stage.take("1.1") + stage.take("2.2"):
        assert isinstance(frame["event"], str)
        json.dumps(frame, ensure_ascii=False).encode()
    stage.disconnect("1.1")
    stage.disconnect("2.2")
    assert list(stage.service.hub) == []


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["/events", "/batch_events", "/users/ada/terminate_connections"]),
    st.fixed_dictionaries(
        {},
        optional={
            "name": TEXT | JSON,
            "data": TEXT | JSON,
            "channel": CHANNEL | JSON,
            "channels": st.lists(CHANNEL | JSON, max_size=3) | JSON,
            "batch": st.lists(JSON, max_size=3) | JSON,
            "socket_id": JSON,
            "info": JSON,
        },
    ),
)
def test_requests(path: str, fields: dict[str, Any]) -> None:
    """Every signed request is answered with an object, or refused with a reason."""
    answer = Caller(Stage()).post(path, fields)
    if isinstance(answer, tuple):
        status, text = answer
        assert status in (400, 413)
        assert text
        assert KEY not in text
