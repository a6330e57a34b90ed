"""Durable events as JSON, and the id inside their data."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher import UnknownEntryVersion
from gae_pusher.outbox.entry import due_slot, shard_range
from gae_pusher.outbox.events import Event, dump, event_id, load, with_id
from gae_pusher.outbox.policy import Policy

texts = st.text(max_size=30)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
)
events = st.builds(
    Event,
    id=texts,
    channels=st.lists(texts, min_size=1).map(tuple),
    name=texts,
    data=texts,
    socket_id=st.none() | texts,
)


@given(st.lists(events, max_size=4))
def test_what_is_stored_is_what_is_read(some: list[Event]) -> None:
    """An entry holds any text without loss."""
    assert load(dump(some)) == some


def test_another_version_is_refused() -> None:
    """A shape of another release is not guessed at."""
    with pytest.raises(UnknownEntryVersion, match="version 2"):
        load('{"version": 2, "events": []}')


@given(st.dictionaries(texts, values, max_size=4), st.sampled_from([(",", ":"), (" , ", " : ")]))
def test_an_object_gets_its_id(fields: dict[str, object], separators: tuple[str, str]) -> None:
    """One more field in front, the others as they were; never over a field of that name."""
    text = with_id(json.dumps(fields, separators=separators), "event_id", "e1")
    assert json.loads(text) == {"event_id": "e1", **fields}


@given(values.filter(lambda value: not isinstance(value, dict)))
def test_other_data_is_sent_as_it_is(value: object) -> None:
    """There is no place for an id in a list, a number or a text."""
    text = json.dumps(value)
    assert with_id(text, "event_id", "e1") == text
    assert with_id("{no json", "event_id", "e1") == "{no json"


def test_an_id_belongs_to_one_event() -> None:
    """Entry, place, channels, name and data make the id, and nothing else does."""
    fields = {"channels": ("a",), "name": "e", "socket_id": None, "data": "sealed"}
    ids = [
        event_id("x", 0, fields, "1"),
        event_id("y", 0, fields, "1"),
        event_id("x", 1, fields, "1"),
        event_id("x", 0, fields, "2"),
        event_id("x", 0, {**fields, "name": "f"}, "1"),
        event_id("x", 0, {**fields, "channels": ("b",)}, "1"),
    ]
    assert len(set(ids)) == len(ids)
    assert event_id("x", 0, {**fields, "data": "sealed anew"}, "1") == ids[0]


@given(
    st.integers(1, 999), st.text("0123456789abcdef", min_size=32, max_size=32), st.floats(0, 4e9)
)
def test_a_slot_is_found_when_it_is_due(shards: int, entry: str, due: float) -> None:
    """In the range of its shard from its time on, and not a second before."""
    slot = due_slot("4242", entry, shards, due)
    shard = int(slot.split("|")[1])
    assert shard < shards
    low, high = shard_range("4242", shard, due + 0.002)
    assert low <= slot < high
    low, high = shard_range("4242", shard, due - 1) if due > 1 else (low, low)
    assert not low <= slot < high


@given(st.integers(1, 10_000))
def test_back_off_is_bounded_and_jittered(attempt: int) -> None:
    """It doubles up to its longest, and is at least half of that."""
    policy = Policy(0.5, 60, 60, 20, 1_000, 4)
    longest = min(
        policy.first_backoff_seconds * 2 ** min(attempt - 1, 99), policy.longest_backoff_seconds
    )
    assert longest / 2 <= policy.backoff(attempt) <= longest
