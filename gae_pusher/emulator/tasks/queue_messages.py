"""Queues as protobuf messages, both ways, with the documented limits of their settings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.cloud import tasks_v2
from google.protobuf.field_mask_pb2 import FieldMask

from gae_pusher.emulator.tasks.queue import Queue, QueueState
from gae_pusher.emulator.tasks.refusal import Code, Refusal
from gae_pusher.emulator.tasks.retry import RetryPolicy
from gae_pusher.emulator.tasks.settings import (
    MAX_CONCURRENT,
    MAX_PER_SECOND,
    QueueSettings,
    RateLimits,
    Routing,
    default_burst,
)

__all__ = [
    "in_seconds",
    "merged_settings",
    "new_settings",
    "queue_message",
    "retry_message",
    "retry_policy",
    "routing",
    "routing_message",
]

LONGEST_DURATION: Final = 315_576_000_000  # seconds; protobuf's own limit

_STATES: Final[dict[QueueState, Any]] = {
    QueueState.RUNNING: tasks_v2.Queue.State.RUNNING,
    QueueState.PAUSED: tasks_v2.Queue.State.PAUSED,
}


def queue_message(queue: Queue) -> tasks_v2.Queue:
    """A queue as the API shows it."""
    message = _settings_message(queue.settings)
    message.name = str(queue.name)
    message.state = _STATES[queue.state]
    if queue.purged is not None:
        message.purge_time = datetime.fromtimestamp(queue.purged, UTC)
    return message


def new_settings(message: tasks_v2.Queue) -> QueueSettings:
    """The settings of a queue to create; what is not set has the service's default."""
    if "http_target" in message:
        raise Refusal(
            Code.UNIMPLEMENTED,
            "this local Cloud Tasks has no queue-level http_target: set the URL per task",
        )
    override = message.app_engine_routing_override
    return QueueSettings(
        rate=_rate_limits(message.rate_limits),
        retry=retry_policy(message.retry_config),
        routing=routing(override) if "app_engine_routing_override" in message else None,
    )


def merged_settings(
    current: QueueSettings, message: tasks_v2.Queue, paths: Iterable[str]
) -> QueueSettings:
    """The settings after an update of what a mask names; an empty one means all fields."""
    mask = FieldMask(paths=paths)
    if not mask.paths:
        return _kept(current, new_settings(message))
    united = tasks_v2.Queue.pb(_settings_message(current))
    if not mask.IsValidForDescriptor(united.DESCRIPTOR):
        raise _invalid(f"update_mask names fields that a queue does not have: {list(mask.paths)}")
    mask.MergeMessage(tasks_v2.Queue.pb(message), united, True, True)
    settings = new_settings(tasks_v2.Queue.wrap(united))
    if "retry_config.max_doublings" in mask.paths:  # in protobuf an unset number is 0 as well
        doublings = message.retry_config.max_doublings
        settings = replace(settings, retry=replace(settings.retry, max_doublings=doublings))
    return _kept(current, settings)


def routing(message: tasks_v2.AppEngineRouting) -> Routing:
    """Where an App Engine task is to go; the host is output only."""
    return Routing(message.service, message.version, message.instance)


def routing_message(value: Routing) -> tasks_v2.AppEngineRouting:
    """A routing as the API shows it."""
    return tasks_v2.AppEngineRouting(
        service=value.service, version=value.version, instance=value.instance
    )


def in_seconds(message: Any) -> float:
    """A Timestamp or Duration of protobuf as a number: Python's own types hold less than these."""
    seconds: float = message.seconds + message.nanos / 1e9
    return seconds


def retry_policy(message: tasks_v2.RetryConfig) -> RetryPolicy:
    """Raises Refusal for values outside the documented limits."""
    default = RetryPolicy()
    policy = RetryPolicy(
        max_attempts=message.max_attempts or default.max_attempts,
        max_retry_seconds=_seconds(message, "max_retry_duration", default.max_retry_seconds),
        min_backoff_seconds=_seconds(message, "min_backoff", default.min_backoff_seconds),
        max_backoff_seconds=_seconds(message, "max_backoff", default.max_backoff_seconds),
        max_doublings=message.max_doublings or default.max_doublings,
    )
    if policy.max_attempts < -1:
        raise _invalid(f"retry_config.max_attempts is {policy.max_attempts}, the least is -1")
    if policy.max_doublings < 0:
        raise _invalid(f"retry_config.max_doublings is {policy.max_doublings}, the least is 0")
    if policy.min_backoff_seconds > policy.max_backoff_seconds:
        raise _invalid(
            f"retry_config.min_backoff, {policy.min_backoff_seconds:g} s, is longer than "
            f"max_backoff, {policy.max_backoff_seconds:g} s"
        )
    return policy


def retry_message(policy: RetryPolicy) -> tasks_v2.RetryConfig:
    """A retry policy as the API shows it."""
    return tasks_v2.RetryConfig(
        max_attempts=policy.max_attempts,
        max_retry_duration=timedelta(seconds=policy.max_retry_seconds),
        min_backoff=timedelta(seconds=policy.min_backoff_seconds),
        max_backoff=timedelta(seconds=policy.max_backoff_seconds),
        max_doublings=policy.max_doublings,
    )


def _settings_message(settings: QueueSettings) -> tasks_v2.Queue:
    rate = tasks_v2.RateLimits(
        max_dispatches_per_second=settings.rate.per_second,
        max_burst_size=settings.rate.burst,
        max_concurrent_dispatches=settings.rate.concurrent,
    )
    message = tasks_v2.Queue(rate_limits=rate, retry_config=retry_message(settings.retry))
    if settings.routing is not None:
        message.app_engine_routing_override = routing_message(settings.routing)
    return message


def _rate_limits(message: tasks_v2.RateLimits) -> RateLimits:
    """The burst is output only: it follows from the rate."""
    per_second = message.max_dispatches_per_second or RateLimits().per_second
    concurrent = message.max_concurrent_dispatches or RateLimits().concurrent
    if not 0 < per_second <= MAX_PER_SECOND:
        raise _invalid(
            f"rate_limits.max_dispatches_per_second is {per_second:g}, it must be over 0 and at "
            f"most {MAX_PER_SECOND}"
        )
    if not 0 < concurrent <= MAX_CONCURRENT:
        raise _invalid(
            f"rate_limits.max_concurrent_dispatches is {concurrent}, it must be 1 to "
            f"{MAX_CONCURRENT}"
        )
    return RateLimits(per_second, default_burst(per_second), concurrent)


def _kept(current: QueueSettings, settings: QueueSettings) -> QueueSettings:
    """What queue.yaml decided, and no update can reach."""
    return replace(
        settings,
        tombstone_seconds=current.tombstone_seconds,
        retention_seconds=current.retention_seconds,
    )


def _seconds(message: Any, field: str, default: float) -> float:
    if field not in message:
        return default
    seconds = in_seconds(getattr(type(message).pb(message), field))
    if not 0 <= seconds <= LONGEST_DURATION:
        raise _invalid(f"retry_config.{field} is {seconds:g} s, it must be 0 to {LONGEST_DURATION}")
    return seconds


def _invalid(message: str) -> Refusal:
    return Refusal(Code.INVALID_ARGUMENT, message)
