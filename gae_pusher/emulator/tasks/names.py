"""Resource names of locations, queues and tasks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gae_pusher.emulator.tasks.refusal import Code, Refusal

__all__ = ["Location", "QueueName", "TaskName", "parse_location", "parse_queue", "parse_task"]

_LOCATION: Final = r"projects/(?P<project>[A-Za-z0-9.:-]+)/locations/(?P<location>[A-Za-z0-9-]+)"
_QUEUE: Final = _LOCATION + r"/queues/(?P<queue>[A-Za-z0-9-]{1,100})"
_TASK: Final = _QUEUE + r"/tasks/(?P<task>[A-Za-z0-9_-]{1,500})"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A region of a project."""

    project: str
    location: str

    def __str__(self) -> str:
        return f"projects/{self.project}/locations/{self.location}"


@dataclass(frozen=True, slots=True, order=True)
class QueueName:
    """A queue in a location; `short` is what X-AppEngine-QueueName carries."""

    location: Location
    short: str

    def __str__(self) -> str:
        return f"{self.location}/queues/{self.short}"


@dataclass(frozen=True, slots=True, order=True)
class TaskName:
    """A task in a queue."""

    queue: QueueName
    short: str

    def __str__(self) -> str:
        return f"{self.queue}/tasks/{self.short}"


def parse_location(text: str) -> Location:
    """Raises Refusal for anything but projects/PROJECT/locations/LOCATION."""
    parts = _parse(_LOCATION, text, "projects/PROJECT_ID/locations/LOCATION_ID")
    return Location(parts["project"], parts["location"])


def parse_queue(text: str) -> QueueName:
    """Raises Refusal for anything but .../queues/ and 1 to 100 letters, digits, hyphens."""
    form = "projects/PROJECT_ID/locations/LOCATION_ID/queues/QUEUE_ID (1 to 100 of A-Z a-z 0-9 -)"
    parts = _parse(_QUEUE, text, form)
    return QueueName(Location(parts["project"], parts["location"]), parts["queue"])


def parse_task(text: str) -> TaskName:
    """Raises Refusal for anything but .../tasks/ and 1 to 500 letters, digits, - and _."""
    form = (
        "projects/PROJECT_ID/locations/LOCATION_ID/queues/QUEUE_ID/tasks/TASK_ID "
        "(1 to 500 of A-Z a-z 0-9 - _)"
    )
    parts = _parse(_TASK, text, form)
    queue = QueueName(Location(parts["project"], parts["location"]), parts["queue"])
    return TaskName(queue, parts["task"])


def _parse(pattern: str, text: str, form: str) -> dict[str, str]:
    match = re.fullmatch(pattern, text, re.ASCII)
    if match is None:
        raise Refusal(Code.INVALID_ARGUMENT, f"the name {text[:600]!r} must have the form {form}")
    return match.groupdict()
