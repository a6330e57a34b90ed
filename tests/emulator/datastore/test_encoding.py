"""Encoded values and keys compare as the Datastore orders them, and come back."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gae_pusher.emulator.datastore.encoding import Reader, successor
from gae_pusher.emulator.datastore.indexes import Column, IndexSpec, path_of, rows_of
from gae_pusher.emulator.datastore.keys import Partition, decode_key, encode_path, kind_of
from gae_pusher.emulator.datastore.messages import Value
from gae_pusher.emulator.datastore.ranges import (
    Ranges,
    above,
    at_least,
    at_most,
    below,
    contains,
    intersect,
    inverted,
    one_of,
    outside,
)
from gae_pusher.emulator.datastore.rows import ascending, split
from gae_pusher.emulator.datastore.values import decode_value, encode_value, skip_value
from tests.emulator.datastore.raw import Point, Raw, Time, message_value, plain_key

raw = Raw("127.0.0.1:1")
integers = st.integers(-(2**63), 2**63 - 1)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
paths = st.lists(st.tuples(names, names | integers.filter(bool)), min_size=1, max_size=3)


def keyed(path: list[tuple[str, Any]]) -> Any:
    return raw.key(*(part for element in path for part in element))


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
points = st.tuples(st.floats(-90, 90), st.floats(-180, 180)).map(Point)
values = st.one_of(
    st.none(),
    st.booleans(),
    integers,
    st.floats(),
    texts,
    st.binary(max_size=6),
    st.integers(-(10**15), 10**15).map(Time),
    points,
    paths.map(keyed),
)


def place(value: Any) -> tuple[Any, ...]:
    """An independent statement of the order: the rank of the type, and what compares within it."""
    match value:
        case None:
            return (0,)
        case bool():
            return 2, value
        case int():
            return 1, int(value)
        case str():
            return 3, value.encode()
        case bytes():
            return 3, value
        case float():
            return (
                4,
                math.isnan(value),
                0.0 if math.isnan(value) else (value, math.copysign(1, value)),
            )
        case Point():
            return 5, *(place(coordinate) for coordinate in value)
    elements = [(e.kind.encode(), bool(e.name), e.id, e.name.encode()) for e in value.path]
    return 6, elements


def encoded(value: Any) -> bytes:
    return encode_value(message_value(value))


@given(values, values)
def test_encodings_compare_as_values_do(one: Any, other: Any) -> None:
    """Within a type and across types the order of the bytes is the order of the values."""
    assert (encoded(one) < encoded(other)) == (place(one) < place(other))
    assert (encoded(one) == encoded(other)) == (place(one) == place(other))


@given(st.lists(values, min_size=1, max_size=4), st.lists(st.booleans(), min_size=4, max_size=4))
def test_columns_are_found_again(found: list[Any], directions: list[bool]) -> None:
    """Rows can be cut into their columns without knowing the types, in either direction."""
    columns = tuple(Column("p", down) for _, down in zip(found, directions, strict=False))
    row = b"".join(ascending(encoded(v), c) for v, c in zip(found, columns, strict=True)) + b"\x02x"
    assert [ascending(v, c) for v, c in zip(split(row, columns), columns, strict=True)] == [
        encoded(value) for value in found
    ]


@given(values)
def test_values_come_back(value: Any) -> None:
    """A decoded value encodes to the same bytes, and nothing is left over."""
    data = encoded(value)
    assert encode_value(decode_value(data, Value())) == data
    reader = Reader(data)
    skip_value(reader)
    assert reader.position == len(data)


@given(paths)
def test_keys_come_back(path: list[tuple[str, Any]]) -> None:
    """A path is the same after encoding and decoding, and a row says which it belongs to."""
    data = encode_path(keyed(path))
    assert plain_key(decode_key(data, Partition("demo", "", ""))) == tuple(path)
    assert kind_of(data) == path[-1][0]
    (row,) = rows_of(IndexSpec(None, False, ()), data, {})
    assert path_of(row) == data


@given(paths, paths)
def test_ancestors_are_prefixes(one: list[tuple[str, Any]], other: list[tuple[str, Any]]) -> None:
    """A path begins with another exactly when that is an ancestor's or its own."""
    is_ancestor = other[: len(one)] == one
    assert encode_path(keyed(other)).startswith(encode_path(keyed(one))) == is_ancestor


@given(st.binary(max_size=4), st.binary(max_size=6))
def test_the_successor_is_above_all_that_begins_so(data: bytes, other: bytes) -> None:
    """Bytes are below the successor exactly when they begin so or are below anyway."""
    after = successor(data)
    assert after is None or (other < after) == (other.startswith(data) or other < data)


ranges = st.one_of(
    st.sampled_from([below, at_most, above, at_least]).flatmap(
        lambda make: values.map(encoded).map(make)
    ),
    st.lists(values.map(encoded), max_size=3).map(one_of),
    st.lists(values.map(encoded), max_size=3).map(outside),
)


@given(ranges, ranges, values)
def test_ranges_are_sets(one: Ranges, other: Ranges, value: Any) -> None:
    """An intersection holds what both hold, and inverting turns ranges as it turns values."""
    data = encoded(value)
    both = contains(one, data) and contains(other, data)
    assert contains(intersect(one, other), data) == both
    turned = ascending(data, Column("p", True))
    assert contains(inverted(one), turned) == contains(one, data)


@given(values, values)
def test_ranges_mean_their_operators(bound: Any, value: Any) -> None:
    """Less, at most, more, at least, equal and unequal are what they are for values."""
    limit, data = encoded(bound), encoded(value)
    assert contains(below(limit), data) == (place(value) < place(bound))
    assert contains(at_most(limit), data) == (place(value) <= place(bound))
    assert contains(above(limit), data) == (place(value) > place(bound))
    assert contains(at_least(limit), data) == (place(value) >= place(bound))
    assert contains(one_of([limit]), data) == (place(value) == place(bound))
    assert contains(outside([limit]), data) == (place(value) != place(bound))
