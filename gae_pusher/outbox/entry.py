"""OutboxEntry, the entity, and its one index: the slot."""

from __future__ import annotations

import secrets
import zlib
from datetime import UTC, datetime
from typing import Final

from google.cloud import ndb  # type: ignore[attr-defined]

__all__ = ["OutboxEntry", "due_slot", "entry_key", "new_id", "parked_slot", "shard_range"]

NAMESPACE: Final = ""  # one place for the sweep to look at, whatever namespace the app works in

_PARKED: Final = "parked"
_ID_BYTES: Final = 16


class OutboxEntry(ndb.Model):  # type: ignore[misc]
    """The events of one transaction that are still to be sent.

    `slot` says whose they are and when they are due, `APP|SHARD|MILLISECONDS`, or that they wait
    for a person, `APP|parked|MILLISECONDS`. It is the only index: the shard in front keeps
    Datastore from writing all of them to one end of it.
    """

    slot = ndb.StringProperty(required=True)
    events = ndb.TextProperty(required=True)
    # The immediate attempt after the commit is counted in advance: it costs no write.
    attempts = ndb.IntegerProperty(indexed=False, default=1)
    leased_until = ndb.FloatProperty(indexed=False, default=0.0)
    error = ndb.TextProperty()
    created = ndb.DateTimeProperty(indexed=False)
    expires = ndb.DateTimeProperty(indexed=False)

    @classmethod
    def _get_kind(cls) -> str:
        return "GaePusherOutboxEntry"

    @property
    def app_id(self) -> str:
        """The Channels app that these events are for."""
        return str(self.slot.split("|")[0])

    @property
    def parked(self) -> bool:
        """Whether it waits for a person."""
        return bool(self.slot.split("|")[1] == _PARKED)

    @property
    def due(self) -> float:
        """When it is due or was parked, in unix seconds."""
        return int(self.slot.split("|")[2]) / 1000


def new_id() -> str:
    """A random id: neighbours in time are no neighbours in Datastore."""
    return secrets.token_hex(_ID_BYTES)


def entry_key(entry: str) -> ndb.Key:
    """The key of an entry."""
    return ndb.Key(OutboxEntry, entry, namespace=NAMESPACE)


def due_slot(app_id: str, entry: str, shards: int, due: float) -> str:
    """The slot of an entry that is due at `due` in unix seconds."""
    return f"{app_id}|{zlib.crc32(entry.encode()) % shards:03d}|{_milliseconds(due)}"


def parked_slot(app_id: str, now: float) -> str:
    """The slot of an entry that nothing but a person sends again."""
    return f"{app_id}|{_PARKED}|{_milliseconds(now)}"


def shard_range(app_id: str, shard: int | str, until: float) -> tuple[str, str]:
    """The slots of one shard, or of 'parked', up to `until`: from the first to below the second."""
    name = f"{shard:03d}" if isinstance(shard, int) else shard
    return f"{app_id}|{name}|", f"{app_id}|{name}|{_milliseconds(until)}"


def utc(now: float) -> datetime:
    """A moment as NDB stores it, without a zone."""
    return datetime.fromtimestamp(now, UTC).replace(tzinfo=None)


def _milliseconds(now: float) -> str:
    return f"{int(now * 1000):014d}"
