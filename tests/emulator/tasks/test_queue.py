"""One queue on a given clock: due times, limits, retries, names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gae_pusher.emulator.tasks.names import Location, QueueName, TaskName
from gae_pusher.emulator.tasks.queue import Queue
from gae_pusher.emulator.tasks.refusal import Code, Refusal
from gae_pusher.emulator.tasks.retry import RetryPolicy
from gae_pusher.emulator.tasks.settings import QueueSettings, RateLimits
from gae_pusher.emulator.tasks.task import (
    AppEngineTarget,
    Dispatch,
    HttpTarget,
    Outcome,
    State,
    Target,
    Task,
)

NAME = QueueName(Location("demo", "europe-west1"), "default")
APP: Target = AppEngineTarget("POST", "/tasks/import", {}, b"")
HTTP: Target = HttpTarget("POST", "http://127.0.0.1:1/", {}, b"")
OK, FAILED = Outcome(200), Outcome(500, "the answer was 500")
SETTINGS = QueueSettings(
    rate=RateLimits(per_second=10, burst=2, concurrent=3),
    retry=RetryPolicy(max_attempts=-1, min_backoff_seconds=10, max_backoff_seconds=300),
)


def make_queue(**changes: Any) -> Queue:
    return Queue(NAME, replace(SETTINGS, **changes))


def add(queue: Queue, short: str, now: float = 0, at: float = 0, **fields: Any) -> TaskName:
    name = TaskName(queue.name, short)
    fields = {"target": APP} | fields
    queue.add(Task(name=name, created=now, scheduled=max(at, now), **fields), now)
    return name


def names(dispatches: list[Dispatch]) -> list[str]:
    return [dispatch.task.short for dispatch in dispatches]


def run_one(queue: Queue, now: float, outcome: Outcome) -> Task:
    (dispatch,) = queue.due(now)
    return queue.finish(dispatch, outcome, now)


def test_tasks_start_in_the_order_of_their_times() -> None:
    """Earlier ones first; those of the same time as they came."""
    queue = make_queue(rate=RateLimits(500, 10, 10))
    for short, at in [("late", 9), ("b", 5), ("a", 5), ("early", 1)]:
        add(queue, short, at=at)
    assert names(queue.due(0.9)) == []
    assert queue.next_due(0.9) == 1
    assert names(queue.due(10)) == ["early", "b", "a", "late"]


def test_a_task_runs_once_when_it_succeeds() -> None:
    """After a 2xx the task is gone, and its name stays taken."""
    queue = make_queue()
    name = add(queue, "t")
    assert run_one(queue, 0, OK).state is State.SUCCEEDED
    assert queue.due(1e9) == []
    with pytest.raises(Refusal, match="existed recently") as refusal:
        queue.get(name)
    assert refusal.value.code is Code.NOT_FOUND


def test_the_token_bucket_and_the_rate_hold_tasks_back() -> None:
    """Two at once from the bucket of two, then one each tenth of a second."""
    queue = make_queue(rate=RateLimits(per_second=10, burst=2, concurrent=100))
    for number in range(5):
        add(queue, f"t{number}")
    assert len(queue.due(100)) == 2
    assert queue.next_due(100) == pytest.approx(100.1)
    assert len(queue.due(100.05)) == 0
    assert len(queue.due(queue.next_due(100.05) or 0)) == 1


def test_the_number_of_running_tasks_is_limited() -> None:
    """A queue with three running tasks waits for one of them to end."""
    queue = make_queue(rate=RateLimits(500, 100, 3))
    for number in range(5):
        add(queue, f"t{number}")
    running = queue.due(0)
    assert len(running) == 3
    assert queue.next_due(0) is None
    queue.finish(running[0], OK, 1)
    assert queue.next_due(1) is not None
    assert names(queue.due(1)) == ["t3"]


def test_retries_come_at_the_documented_times() -> None:
    """Each failure puts the task behind by the formula's delay, counted from the failure."""
    queue = make_queue(
        retry=RetryPolicy(
            max_attempts=-1, min_backoff_seconds=10, max_backoff_seconds=300, max_doublings=3
        )
    )
    add(queue, "t")
    now, waits = 0.0, []
    for _ in range(8):
        task = run_one(queue, now, FAILED)
        waits.append(task.scheduled - now)
        assert queue.due(task.scheduled - 0.001) == []
        now = task.scheduled
    assert waits == [10, 20, 40, 80, 160, 240, 300, 300]


def test_a_retry_knows_what_went_before() -> None:
    """Retries count all attempts, executions only the answered ones."""
    queue = make_queue()
    add(queue, "t")
    task = run_one(queue, 0, Outcome(None, "refused"))
    task = run_one(queue, task.scheduled, FAILED)
    (dispatch,) = queue.due(task.scheduled)
    assert (dispatch.retries, dispatch.responses, dispatch.previous) == (2, 1, FAILED)
    assert dispatch.scheduled == task.scheduled


def test_a_task_is_given_up_after_its_last_attempt() -> None:
    """max_attempts counts the first one."""
    queue = make_queue(retry=RetryPolicy(max_attempts=2, min_backoff_seconds=1))
    add(queue, "t")
    assert run_one(queue, 0, FAILED).state is State.SCHEDULED
    assert run_one(queue, 1, FAILED).state is State.GIVEN_UP
    assert queue.due(1e9) == []


def test_a_tasks_own_retry_config_goes_first() -> None:
    """A task can be more modest than its queue."""
    queue = make_queue()
    add(queue, "t", retry=RetryPolicy(max_attempts=1))
    assert run_one(queue, 0, FAILED).state is State.GIVEN_UP


