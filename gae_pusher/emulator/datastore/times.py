"""Times that clients give: microseconds of unix time, as versions are."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from gae_pusher.emulator.datastore.refusals import invalid

__all__ = ["micros_of"]


def micros_of(timestamp: Timestamp) -> int:
    """A protobuf timestamp. Raises Refusal for one that is more precise than any version."""
    if timestamp.nanos % 1_000:
        raise invalid("timestamp cannot have more than microseconds precision")
    micros: int = timestamp.ToMicroseconds()
    return micros
