"""Events to requests, in order, and what is left of them when some could not be sent."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gae_pusher.errors import (
    BadRequest,
    InvalidRequest,
    NotFound,
    PusherError,
    RequestTooLarge,
    ResponseError,
    TransportTimeout,
)
from gae_pusher.outbox.events import Event
from gae_pusher.outbox.tasklets import Steps, tasklet
from gae_pusher.sansio.encryption import NONCE_BYTES
from gae_pusher.sansio.operations import Plan
from gae_pusher.sansio.verbs import Verbs

__all__ = ["Outcome", "send"]

logger = logging.getLogger("gae_pusher")

# What may be the fault of one event, or of a server without batches: then each is tried alone.
_OF_ONE_EVENT: Final = (BadRequest, RequestTooLarge, NotFound, InvalidRequest)
_WORTH_RETRYING: Final = frozenset({408, 429})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The events that were not accepted, why, and whether another time may be better."""

    left: tuple[Event, ...] = ()
    error: str = ""
    retry: bool = False


@tasklet
def send(
    sender: Any, events: Sequence[Event], deadline: float, clock: Callable[[], float]
) -> Steps[Any]:
    """Send events in order, signed now, until `deadline`; gives an Outcome, never an error.

    What the service refuses for good is left, what it cannot take now ends the round.
    """
    waiting = deque(_groups(events, sender.config.limits.events_per_batch))
    left: list[Event] = []
    reason = ""
    while waiting:
        group = waiting.popleft()
        error = yield _attempt(sender, group, deadline - clock())
        if error is None:
            continue
        if isinstance(error, _OF_ONE_EVENT) and len(group) > 1:
            waiting.extendleft([event] for event in reversed(group))
            continue
        left += group
        reason = f"{type(error).__name__}: {error}"
        if not isinstance(error, _OF_ONE_EVENT):
            left += [event for rest in waiting for event in rest]
            return Outcome(tuple(left), reason, not _refused(error))
    return Outcome(tuple(left), reason)


def _groups(events: Sequence[Event], size: int) -> Iterator[list[Event]]:
    """Neighbours that fit into one batch; an event of many channels has a request of its own."""
    group: list[Event] = []
    for event in events:
        alone = len(event.channels) > 1
        if group and (alone or len(group) == size):
            yield group
            group = []
        group.append(event)
        if alone:
            yield group
            group = []
    if group:
        yield group


@tasklet
def _attempt(sender: Any, group: list[Event], seconds: float) -> Steps[Any]:
    if seconds <= 0:
        return TransportTimeout("no time was left to send it", sent=False)
    try:
        plan = _plan(Verbs(sender.config, lambda: os.urandom(NONCE_BYTES)), group)
        yield sender.attempt_async(plan, min(seconds, sender.config.timeout))
    except PusherError as error:
        return error
    except Exception as error:
        logger.exception("events of the outbox could not be sent")
        return PusherError(f"unexpected {type(error).__name__}")
    return None


def _plan(verbs: Verbs, group: list[Event]) -> Plan[Any]:
    if len(group) == 1:
        (event,) = group
        target = event.channels if len(event.channels) > 1 else event.channels[0]
        return verbs.trigger(target, event.name, event.data, event.socket_id, already_encoded=True)
    return verbs.trigger_batch([_item(event) for event in group], already_encoded=True)


def _item(event: Event) -> dict[str, Any]:
    item: dict[str, Any] = {"channel": event.channels[0], "name": event.name, "data": event.data}
    return item | ({"socket_id": event.socket_id} if event.socket_id else {})


def _refused(error: PusherError) -> bool:
    """Whether the service said no for good, to this app or to these events."""
    if isinstance(error, ResponseError):
        return 400 <= error.status < 500 and error.status not in _WORTH_RETRYING
    return False
