"""One queue on a given clock: what it holds, what it dispatches now, what an answer means."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from itertools import count
from typing import Final

from gae_pusher.emulator.tasks.limiter import Throttle, TokenBucket
from gae_pusher.emulator.tasks.names import QueueName, TaskName
from gae_pusher.emulator.tasks.refusal import Code, Refusal
from gae_pusher.emulator.tasks.retry import RetryPolicy, delay_seconds, gives_up
from gae_pusher.emulator.tasks.schedule import Schedule
from gae_pusher.emulator.tasks.settings import QueueSettings
from gae_pusher.emulator.tasks.task import (
    AppEngineTarget,
    Dispatch,
    Event,
    HttpTarget,
    Outcome,
    State,
    Task,
)

__all__ = ["Queue", "QueueState"]

# 503 comes from App Engine itself when it has no instance; 429 slows only other workers.
_OVERLOADED: Final = {AppEngineTarget: frozenset({503}), HttpTarget: frozenset({429, 503})}


class QueueState(Enum):
    """Whether a queue dispatches; tasks can be added in both states."""

    RUNNING = "running"
    PAUSED = "paused"


class Queue:
    """Decides, never acts: `due` returns the dispatches to do, `finish` takes what came of them."""

    def __init__(self, name: QueueName, settings: QueueSettings) -> None:
        self.name = name
        self.settings = settings
        self.state = QueueState.PAUSED if settings.paused else QueueState.RUNNING
        self.purged: float | None = None
        self._tasks: dict[str, Task] = {}
        self._taken_until: dict[str, float] = {}
        self._schedule = Schedule()
        self._bucket = TokenBucket(settings.rate.per_second, settings.rate.burst)
        self._throttle = Throttle()
        self._running: dict[int, Task] = {}
        self._numbers = count(1)

    def __iter__(self) -> Iterator[Task]:
        return iter(sorted(self._tasks.values(), key=lambda task: task.name))

    def change(self, settings: QueueSettings) -> None:
        """Go on with other settings; waiting tasks keep their times."""
        self.settings = settings
        self._bucket.change(settings.rate.per_second, settings.rate.burst)

    def add(self, task: Task, now: float) -> None:
        """Take a task. Raises Refusal, ALREADY_EXISTS, for a name that is or was in use."""
        short = task.name.short
        self._forget_old_names(now)
        if short in self._tasks:
            raise Refusal(Code.ALREADY_EXISTS, f"the task {task.name} exists already")
        if short in self._taken_until:
            hours = (self._taken_until[short] - now) / 3600
            raise Refusal(
                Code.ALREADY_EXISTS,
                "The task cannot be created because a task with this name existed too recently: "
                f"{task.name} is done or deleted, its name is free again in {hours:.1f} hours",
            )
        self._tasks[short] = task
        self._schedule.put(task)

    def get(self, name: TaskName) -> Task:
        """Raises Refusal, NOT_FOUND."""
        task = self._tasks.get(name.short)
        if task is not None:
            return task
        if name.short in self._taken_until:
            raise Refusal(
                Code.NOT_FOUND,
                f"The task no longer exists, though a task with this name existed recently: {name} "
                "was completed, given up or deleted",
            )
        raise Refusal(Code.NOT_FOUND, f"there is no task {name}")

    def delete(self, name: TaskName, now: float) -> None:
        """Remove a task, even while it runs: its answer will not matter. Raises Refusal."""
        self._end(self.get(name), Event.DELETE, now)

    def pause(self) -> None:
        """Dispatch nothing until `resume`, except what `force` asks for."""
        self.state = QueueState.PAUSED

    def resume(self) -> None:
        """Dispatch again."""
        self.state = QueueState.RUNNING

    def purge(self, now: float) -> int:
        """Delete all tasks; how many there were."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            self._end(task, Event.DELETE, now)
        self.purged = now
        return len(tasks)

    def due(self, now: float) -> list[Dispatch]:
        """Start what may start now; each of it has to be given to `finish`."""
        dispatches = []
        while (task := self._first(now)) is not None and self._ready_at(task) <= now:
            if len(self._running) >= self.settings.rate.concurrent:
                break
            self._bucket.take(now)
            dispatches.append(self._start(task, now))
        return dispatches

    def next_due(self, now: float) -> float | None:
        """When `due` will have more without a change from outside; None when never."""
        task = self._first(now)
        if task is None or len(self._running) >= self.settings.rate.concurrent:
            return None
        return self._ready_at(task)

    def force(self, name: TaskName, now: float) -> Dispatch:
        """Start a task whatever its time, the rate limits and the state. Raises Refusal."""
        return self._start(self.get(name), now, forced=True)

    def finish(self, dispatch: Dispatch, outcome: Outcome, now: float) -> Task:
        """Take the end of an attempt; returns the task in the state that follows from it."""
        task = self._running.pop(dispatch.number)
        self._heed(dispatch, outcome, now)
        if task.state is not State.RUNNING:
            return task
        task.record(dispatch, outcome, now)
        if outcome.success:
            self._end(task, Event.SUCCEED, now)
        elif not task.running:
            self._retry(task, dispatch, now)
        return task

    def _first(self, now: float) -> Task | None:
        if self.state is QueueState.PAUSED:
            return None
        task = self._schedule.first()
        while task is not None and now - task.created >= self.settings.retention_seconds:
            self._end(task, Event.GIVE_UP, now)
            task = self._schedule.first()
        return task

    def _ready_at(self, task: Task) -> float:
        return max(task.scheduled, self._bucket.ready_at(), self._throttle.until)

    def _start(self, task: Task, now: float, *, forced: bool = False) -> Dispatch:
        dispatch = task.start(next(self._numbers), now, forced=forced)
        self._running[dispatch.number] = task
        return dispatch

    def _heed(self, dispatch: Dispatch, outcome: Outcome, now: float) -> None:
        if outcome.status in _OVERLOADED[type(dispatch.target)]:
            http = isinstance(dispatch.target, HttpTarget)
            self._throttle.complain(now, outcome.retry_after_seconds if http else None)
        elif outcome.status is not None:
            self._throttle.relax()

    def _retry(self, task: Task, dispatch: Dispatch, now: float) -> None:
        policy: RetryPolicy = task.retry or self.settings.retry
        first = task.first_attempt.dispatched if task.first_attempt else now
        if gives_up(policy, task.dispatches, first, now):
            self._end(task, Event.GIVE_UP, now)
            return
        task.apply(Event.RETRY)
        since = dispatch.dispatched if dispatch.forced else now
        task.scheduled = since + delay_seconds(policy, task.dispatches)
        self._schedule.put(task)

    def _end(self, task: Task, event: Event, now: float) -> None:
        task.apply(event)
        del self._tasks[task.name.short]
        self._taken_until[task.name.short] = now + self.settings.tombstone_seconds

    def _forget_old_names(self, now: float) -> None:
        while self._taken_until:
            oldest = next(iter(self._taken_until))
            if self._taken_until[oldest] > now:
                return
            del self._taken_until[oldest]
