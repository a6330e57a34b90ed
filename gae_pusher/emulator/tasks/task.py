"""A task and its attempts: what is known of it, and which states follow which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

from gae_pusher.emulator.tasks.names import TaskName
from gae_pusher.emulator.tasks.retry import RetryPolicy
from gae_pusher.emulator.tasks.settings import Routing

__all__ = [
    "AppEngineTarget",
    "Attempt",
    "Dispatch",
    "Event",
    "HttpTarget",
    "Outcome",
    "State",
    "Target",
    "Task",
    "next_state",
]


class State(Enum):
    """Where a task is. The last three are ends: the task is gone, its name stays taken."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    GIVEN_UP = "given up"
    DELETED = "deleted"


class Event(Enum):
    """What can happen to a task."""

    START = "start"
    SUCCEED = "succeed"
    RETRY = "retry"
    GIVE_UP = "give up"
    DELETE = "delete"


_NEXT: Final[Mapping[tuple[State, Event], State]] = {
    (State.SCHEDULED, Event.START): State.RUNNING,
    (State.SCHEDULED, Event.GIVE_UP): State.GIVEN_UP,
    (State.SCHEDULED, Event.DELETE): State.DELETED,
    (State.RUNNING, Event.START): State.RUNNING,
    (State.RUNNING, Event.SUCCEED): State.SUCCEEDED,
    (State.RUNNING, Event.RETRY): State.SCHEDULED,
    (State.RUNNING, Event.GIVE_UP): State.GIVEN_UP,
    (State.RUNNING, Event.DELETE): State.DELETED,
}


def next_state(state: State, event: Event) -> State:
    """Raises LookupError for what cannot happen in a state."""
    try:
        return _NEXT[state, event]
    except KeyError:
        raise LookupError(f"a task that is {state.value} cannot {event.value}") from None


@dataclass(frozen=True, slots=True)
class AppEngineTarget:
    """A request to the app itself: a path with its query, and headers as the caller gave them."""

    method: str
    relative_uri: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    routing: Routing = field(default_factory=Routing)


@dataclass(frozen=True, slots=True)
class HttpTarget:
    """A request to any URL of this machine."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


Target: TypeAlias = AppEngineTarget | HttpTarget


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: the status of the answer if one came, else what went wrong."""

    status: int | None
    problem: str | None = None
    timed_out: bool = False
    retry_after_seconds: float | None = None

    @property
    def success(self) -> bool:
        """Whether the worker took the task."""
        return self.status is not None and 200 <= self.status < 300 and self.problem is None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One dispatch of a task; `responded` and `outcome` are None while it runs."""

    scheduled: float
    dispatched: float
    responded: float | None = None
    outcome: Outcome | None = None


@dataclass(slots=True)
class Task:
    """A task in a queue. Times are unix seconds; `deadline_seconds` is None for the default."""

    name: TaskName
    target: Target
    created: float
    scheduled: float
    deadline_seconds: float | None = None
    retry: RetryPolicy | None = None
    state: State = State.SCHEDULED
    running: int = 0
    dispatches: int = 0
    responses: int = 0
    first_attempt: Attempt | None = None
    last_attempt: Attempt | None = None
    order: int = 0

    def apply(self, event: Event) -> None:
        """Go to the next state."""
        self.state = next_state(self.state, event)

    def start(self, number: int, now: float, *, forced: bool) -> Dispatch:
        """Begin an attempt."""
        self.apply(Event.START)
        dispatch = Dispatch(
            number=number,
            forced=forced,
            task=self.name,
            target=self.target,
            scheduled=self.scheduled,
            dispatched=now,
            deadline_seconds=self.deadline_seconds,
            retries=self.dispatches,
            responses=self.responses,
            previous=self.last_attempt.outcome if self.last_attempt else None,
        )
        self.running += 1
        self.dispatches += 1
        self.last_attempt = Attempt(self.scheduled, now)
        self.first_attempt = self.first_attempt or self.last_attempt
        return dispatch

    def record(self, dispatch: Dispatch, outcome: Outcome, now: float) -> None:
        """Note how an attempt ended."""
        self.running -= 1
        if outcome.status is not None:
            self.responses += 1
        self.last_attempt = Attempt(dispatch.scheduled, dispatch.dispatched, now, outcome)


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A decision to send a task now. `retries` and `responses` count the attempts before it.

    `number` is the dispatch's own in its queue; `forced` is True when RunTask asked for it.
    """

    number: int
    forced: bool
    task: TaskName
    target: Target
    scheduled: float
    dispatched: float
    deadline_seconds: float | None = None
    retries: int = 0
    responses: int = 0
    previous: Outcome | None = None
