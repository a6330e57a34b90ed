"""The triggers of one turn of an NDB event loop, sent ten to a request by an idler."""

from __future__ import annotations

import concurrent.futures
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from gae_pusher.channels.arrivals import Arrivals
from gae_pusher.channels.performing import Performance
from gae_pusher.engines.processes import process_id
from gae_pusher.errors import NotFound, PusherError
from gae_pusher.limits import WAITING_BYTES, WAITING_EVENTS
from gae_pusher.sansio.operations import Plan
from gae_pusher.sansio.verbs import Verbs

__all__ = ["Batches", "Trigger", "told"]

logger = logging.getLogger("gae_pusher")

_AHEAD: Final = 2


@dataclass(slots=True, eq=False)
class Trigger:
    """One call of `trigger_async`: an event for one channel, or a plan for many of them.

    `answer` makes the verb's answer of the service's; `timeout` is in seconds.
    """

    what: Mapping[str, str] | Plan[Any]
    future: Any
    answer: Callable[[dict[str, Any]], Any]
    timeout: float
    alone: bool = field(init=False)
    size: int = field(init=False)  # about how many bytes it holds

    def __post_init__(self) -> None:
        what = self.what
        self.alone = isinstance(what, Plan)
        if isinstance(what, Plan):
            self.size = sum(len(each.body or b"") for each in what.operations)
        else:
            self.size = len(what["data"])

    def settle(self, answer: dict[str, Any], error: Exception | None, rescue: bool) -> None:
        """Settle the future, unless it was cancelled; `rescue` logs an error instead."""
        future = self.future
        if future.done():
            return
        if rescue and isinstance(error, PusherError):
            logger.error("rescued: %s", error)
            future.set_result(None)
            return
        try:
            value = None if error else self.answer(answer)
        except Exception as unreadable:
            error = unreadable
        if error is None:
            future.set_result(value)
        else:
            future.info = told(self.what)
            future.set_exception(error)


def told(what: Mapping[str, str] | Plan[Any]) -> str:
    """A trigger for the log, which names what was lost and never its data."""
    if isinstance(what, Plan):
        return "a trigger on many channels"
    return f"the trigger of {what['name']} on {what['channel']}"


class BatchingSender(Protocol):
    """What batches need of their sender."""

    connections: int
    batch_endpoint: bool
    rescue: bool

    def performance(
        self,
        loop: Any,
        plan: Plan[Any],
        timeout: float,
        futures: Sequence[Any],
        done: Callable[[Any, Exception | None], None],
    ) -> Performance:
        """A plan, ready to start."""


