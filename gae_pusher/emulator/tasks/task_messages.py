"""Tasks as protobuf messages, both ways."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from google.cloud import tasks_v2

from gae_pusher.emulator.tasks.checks import (
    check_deadline,
    check_schedule,
    check_size,
    check_target,
)
from gae_pusher.emulator.tasks.names import QueueName, TaskName, parse_task
from gae_pusher.emulator.tasks.queue_messages import (
    in_seconds,
    retry_message,
    retry_policy,
    routing,
    routing_message,
)
from gae_pusher.emulator.tasks.refusal import Code, Refusal
from gae_pusher.emulator.tasks.task import (
    AppEngineTarget,
    Attempt,
    HttpTarget,
    Outcome,
    Target,
    Task,
)

__all__ = ["new_task", "status_of", "task_message"]

FULL: Final = tasks_v2.Task.View.FULL
BASIC: Final = tasks_v2.Task.View.BASIC

# Task.retry_config is younger than the oldest google-cloud-tasks that this works with.
_HAS_TASK_RETRY: Final = "retry_config" in tasks_v2.Task.meta.fields

# How google.rpc.Status tells HTTP statuses; what is not here is UNKNOWN.
_STATUS_CODES: Final = {
    **{400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 429: 8, 499: 1},
    **{500: 13, 501: 12, 503: 14, 504: 4},
}
_UNKNOWN: Final = 2
_DEADLINE_EXCEEDED: Final = 4
_UNAVAILABLE: Final = 14


def new_task(message: tasks_v2.Task, queue: QueueName, now: float) -> Task:
    """A task to add to a queue. Raises Refusal for what the documented limits forbid."""
    pb = tasks_v2.Task.pb(message)
    check_size(pb.ByteSize())
    name = parse_task(message.name) if message.name else TaskName(queue, _random_id())
    if name.queue != queue:
        raise Refusal(Code.INVALID_ARGUMENT, f"the task {name} does not belong to {queue}")
    target = _target(message)
    check_target(target)
    scheduled = in_seconds(pb.schedule_time) if "schedule_time" in message else now
    has_retry = _HAS_TASK_RETRY and "retry_config" in message
    return Task(
        name=name,
        target=target,
        created=now,
        scheduled=check_schedule(scheduled, now),
        deadline_seconds=check_deadline(in_seconds(pb.dispatch_deadline), target),
        retry=retry_policy(message.retry_config) if has_retry else None,
    )


def task_message(task: Task, view: int, app_host: str) -> tasks_v2.Task:
    """A task as the API shows it; the basic view, also that of 0, has no body."""
    full = view == FULL
    message = tasks_v2.Task(
        name=str(task.name),
        schedule_time=datetime.fromtimestamp(task.scheduled, UTC),
        create_time=datetime.fromtimestamp(int(task.created), UTC),
        dispatch_count=task.dispatches,
        response_count=task.responses,
        view=FULL if full else BASIC,
    )
    _set_target(message, task.target, app_host, with_body=full)
    if task.deadline_seconds is not None:
        message.dispatch_deadline = timedelta(seconds=task.deadline_seconds)
    if task.retry is not None:
        message.retry_config = retry_message(task.retry)
    if task.first_attempt is not None:
        dispatched = datetime.fromtimestamp(task.first_attempt.dispatched, UTC)
        message.first_attempt = tasks_v2.Attempt(dispatch_time=dispatched)
    if task.last_attempt is not None:
        message.last_attempt = _attempt_message(task.last_attempt)
    return message


def status_of(outcome: Outcome) -> tuple[int, str]:
    """The code and the message that google.rpc.Status has for the end of an attempt."""
    if outcome.success:
        return 0, ""
    if outcome.timed_out:
        return _DEADLINE_EXCEEDED, outcome.problem or ""
    if outcome.status is None:
        return _UNAVAILABLE, outcome.problem or ""
    return _STATUS_CODES.get(outcome.status, _UNKNOWN), f"HTTP status code {outcome.status}"


def _target(message: tasks_v2.Task) -> Target:
    if "app_engine_http_request" in message:
        request = message.app_engine_http_request
        return AppEngineTarget(
            method=_method(request.http_method),
            relative_uri=request.relative_uri or "/",
            headers=dict(request.headers),
            body=request.body,
            routing=routing(request.app_engine_routing),
        )
    if "http_request" in message:
        request = message.http_request
        method = _method(request.http_method)
        return HttpTarget(method, request.url, dict(request.headers), request.body)
    raise Refusal(
        Code.INVALID_ARGUMENT, "the task has neither app_engine_http_request nor http_request"
    )


def _set_target(message: tasks_v2.Task, target: Target, host: str, *, with_body: bool) -> None:
    method = getattr(tasks_v2.HttpMethod, target.method)
    body = target.body if with_body else b""
    if isinstance(target, HttpTarget):
        message.http_request = tasks_v2.HttpRequest(
            url=target.url, http_method=method, headers=target.headers, body=body
        )
        return
    where = routing_message(target.routing)
    where.host = host
    message.app_engine_http_request = tasks_v2.AppEngineHttpRequest(
        http_method=method,
        relative_uri=target.relative_uri,
        headers=target.headers,
        body=body,
        app_engine_routing=where,
    )


def _attempt_message(attempt: Attempt) -> tasks_v2.Attempt:
    message = tasks_v2.Attempt(
        schedule_time=datetime.fromtimestamp(attempt.scheduled, UTC),
        dispatch_time=datetime.fromtimestamp(attempt.dispatched, UTC),
    )
    if attempt.responded is not None and attempt.outcome is not None:
        message.response_time = datetime.fromtimestamp(attempt.responded, UTC)
        code, words = status_of(attempt.outcome)
        message.response_status = {"code": code, "message": words}
    return message


def _method(value: int) -> str:
    try:
        method = tasks_v2.HttpMethod(value)
    except ValueError:
        raise Refusal(Code.INVALID_ARGUMENT, f"http_method is {value}, which is none") from None
    return "POST" if method == tasks_v2.HttpMethod.HTTP_METHOD_UNSPECIFIED else method.name


def _random_id() -> str:
    """Digits, as production's own ids are."""
    return str(secrets.randbelow(9 * 10**18) + 10**18)
