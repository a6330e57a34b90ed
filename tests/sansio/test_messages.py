"""Values become text once, compactly, in UTF-8."""

from __future__ import annotations

import json
import math
from datetime import date
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher.errors import InvalidRequest, PayloadTooLarge
from gae_pusher.sansio import messages

PLAIN = messages.dumper(json.JSONEncoder)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


class Colour(IntEnum):
    """A value that is an int to JSON."""

    RED = 1
    BLUE = 2


class Dates(json.JSONEncoder):
    """Takes every keyword that json.dumps hands to an encoder, with one of its own."""

    def __init__(
        self,
        *,
        skipkeys: bool,
        ensure_ascii: bool,
        check_circular: bool,
        allow_nan: bool,
        indent: None,
        separators: tuple[str, str],
        default: None,
        sort_keys: bool,
        zone: str = "Z",
    ) -> None:
        super().__init__(ensure_ascii=ensure_ascii, separators=separators, sort_keys=True)
        self.zone = zone

    def default(self, o: Any) -> Any:
        return o.isoformat() + self.zone if isinstance(o, date) else super().default(o)


@given(JSON)
def test_what_json_can_hold_comes_back(value: Any) -> None:
    """Every JSON value but a str survives the road; a str is sent as it is."""
    text = messages.to_text(value, PLAIN)
    assert (text if isinstance(value, str) else json.loads(text)) == value
    text.encode()


def test_json_is_compact_and_not_escaped() -> None:
    """No spaces and no escapes: every byte counts against the limit."""
    assert messages.to_text({"a": [1, "é"]}, PLAIN) == '{"a":[1,"é"]}'


@pytest.mark.parametrize("value", [math.nan, math.inf, {1, 2}, b"bytes", object(), {(1,): 2}])
def test_what_a_browser_cannot_parse_is_refused(value: object) -> None:
    """NaN, sets, bytes and objects are the caller's mistake, and the text says what to do."""
    with pytest.raises(InvalidRequest, match=r"cannot be written as JSON .*json_encoder="):
        messages.to_text(value, PLAIN)


def test_endless_data_is_refused() -> None:
    """A list in itself is refused, not followed for ever."""
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(InvalidRequest, match=r"cannot be written .*[Cc]irc"):
        messages.to_text(circle, PLAIN)


def test_a_value_that_was_mended_is_taken() -> None:
    """A failure leaves nothing behind: neither the value nor what it holds is remembered."""
    inner: dict[str, Any] = {"when": date(2026, 1, 2)}
    value = {"a": [inner]}
    with pytest.raises(InvalidRequest):
        messages.to_text(value, PLAIN)
    inner["when"] = "2026-01-02"
    assert messages.to_text(value, PLAIN) == '{"a":[{"when":"2026-01-02"}]}'


@given(st.recursive(JSON | st.sampled_from(Colour), lambda v: st.tuples(v) | st.lists(v)))
def test_the_text_is_that_of_json_dumps(value: Any) -> None:
    """Also for what JSON has no kind of its own for: keys that are numbers, tuples, enums."""
    value = {2: value, None: [value], 2.5: (value,), True: value}
    told = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    assert messages.to_text(value, PLAIN) == told


def test_an_encoder_class_with_a_constructor_of_its_own() -> None:
    """An encoder that works with json.dumps works here, its own defaults and settings included."""
    dump = messages.dumper(Dates)
    assert messages.to_text({"b": date(2026, 1, 2), "a": 1}, dump) == '{"a":1,"b":"2026-01-02Z"}'


def test_an_encoder_is_made_for_each_value() -> None:
    """One that keeps state while it writes is never shared between threads or values."""
    made = []

    class Counting(json.JSONEncoder):
        def __init__(self, **options: Any) -> None:
            made.append(self)
            super().__init__(**options)

    dump = messages.dumper(Counting)
    assert [dump([]), dump([])] == ["[]", "[]"]
    assert len(made) == 2


@given(TEXT, st.integers(0, 30))
def test_size_is_counted_in_utf8_bytes(text: str, limit: int) -> None:
    """Characters do not matter, encoded bytes do; the error carries both numbers."""
    size = len(text.encode())
    if size <= limit:
        messages.check_size(text, limit, "data", "less")
        return
    with pytest.raises(PayloadTooLarge, match=f"has {size} bytes, the limit is {limit}") as caught:
        messages.check_size(text, limit, "data", "less")
    assert (caught.value.size, caught.value.limit) == (size, limit)


def test_a_lone_surrogate_is_refused() -> None:
    """Text that has no UTF-8 form is named instead of failing in a codec."""
    with pytest.raises(InvalidRequest, match="the data has a lone surrogate"):
        messages.utf8_size("a\ud800", "the data")