class Batches:
    """The triggers of one event loop: what waits for its idler, and what is under way.

    In order; few more requests under way than the sender has connections. What waits has an idler
    in the loop, or requests under way whose answers wake one. Nobody else needs to hold this: the
    idler does, the engine's future of each request, and the loop's entry of one that pauses.
    """

    def __init__(self, sender: BatchingSender, verbs: Verbs, loop: Any) -> None:
        self._sender = sender
        self._verbs = verbs
        self._loop = loop
        self._arrivals = Arrivals(loop)
        self._pid = process_id()
        self._waiting: deque[Trigger] = deque()
        self._bytes = 0
        self._idler = False
        self._flights: set[Performance] = set()
        # The engine finds the next request at hand when a connection is free. With one
        # connection requests keep their order, so there the next one waits for the answer.
        self._most = sender.connections * _AHEAD if sender.connections > 1 else 1

    def add(self, trigger: Trigger) -> None:
        """Send with the others of this turn. Waits only when too much waits already."""
        self._waiting.append(trigger)
        self._bytes += trigger.size
        self._wake()
        while len(self._waiting) > WAITING_EVENTS or self._bytes > WAITING_BYTES:
            self._make_room()

    def _wake(self) -> None:
        if not self._idler:
            self._idler = True
            self._loop.add_idle(self._flush)

    def _flush(self) -> None:
        self._idler = False
        if process_id() == self._pid:  # a forked child leaves its parent's events to the parent
            self._launch()

    def _launch(self) -> None:
        try:
            while self._waiting and len(self._flights) < self._most:
                group = self._group()
                if group:
                    self._send(group)
        finally:
            if self._waiting and not self._flights:  # interrupted
                self._wake()

    def _group(self) -> list[Trigger]:
        """The next triggers that may share a request."""
        most = self._verbs.config.limits.events_per_batch if self._sender.batch_endpoint else 1
        group: list[Trigger] = []
        while self._waiting and len(group) < most:
            trigger = self._waiting[0]
            if group and (trigger.alone or trigger.timeout != group[0].timeout):
                break
            self._waiting.popleft()
            self._bytes -= trigger.size
            if trigger.future.done():  # cancelled meanwhile
                continue
            group.append(trigger)
            if trigger.alone:
                break
        return group

    def _send(self, group: list[Trigger]) -> None:
        flight = self._sender.performance(
            self._arrivals,
            self._plan(group),
            group[0].timeout,
            [trigger.future for trigger in group],
            lambda answer, error: self._landed(flight, group, answer, error),
        )
        self._flights.add(flight)
        try:
            flight.start()
        except BaseException:
            self._flights.discard(flight)
            raise

    def _plan(self, group: list[Trigger]) -> Plan[Any]:
        if len(group) > 1:
            events: list[Any] = [trigger.what for trigger in group]
            return self._verbs.together(events)
        what = group[0].what
        return what if isinstance(what, Plan) else self._verbs.alone(what)

    def _landed(
        self,
        flight: Performance,
        group: list[Trigger],
        answer: dict[str, Any] | None,
        error: Exception | None,
    ) -> None:
        self._flights.discard(flight)
        if self._waiting:
            self._wake()  # before anything else: a callback may run the loop, or raise
        if isinstance(error, NotFound) and len(group) > 1:
            self._try_alone(group)
        else:
            self._settle(group, answer, error)

    def _settle(
        self, group: list[Trigger], answer: dict[str, Any] | None, error: Exception | None
    ) -> None:
        """Raises what the first callback of the user's raised, when all have been settled."""
        if answer is not None and len(group) == 1 and _was_in_a_batch(group[0]):
            self._sender.batch_endpoint = False
        raised: BaseException | None = None
        for trigger, single in zip(group, _singles(answer or {}, group), strict=True):
            try:
                trigger.settle(single, error, self._sender.rescue)
            except BaseException as its_own:
                if raised is None or not isinstance(its_own, Exception):
                    raised = its_own
        try:
            if raised is not None:
                raise raised
        finally:
            raised = None  # its traceback holds this frame

    def _try_alone(self, group: list[Trigger]) -> None:
        """A server without batches answers 404, as it does for a wrong app: one event will tell."""
        for trigger in reversed(group):
            trigger.alone = True
            self._waiting.appendleft(trigger)
            self._bytes += trigger.size
        self._wake()

    def _make_room(self) -> None:
        """Send some without returning to the loop, so that no other tasklet runs meanwhile."""
        self._launch()
        under_way = [flight.under_way for flight in self._flights if flight.under_way]
        pauses = [flight.due for flight in self._flights if flight.due is not None]
        seconds = max(min(pauses) - time.monotonic(), 0) if pauses else None
        if under_way:
            concurrent.futures.wait(under_way, seconds, concurrent.futures.FIRST_COMPLETED)
        elif seconds:
            time.sleep(seconds)
        self._go_on()
        self._launch()

    def _go_on(self) -> None:
        for flight in list(self._flights):
            try:
                if flight.under_way is not None and flight.under_way.done():
                    flight.advance(flight.under_way)
                elif flight.due is not None and flight.due <= time.monotonic():
                    flight.resume()
            except Exception as error:  # a callback's: for who runs the loop, not for who triggers
                self._loop.call_soon(_raise, error)


def _raise(error: Exception) -> None:
    try:
        raise error
    finally:
        del error  # its traceback holds this frame


def _singles(answer: dict[str, Any], group: list[Trigger]) -> list[dict[str, Any]]:
    """A request's answer as what each trigger would have got alone.

    Servers that answer a batch with no aligned array say nothing about any event.
    """
    if len(group) == 1:
        return [answer]
    parts = answer.get("batch")
    if not isinstance(parts, list) or len(parts) != len(group):
        return [{}] * len(group)
    return [
        {"channels": {trigger.what["channel"]: part}} if part else {}  # type: ignore[index]
        for trigger, part in zip(group, parts, strict=True)
    ]


def _was_in_a_batch(trigger: Trigger) -> bool:
    return trigger.alone and not isinstance(trigger.what, Plan)
