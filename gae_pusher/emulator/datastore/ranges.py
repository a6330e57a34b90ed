"""Sets of encoded values, as half-open intervals in order: what an inequality filter admits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from gae_pusher.emulator.datastore.encoding import INVERTED, successor

__all__ = [
    "EVERYTHING",
    "Interval",
    "Ranges",
    "above",
    "at_least",
    "at_most",
    "beginning_with",
    "below",
    "contains",
    "intersect",
    "inverted",
    "one_of",
    "outside",
]


class Interval(NamedTuple):
    """From `low` on and below `high`, or without end."""

    low: bytes
    high: bytes | None


Ranges = tuple[Interval, ...]

EVERYTHING: Final[Ranges] = (Interval(b"", None),)


def beginning_with(value: bytes) -> Ranges:
    """Exactly this value, and in rows all that goes on after it."""
    return (Interval(value, successor(value)),)


def below(value: bytes) -> Ranges:
    """Less than the value."""
    return (Interval(b"", value),)


def at_least(value: bytes) -> Ranges:
    """The value or more."""
    return (Interval(value, None),)


def at_most(value: bytes) -> Ranges:
    """The value or less."""
    return (Interval(b"", successor(value)),)


def above(value: bytes) -> Ranges:
    """More than the value."""
    after = successor(value)
    return () if after is None else (Interval(after, None),)


def one_of(values: Iterable[bytes]) -> Ranges:
    """Exactly these values."""
    return tuple(Interval(value, successor(value)) for value in sorted(set(values)))


def outside(values: Iterable[bytes]) -> Ranges:
    """All but these values."""
    ranges = EVERYTHING
    for value in values:
        ranges = intersect(ranges, (*below(value), *above(value)))
    return ranges


def contains(ranges: Ranges, value: bytes) -> bool:
    """Whether a value is in one of the intervals."""
    return any(value >= low and (high is None or value < high) for low, high in ranges)


def intersect(one: Ranges, other: Ranges) -> Ranges:
    """What is in both."""
    found = (_overlap(left, right) for left in one for right in other)
    return tuple(interval for interval in found if interval is not None)


def _overlap(one: Interval, other: Interval) -> Interval | None:
    low = max(one.low, other.low)
    highs = [high for high in (one.high, other.high) if high is not None]
    high = min(highs, default=None)
    return None if high is not None and low >= high else Interval(low, high)


def inverted(ranges: Ranges) -> Ranges:
    """The same values in a descending column."""
    return tuple(_invert(interval) for interval in reversed(ranges))


def _invert(interval: Interval) -> Interval:
    low, high = interval
    return Interval(
        b"" if high is None else successor(high.translate(INVERTED)) or b"",
        successor(low.translate(INVERTED)) if low else None,
    )
