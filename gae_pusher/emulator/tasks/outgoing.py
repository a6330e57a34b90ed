"""The HTTP request of a dispatch, with the headers that production sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gae_pusher.emulator.appengine.headers import APP_ENGINE_AGENT
from gae_pusher.emulator.tasks.task import AppEngineTarget, Dispatch, HttpTarget

__all__ = ["Outgoing", "outgoing"]

HTTP_AGENT: Final = "Google-Cloud-Tasks"

# What a caller cannot set: App Engine and Cloud Tasks own these.
_OWN_PREFIXES: Final = ("x-appengine-", "x-google-", "x-cloudtasks-")
_OWN_NAMES: Final = frozenset({"host", "content-length", "user-agent", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request to send: a full URL, and headers without Host and Content-Length."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def outgoing(dispatch: Dispatch, app_url: str) -> Outgoing:
    """The request for a task; `app_url` is where the app itself is, without a last slash."""
    target = dispatch.target
    headers = {
        name: value
        for name, value in target.headers.items()
        if name.lower() not in _OWN_NAMES and not name.lower().startswith(_OWN_PREFIXES)
    }
    if isinstance(target, HttpTarget):
        headers |= {"User-Agent": HTTP_AGENT} | _facts(dispatch, "X-CloudTasks-")
        return Outgoing(target.method, target.url, headers, target.body)
    if target.body and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = "application/octet-stream"
    headers |= {"User-Agent": _agent(target)} | _facts(dispatch, "X-AppEngine-")
    return Outgoing(target.method, app_url + target.relative_uri, headers, target.body)


def _agent(target: AppEngineTarget) -> str:
    own = next((v for name, v in target.headers.items() if name.lower() == "user-agent"), "")
    return f"{own} {APP_ENGINE_AGENT}".lstrip()


def _facts(dispatch: Dispatch, prefix: str) -> dict[str, str]:
    facts = {
        "QueueName": dispatch.task.queue.short,
        "TaskName": dispatch.task.short,
        "TaskRetryCount": str(dispatch.retries),
        "TaskExecutionCount": str(dispatch.responses),
        "TaskETA": f"{dispatch.scheduled:.6f}",
    }
    if dispatch.previous is not None:
        facts["TaskRetryReason"] = dispatch.previous.problem or "the attempt failed"
        if dispatch.previous.status is not None:
            facts["TaskPreviousResponse"] = str(dispatch.previous.status)
    return {prefix + name: value for name, value in facts.items()}