def test_a_name_is_free_again_after_its_day() -> None:
    """Waiting, running, done and deleted tasks all keep their names."""
    queue = make_queue(rate=RateLimits(500, 10, 10))
    waiting, deleted = add(queue, "waiting", at=100), add(queue, "deleted", at=100)
    add(queue, "done")
    run_one(queue, 0, OK)
    queue.delete(deleted, 0)
    for name in ("waiting", "deleted", "done"):
        with pytest.raises(Refusal, match="exist") as refusal:
            add(queue, name, now=86_399)
        assert refusal.value.code is Code.ALREADY_EXISTS
    add(queue, "deleted", now=86_400)
    add(queue, "done", now=86_400)
    assert queue.get(waiting).state is State.SCHEDULED


def test_deleting_a_running_task_makes_its_answer_meaningless() -> None:
    """A deleted task is neither retried nor counted as done."""
    queue = make_queue()
    name = add(queue, "t")
    (dispatch,) = queue.due(0)
    queue.delete(name, 0)
    assert queue.finish(dispatch, FAILED, 1).state is State.DELETED
    assert queue.due(1e9) == []


def test_a_late_answer_does_not_touch_a_new_task_of_the_name() -> None:
    """An attempt belongs to its task, not to whoever has the name by then."""
    queue = make_queue(tombstone_seconds=0)
    name = add(queue, "t")
    (dispatch,) = queue.due(0)
    queue.delete(name, 0)
    add(queue, "t", now=1)
    queue.finish(dispatch, OK, 2)
    assert queue.get(name).state is State.SCHEDULED


def test_a_paused_queue_takes_tasks_and_starts_none() -> None:
    """Everything waits for resume, except what is forced."""
    queue = make_queue()
    queue.pause()
    name = add(queue, "t")
    assert (queue.due(100), queue.next_due(100)) == ([], None)
    assert queue.force(name, 100).forced
    add(queue, "other")
    queue.resume()
    assert names(queue.due(100)) == ["other"]


def test_force_starts_a_task_that_is_running() -> None:
    """RunTask dispatches once more; the first success ends the task, the other answer is moot."""
    queue = make_queue()
    name = add(queue, "t")
    (first,) = queue.due(0)
    second = queue.force(name, 1)
    assert queue.finish(first, FAILED, 2).state is State.RUNNING
    assert queue.finish(second, OK, 3).state is State.SUCCEEDED


def test_a_forced_attempt_that_fails_counts_from_when_it_was_forced() -> None:
    """The documentation: the time that RunTask was called plus the delay."""
    queue = make_queue()
    name = add(queue, "t", at=1_000)
    dispatch = queue.force(name, 5)
    assert queue.finish(dispatch, FAILED, 7).scheduled == 15


def test_a_forced_task_does_not_stand_in_the_way_of_others() -> None:
    """A task that was put behind is passed over where it stood before."""
    queue = make_queue()
    name = add(queue, "forced", at=5)
    add(queue, "other", at=6)
    queue.finish(queue.force(name, 0), FAILED, 0)
    assert queue.next_due(0) == 6
    assert names(queue.due(6)) == ["other"]


def test_force_ignores_all_limits() -> None:
    """An empty bucket and a full house do not stop RunTask."""
    queue = make_queue(rate=RateLimits(per_second=0.001, burst=1, concurrent=1))
    add(queue, "a")
    name = add(queue, "b")
    assert len(queue.due(0)) == 1
    assert queue.force(name, 0).task == name


@pytest.mark.parametrize(
    ("target", "status", "throttled"),
    [(APP, 503, True), (APP, 429, False), (APP, 500, False), (HTTP, 503, True), (HTTP, 429, True)],
)
def test_an_overloaded_worker_slows_the_whole_queue(
    target: Target, status: int, throttled: bool
) -> None:
    """503 stops the other tasks for a while; 429 does so for other workers than App Engine."""
    queue = make_queue(rate=RateLimits(500, 10, 10))
    add(queue, "first", target=target)
    (dispatch,) = queue.due(0)
    add(queue, "second", target=target)
    queue.finish(dispatch, Outcome(status, "busy"), 100)
    assert queue.due(100) == [] if throttled else names(queue.due(100)) == ["second"]
    if throttled:
        assert queue.next_due(100) == 101
        assert names(queue.due(101)) == ["second"]


@pytest.mark.parametrize(("target", "resumes"), [(HTTP, 130), (APP, 101)])
def test_retry_after_is_for_http_tasks(target: Target, resumes: float) -> None:
    """What a worker asks for counts where it is no App Engine app."""
    queue = make_queue(rate=RateLimits(500, 10, 10))
    add(queue, "first", target=target)
    (dispatch,) = queue.due(0)
    add(queue, "second", target=target)
    queue.finish(dispatch, Outcome(503, "busy", retry_after_seconds=30), 100)
    assert queue.next_due(100) == resumes


def test_purging_deletes_everything() -> None:
    """Waiting and running tasks are gone, and the time is kept."""
    queue = make_queue()
    for number in range(4):
        add(queue, f"t{number}")
    queue.due(0)
    assert queue.purge(5) == 4
    assert (list(queue), queue.purged, queue.due(1e9)) == ([], 5, [])


def test_a_task_is_not_kept_longer_than_its_retention() -> None:
    """A task that waited 31 days is dropped instead of started."""
    queue = make_queue(retention_seconds=100)
    name = add(queue, "t", at=150)
    assert queue.due(150) == []
    with pytest.raises(Refusal):
        queue.get(name)


def test_a_queue_that_is_declared_with_rate_0_is_paused() -> None:
    """queue.yaml pauses a queue by its rate."""
    queue = make_queue(paused=True)
    add(queue, "t")
    assert queue.due(1e9) == []
