"""A durable event as a value, as JSON with a version, and as what a plan of triggers holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from gae_pusher.errors import InTransaction, UnknownEntryVersion
from gae_pusher.sansio.operations import Plan

__all__ = ["VERSION", "Event", "dump", "event_id", "load", "with_id", "written"]

# Counts up when the shape changes: a deploy or a roll-back meets entries of the other release.
VERSION: Final = 1

_ID_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class Event:
    """One event: `data` is the very text to send, on an encrypted channel its envelope."""

    id: str
    channels: tuple[str, ...]
    name: str
    data: str = field(repr=False)
    socket_id: str | None = None


def written(plan: Plan[Any]) -> Iterator[dict[str, Any]]:
    """The events of a plan of triggers, as the fields of Event without the id.

    Raises InTransaction when one asks for `info`: nobody can answer that before it is sent.
    """
    for operation in plan.operations:
        body = json.loads(operation.body or b"{}")
        for item in body.get("batch", (body,)):
            if "info" in item:
                raise InTransaction(
                    f"info= for event {item['name']!r} cannot be answered inside a transaction: "
                    "ask with channel_info after it"
                )
            channels = item.get("channels") or [item["channel"]]
            yield {
                "channels": tuple(channels),
                "name": item["name"],
                "data": item["data"],
                "socket_id": item.get("socket_id"),
            }


def event_id(entry: str, index: int, fields: dict[str, Any], text: str) -> str:
    """The same for the same event in each attempt of a transaction, and for no other event.

    `text` is the data before encryption, which is different each time.
    """
    parts = json.dumps([entry, index, fields["channels"], fields["name"], text])
    return hashlib.sha256(parts.encode()).hexdigest()[:_ID_LENGTH]


def with_id(text: str, name: str, value: str) -> str:
    """A JSON object with one more field in front; any other text, or one that has it, unchanged."""
    try:
        known = json.loads(text) if text.startswith("{") else None
    except ValueError:
        return text
    if not isinstance(known, dict) or name in known:
        return text
    rest = text[1:].lstrip()
    comma = "" if rest.startswith("}") else ","
    return f"{{{json.dumps(name)}:{json.dumps(value)}{comma}{rest}"


def dump(events: Iterable[Event]) -> str:
    """Events as the text that is stored."""
    value = {"version": VERSION, "events": [asdict(event) for event in events]}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def load(text: str) -> list[Event]:
    """Events out of a stored text. Raises UnknownEntryVersion."""
    value = json.loads(text)
    if value["version"] != VERSION:
        raise UnknownEntryVersion(
            f"the entry has version {value['version']!r}, this release reads {VERSION}"
        )
    return [Event(**{**each, "channels": tuple(each["channels"])}) for each in value["events"]]
