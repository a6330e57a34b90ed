"""What the local stack tells its console: one value for each thing that happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["Activity", "Tell"]


@dataclass(frozen=True, slots=True)
class Activity:
    """`kind` says which facts there are; `time` is unix time in seconds.

    request: method, path, status, took_seconds, served_by (app, static or front), remark (why the
    app was not asked, or None). output: source, text. note: text. problem: text. event, webhook,
    connection, api: what the Channels server's log says. task: what the tasks emulator's log says.
    cron: url, schedule, status (None without an answer), problem (or None), took_seconds.
    """

    kind: str
    time: float
    facts: Mapping[str, Any]


Tell: TypeAlias = Callable[[Activity], None]
