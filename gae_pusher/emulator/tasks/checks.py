"""What CreateTask takes: the documented limits of a task, checked before it is stored."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from gae_pusher.emulator.loopback import is_loopback
from gae_pusher.emulator.tasks.refusal import Code, Refusal
from gae_pusher.emulator.tasks.task import AppEngineTarget, HttpTarget, Target
from gae_pusher.limits import TASK_BYTES, TASK_DELAY_SECONDS

__all__ = ["check_deadline", "check_schedule", "check_size", "check_target"]

LONGEST_URI: Final = 2_083  # characters
SHORTEST_DEADLINE: Final = 15  # seconds
LONGEST_DEADLINE: Final = {AppEngineTarget: 86_415, HttpTarget: 1_800}  # 24 h 15 s, 30 min
_WITH_BODY: Final = {
    AppEngineTarget: frozenset({"POST", "PUT"}),
    HttpTarget: frozenset({"POST", "PUT", "PATCH"}),
}


def check_size(size: int) -> None:
    """Raises Refusal for a task over 100 KB, all of it counted."""
    if size > TASK_BYTES:
        raise _invalid(
            f"Task size too large: {size} bytes, the limit is {TASK_BYTES}. Keep the data in a "
            "database and put a reference to it into the task"
        )


def check_schedule(scheduled: float, now: float) -> float:
    """The time that counts: now for the past. Raises Refusal for more than 30 days ahead."""
    if scheduled - now > TASK_DELAY_SECONDS:
        days = (scheduled - now) / 86_400
        raise _invalid(f"schedule_time is {days:.1f} days ahead, the limit is 30 days")
    return max(scheduled, now)


def check_deadline(deadline: float, target: Target) -> float | None:
    """None for 0, the default. Raises Refusal outside of the target's interval."""
    longest = LONGEST_DEADLINE[type(target)]
    if not deadline:
        return None
    if not SHORTEST_DEADLINE <= deadline <= longest:
        raise _invalid(
            f"dispatch_deadline is {deadline:g} s, it must be {SHORTEST_DEADLINE} to {longest} s"
        )
    return deadline


def check_target(target: Target) -> None:
    """Raises Refusal for a body that the method does not carry, or a malformed address."""
    if target.body and target.method not in _WITH_BODY[type(target)]:
        allowed = ", ".join(sorted(_WITH_BODY[type(target)]))
        raise _invalid(f"a {target.method} task has no body, only {allowed} has one")
    if isinstance(target, AppEngineTarget):
        _check_relative_uri(target.relative_uri)
    else:
        _check_url(target.url)


def _check_relative_uri(uri: str) -> None:
    if not uri.startswith("/") or not _fits(uri):
        raise _invalid(
            "app_engine_http_request.relative_uri must begin with / and have no spaces and at "
            f"most {LONGEST_URI} characters: {uri[:100]!r}"
        )


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise _invalid(f"http_request.url is no URL: {url[:100]!r}") from None
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host or not _fits(url):
        raise _invalid(
            "http_request.url must begin with http:// or https:// and have no spaces and at "
            f"most {LONGEST_URI} characters: {url[:100]!r}"
        )
    if not is_loopback(host):
        raise Refusal(
            Code.FAILED_PRECONDITION,
            f"this local Cloud Tasks sends HTTP tasks to this machine only, not to "
            f"{host}: use http://127.0.0.1:PORT/ during development",
        )


def _fits(uri: str) -> bool:
    return len(uri) <= LONGEST_URI and all("!" <= character <= "~" for character in uri)


def _invalid(message: str) -> Refusal:
    return Refusal(Code.INVALID_ARGUMENT, message)
