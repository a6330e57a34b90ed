"""What a background task looks like on the wire: its path, its name, its JSON body."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from gae_pusher.errors import InvalidTask

__all__ = [
    "TRIGGER",
    "VERSION",
    "check_task",
    "decode_body",
    "encode_body",
    "task_id",
    "trigger_name",
    "trigger_payload",
]

# Counts up when a body's shape changes: a deploy or a roll-back meets tasks of the other version.
VERSION: Final = 1

# The task of `trigger_later`, which TaskApp handles itself.
TRIGGER: Final = "gae-pusher-trigger"

_TASK: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


def check_task(task: str) -> str:
    """The name of a kind of task, such as import-cards, which stands in the path too.

    Raises InvalidTask unless it is 1 to 100 letters, digits, hyphens and underscores.
    """
    if not isinstance(task, str) or not _TASK.fullmatch(task):
        raise InvalidTask(
            f"the task {task!r} must be 1 to 100 letters, digits, hyphens and underscores"
        )
    return task


def task_id(task: str, name: str) -> str:
    """The id under which Cloud Tasks knows the task that the app calls `name`.

    It starts with a hash: ids with sequential prefixes slow all commands on a queue.
    Raises InvalidTask for an empty name: every later task would be taken for the first one again.
    """
    _check_name(name)
    digest = hashlib.sha256(f"{task}\0{name}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"{digest[:32]}-{task}"


def encode_body(task: str, payload: Any) -> bytes:
    """A task's body: JSON with a version. Raises InvalidTask for what JSON cannot hold."""
    envelope = {"version": VERSION, "task": check_task(task), "payload": payload}
    try:
        return json.dumps(envelope, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidTask(
            f"the payload must be JSON (put the id of an entity into it, not the entity): {error}"
        ) from error


def decode_body(body: bytes) -> tuple[str, Any]:
    """The task and the payload of a body. Raises InvalidTask for another shape or version."""
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidTask(f"the body of {len(body)} bytes is not JSON") from None
    if not isinstance(envelope, dict) or not envelope.keys() >= {"version", "task", "payload"}:
        raise InvalidTask("the body is not of the shape that TaskQueue.add sends")
    if envelope["version"] != VERSION:
        raise InvalidTask(
            f"the body has version {envelope['version']!r}, this release reads {VERSION}"
        )
    return check_task(envelope["task"]), envelope["payload"]


def trigger_payload(app_id: str, event: Mapping[str, str]) -> dict[str, Any]:
    """What the task of `trigger_later` carries: an event of Verbs.event, and whose it is."""
    return {"app_id": app_id, "event": dict(event)}


def trigger_name(payload: Mapping[str, Any], name: str) -> str:
    """The name of that task: what the app calls `name` is one thing on each channel and event.

    Raises InvalidTask for an empty name.
    """
    event = payload["event"]
    return "\0".join([payload["app_id"], event["channel"], event["name"], _check_name(name)])


def _check_name(name: str) -> str:
    if not name:
        raise InvalidTask(
            "the task's name is empty: give a text that names the work, or leave it out"
        )
    return name
