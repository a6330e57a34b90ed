"""Any sequence of calls: no task is lost, none runs after its end, no limit is exceeded."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gae_pusher.emulator.tasks.names import Location, QueueName, TaskName
from gae_pusher.emulator.tasks.queue import Queue, QueueState
from gae_pusher.emulator.tasks.refusal import Code, Refusal
from gae_pusher.emulator.tasks.retry import RetryPolicy
from gae_pusher.emulator.tasks.settings import QueueSettings, RateLimits
from gae_pusher.emulator.tasks.task import AppEngineTarget, Dispatch, Outcome, State, Task

NAME = QueueName(Location("demo", "europe-west1"), "default")
SHORT_NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f"])
TOMBSTONE_SECONDS = 500
OUTCOMES = st.sampled_from(
    [
        Outcome(200),
        Outcome(204),
        Outcome(500, "500"),
        Outcome(503, "503"),
        Outcome(200, "cut off"),
        Outcome(None, "reset"),
        Outcome(None, "late", timed_out=True),
    ]
)


class QueueModel(RuleBasedStateMachine):
    """A queue beside what is known of it by simple book-keeping."""

    @initialize(
        rate=st.builds(
            RateLimits, st.sampled_from([0.1, 1, 10]), st.integers(1, 3), st.integers(1, 3)
        ),
        retry=st.builds(
            RetryPolicy,
            max_attempts=st.sampled_from([-1, 1, 3]),
            max_retry_seconds=st.sampled_from([0, 60]),
            min_backoff_seconds=st.sampled_from([0, 1, 10]),
            max_backoff_seconds=st.sampled_from([10, 100]),
            max_doublings=st.integers(0, 3),
        ),
    )
    def start(self, rate: RateLimits, retry: RetryPolicy) -> None:
        self.now = 1_000.0
        self.rate = rate
        self.retry = retry
        self.queue = Queue(
            NAME, QueueSettings(rate=rate, retry=retry, tombstone_seconds=TOMBSTONE_SECONDS)
        )
        self.live: dict[str, float] = {}
        self.failures: dict[str, int] = {}
        self.ended: dict[str, float] = {}
        self.in_flight: list[tuple[Dispatch, bool]] = []
        self.dispatched: list[float] = []

    @rule(short=SHORT_NAMES, delay=st.sampled_from([0, 0, 1, 50]))
    def add(self, short: str, delay: float) -> None:
        task = Task(
            name=TaskName(NAME, short),
            target=AppEngineTarget("POST", "/", {}, b""),
            created=self.now,
            scheduled=self.now + delay,
        )
        taken = short in self.live or self.now < self.ended.get(short, 0) + TOMBSTONE_SECONDS
        if taken:
            with pytest.raises(Refusal) as refusal:
                self.queue.add(task, self.now)
            assert refusal.value.code is Code.ALREADY_EXISTS
            return
        self.queue.add(task, self.now)
        self.live[short] = self.now + delay
        self.failures[short] = 0
        self.ended.pop(short, None)

    @rule(seconds=st.sampled_from([0.05, 0.5, 1, 7, 60, 501]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def dispatch(self) -> None:
        paused = self.queue.state is QueueState.PAUSED
        for dispatch in self.queue.due(self.now):
            assert not paused
            assert self.live[dispatch.task.short] <= self.now, "started before its time"
            assert not self._is_running(dispatch.task.short), "started twice at a time"
            self.dispatched.append(self.now)
            self.in_flight.append((dispatch, True))
        due = self.queue.next_due(self.now)
        assert due is None or due > self.now, "due() left something that was due"

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data(), outcome=OUTCOMES)
    def finish(self, data: st.DataObject, outcome: Outcome) -> None:
        index = data.draw(st.integers(0, len(self.in_flight) - 1))
        dispatch, belongs = self.in_flight.pop(index)
        short = dispatch.task.short
        task = self.queue.finish(dispatch, outcome, self.now)
        if not belongs:
            return
        if outcome.success:
            assert task.state is State.SUCCEEDED
            self._end(short)
        elif self._is_running(short):
            assert task.state is State.RUNNING
        elif task.state is State.GIVEN_UP:
            assert self.retry.max_attempts != -1 or self.retry.max_retry_seconds
            assert task.dispatches >= self.retry.max_attempts
            self._end(short)
        else:
            assert task.state is State.SCHEDULED
            self._expect_delay(task, dispatch)

    @rule(short=SHORT_NAMES)
    def delete(self, short: str) -> None:
        name = TaskName(NAME, short)
        if short not in self.live:
            with pytest.raises(Refusal):
                self.queue.delete(name, self.now)
            return
        self.queue.delete(name, self.now)
        self._end(short)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def force(self, data: st.DataObject) -> None:
        short = data.draw(st.sampled_from(sorted(self.live)))
        self.in_flight.append((self.queue.force(TaskName(NAME, short), self.now), True))

    @rule()
    def pause(self) -> None:
        self.queue.pause()

    @rule()
    def resume(self) -> None:
        self.queue.resume()

    @rule()
    def purge(self) -> None:
        assert self.queue.purge(self.now) == len(self.live)
        for short in tuple(self.live):
            self._end(short)

    @invariant()
    def nothing_is_lost(self) -> None:
        if hasattr(self, "queue"):
            assert {task.name.short for task in self.queue} == set(self.live)

    @invariant()
    def no_limit_is_exceeded(self) -> None:
        if not hasattr(self, "queue"):
            return
        unforced = [dispatch for dispatch, _ in self.in_flight if not dispatch.forced]
        assert len(unforced) <= self.rate.concurrent
        for first, start in enumerate(self.dispatched):
            count = len(self.dispatched) - first
            assert count <= self.rate.burst + self.rate.per_second * (self.now - start) + 1e-4

    def teardown(self) -> None:
        """Whatever is left is done when the workers recover and time goes on."""
        if not hasattr(self, "queue"):
            return
        self.queue.resume()
        for dispatch, _ in self.in_flight:
            self.queue.finish(dispatch, Outcome(200), self.now)
        for _ in range(100):
            for dispatch in self.queue.due(self.now):
                self.queue.finish(dispatch, Outcome(200), self.now)
            due = self.queue.next_due(self.now)
            if due is None:
                break
            self.now = due
        assert list(self.queue) == []

    def _expect_delay(self, task: Task, dispatch: Dispatch) -> None:
        """The documented formula, with the number of dispatches as the number of failures."""
        doublings = min(task.dispatches - 1, self.retry.max_doublings)
        delay = self.retry.min_backoff_seconds * 2**doublings * (task.dispatches - doublings)
        since = dispatch.dispatched if dispatch.forced else self.now
        expected = since + min(delay, self.retry.max_backoff_seconds)
        assert task.scheduled == pytest.approx(expected)
        self.live[task.name.short] = task.scheduled

    def _is_running(self, short: str) -> bool:
        return any(d.task.short == short and belongs for d, belongs in self.in_flight)

    def _end(self, short: str) -> None:
        del self.live[short]
        self.ended[short] = self.now
        self.in_flight = [
            (dispatch, belongs and dispatch.task.short != short)
            for dispatch, belongs in self.in_flight
        ]


TestQueueModel = QueueModel.TestCase
TestQueueModel.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
