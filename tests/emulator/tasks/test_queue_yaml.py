"""queue.yaml, read as gcloud turns it into queues."""

from __future__ import annotations

import pytest

from gae_pusher import ConfigurationError
from gae_pusher.emulator.tasks.queue_yaml import parse_queue_yaml
from gae_pusher.emulator.tasks.retry import RetryPolicy
from gae_pusher.emulator.tasks.settings import QueueSettings, RateLimits, Routing

DAY = 86_400


def parse(line: str) -> QueueSettings:
    """The queue q with one more line."""
    return parse_queue_yaml(f"queue:\n- name: q\n  rate: 5/s\n  {line}\n")["q"]


def retry(line: str) -> RetryPolicy:
    return parse(f"retry_parameters:\n    {line}").retry


def test_a_whole_file() -> None:
    """Every key means what `gcloud app deploy queue.yaml` makes of it."""
    queues = parse_queue_yaml(
        """
        queue:
        - name: imports
          rate: 90/m
          bucket_size: 40
          max_concurrent_requests: 10
          target: v2.worker
          retry_parameters:
            task_retry_limit: 7
            task_age_limit: 2d
            min_backoff_seconds: 10
            max_backoff_seconds: 200
            max_doublings: 0
        - name: mail
          rate: 1/s
        """
    )
    assert queues["imports"] == QueueSettings(
        rate=RateLimits(per_second=1.5, burst=40, concurrent=10),
        retry=RetryPolicy(8, 2 * DAY, 10, 200, 0),
        routing=Routing("worker", "v2"),
        tombstone_seconds=9 * DAY,
        retention_seconds=3_650 * DAY,
    )
    assert queues["mail"].rate == RateLimits(per_second=1, burst=5, concurrent=1_000)
    assert queues["mail"].retry == RetryPolicy(max_attempts=-1)
    assert queues.keys() == {"default", "imports", "mail"}


@pytest.mark.parametrize("text", ["", "queue:\n", "queue: []", "# nothing"])
def test_an_empty_file_leaves_the_default_queue(text: str) -> None:
    """App Engine has that one without any file."""
    assert parse_queue_yaml(text).keys() == {"default"}


def test_the_default_queue_can_be_changed() -> None:
    """Declared like any other."""
    queues = parse_queue_yaml("queue:\n- name: default\n  rate: 100/s\n")
    assert queues["default"].rate.per_second == 100


@pytest.mark.parametrize("rate", ["0", "0/s"])
def test_rate_0_is_a_paused_queue(rate: str) -> None:
    """As gcloud does it."""
    assert parse_queue_yaml(f"queue:\n- name: q\n  rate: {rate}\n")["q"].paused


def test_one_back_off_moves_the_default_of_the_other() -> None:
    """A minimum over the default maximum is both, and the other way round."""
    high, low = retry("min_backoff_seconds: 7200"), retry("max_backoff_seconds: 0.05")
    assert (high.min_backoff_seconds, high.max_backoff_seconds) == (7_200, 7_200)
    assert (low.min_backoff_seconds, low.max_backoff_seconds) == (0.05, 0.05)


def test_no_retries_is_one_attempt() -> None:
    """task_retry_limit counts retries, max_attempts counts attempts."""
    assert retry("task_retry_limit: 0").max_attempts == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("queue: [", "is no YAML"),
        ("queue: 5", "must have a list"),
        ("- name: q", "must have a list"),
        ("queue:\n- 5", "the name None"),
        ("queue:\n- name: under_score\n  rate: 1/s", "the name 'under_score'"),
        ("queue:\n- name: q", "rate is ''"),
        ("queue:\n- name: q\n  rate: 5", "must look like 5/s"),
        ("queue:\n- name: q\n  rate: 501/s", "at most 500/s"),
        ("queue:\n- name: q\n  mode: pull", "no pull queues"),
    ],
)
def test_a_malformed_file_says_where(text: str, words: str) -> None:
    """The error names the queue and the key."""
    with pytest.raises(ConfigurationError, match=words):
        parse_queue_yaml(text)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("bucket_size: 501", "bucket_size is 501, it must be 1 to 500"),
        ("bucket_size: many", "must be a number"),
        ("max_concurrent_requests: 0", "max_concurrent_requests is 0"),
        ("target: a.b.c", "SERVICE or VERSION.SERVICE"),
        ("retry_parameters: 5", "must be a mapping"),
        ("retry_parameters: {task_retry_limit: -1}", "task_retry_limit is -1"),
        ("retry_parameters: {max_doublings: .inf}", "max_doublings is inf"),
        ("retry_parameters: {min_backoff_seconds: .nan}", "min_backoff_seconds is nan"),
        ("retry_parameters: {task_age_limit: 5}", "must look like 30s"),
        ("retry_parameters: {task_age_limit: 0s}", "must look like 30s"),
        ("retry_parameters: {min_backoff_seconds: true}", "must be a number"),
        ("retry_parameters: {min_backoff_seconds: 9, max_backoff_seconds: 8}", "is more than"),
    ],
)
def test_a_malformed_key_says_where(line: str, words: str) -> None:
    """Google's own limits, before anything is started."""
    with pytest.raises(ConfigurationError, match=f"queue q: .*{words}"):
        parse(line)
