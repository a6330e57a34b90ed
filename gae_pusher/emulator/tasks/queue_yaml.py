"""queue.yaml, read as `gcloud app deploy queue.yaml` turns it into queues of Cloud Tasks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

from gae_pusher.emulator.tasks.retry import RetryPolicy
from gae_pusher.emulator.tasks.settings import (
    DAY,
    DEFAULT_QUEUES,
    MAX_CONCURRENT,
    MAX_PER_SECOND,
    QueueSettings,
    RateLimits,
    Routing,
)
from gae_pusher.errors import ConfigurationError

__all__ = ["parse_queue_yaml"]

UNIT_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": DAY}
TOMBSTONE_SECONDS: Final = 9 * DAY
RETENTION_SECONDS: Final = 3_650 * DAY
DEFAULT_BURST: Final = 5
MAX_BURST: Final = 500
MAX_NUMBER: Final = 2**31 - 1

_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,100}", re.ASCII)
_RATE: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?)/([smhd])", re.ASCII)
_AGE: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?)([smhd])", re.ASCII)
_TARGET: Final = re.compile(r"(?:([a-z0-9-]+)\.)?([a-z0-9-]+)", re.ASCII)


def parse_queue_yaml(text: str) -> dict[str, QueueSettings]:
    """The queues of a queue.yaml by name, and App Engine's default queue if it is not among them.

    Raises ConfigurationError, which names the queue and the key.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"queue.yaml is no YAML: {' '.join(str(error).split())}") from None
    entries = document.get("queue") if isinstance(document, dict) else document
    if not isinstance(entries, list | None) or isinstance(document, list):
        raise ConfigurationError("queue.yaml must have a list under `queue:`")
    queues = dict(DEFAULT_QUEUES)
    for entry in entries or ():
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"queue.yaml: the name {name!r} must be 1 to 100 letters, digits and hyphens"
            )
        queues[name] = _settings(_Entry(name, entry))
    return queues


class _Entry:
    """The keys of one queue or of its retry_parameters, and errors that say where."""

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        self.name = name
        self._values = values

    def error(self, words: str) -> ConfigurationError:
        return ConfigurationError(f"queue.yaml: queue {self.name}: {words}")

    def get(self, key: str) -> Any:
        return self._values.get(key)

    def number(self, key: str, default: float, least: float, most: float = MAX_NUMBER) -> float:
        value = self.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(f"{key} is {value!r}, it must be a number")
        if not least <= value <= most:
            raise self.error(f"{key} is {value}, it must be {least:g} to {most:g}")
        return value

    def inner(self, key: str) -> _Entry:
        value = self.get(key)
        if not isinstance(value, dict | None):
            raise self.error(f"{key} must be a mapping")
        return _Entry(self.name, value or {})


def _settings(entry: _Entry) -> QueueSettings:
    if entry.get("mode") not in (None, "push"):
        raise entry.error("mode is not push: Cloud Tasks has no pull queues")
    per_second = _per_second(entry)
    rate = RateLimits(
        per_second=per_second or 1,
        burst=int(entry.number("bucket_size", DEFAULT_BURST, 1, MAX_BURST)),
        concurrent=int(entry.number("max_concurrent_requests", 1_000, 1, MAX_CONCURRENT)),
    )
    return QueueSettings(
        rate=rate,
        retry=_retry(entry.inner("retry_parameters")),
        routing=_routing(entry),
        paused=not per_second,
        tombstone_seconds=TOMBSTONE_SECONDS,
        retention_seconds=RETENTION_SECONDS,
    )


def _per_second(entry: _Entry) -> float:
    """The rate; 0 is a paused queue."""
    text = str(entry.get("rate") if entry.get("rate") is not None else "")
    match = _RATE.fullmatch(text)
    if text != "0" and match is None:
        raise entry.error(f"rate is {text!r}, it must look like 5/s, 100/m, 10/h or 1/d")
    per_second = float(match[1]) / UNIT_SECONDS[match[2]] if match else 0
    if per_second > MAX_PER_SECOND:
        raise entry.error(f"rate is {text}, at most {MAX_PER_SECOND}/s is possible")
    return per_second


def _retry(entry: _Entry) -> RetryPolicy:
    """If only one back-off is given and the other's default contradicts it, both are that one."""
    default = RetryPolicy()
    least = entry.number("min_backoff_seconds", default.min_backoff_seconds, 0)
    most = entry.number("max_backoff_seconds", default.max_backoff_seconds, 0)
    if least > most:
        given = [entry.get(f"{which}_backoff_seconds") is not None for which in ("min", "max")]
        if all(given):
            raise entry.error(
                f"min_backoff_seconds, {least:g}, is more than max_backoff_seconds, {most:g}"
            )
        least = most = least if given[0] else most
    limit = entry.number("task_retry_limit", -2, 0)
    return RetryPolicy(
        max_attempts=int(limit) + 1,  # a limit of retries; the first attempt is none
        max_retry_seconds=_age(entry),
        min_backoff_seconds=least,
        max_backoff_seconds=most,
        max_doublings=int(entry.number("max_doublings", default.max_doublings, 0)),
    )


def _age(entry: _Entry) -> float:
    value = entry.get("task_age_limit")
    if value is None:
        return 0
    match = _AGE.fullmatch(str(value))
    seconds = int(float(match[1]) * UNIT_SECONDS[match[2]]) if match else 0
    if not seconds:
        raise entry.error(f"task_age_limit is {value!r}, it must look like 30s, 5m, 2h or 1d")
    return seconds


def _routing(entry: _Entry) -> Routing | None:
    target = entry.get("target")
    if target is None:
        return None
    match = _TARGET.fullmatch(str(target))
    if match is None:
        raise entry.error(f"target is {target!r}, it must be SERVICE or VERSION.SERVICE")
    return Routing(service=match[2], version=match[1] or "")
