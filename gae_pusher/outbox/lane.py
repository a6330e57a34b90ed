"""The fast lane: events leave right after the commit, beside whatever the request does next."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

from google.cloud import ndb  # type: ignore[attr-defined]

from gae_pusher.outbox.events import Event
from gae_pusher.outbox.fallback import Fallback
from gae_pusher.outbox.sending import Outcome, send
from gae_pusher.outbox.store import Store
from gae_pusher.outbox.tasklets import Steps, tasklet

__all__ = ["Committed", "Lane"]

logger = logging.getLogger("gae_pusher")


@dataclass(frozen=True, slots=True)
class Committed:
    """Events of a transaction that committed; without an `entry` nothing but this sends them."""

    entry: str | None
    events: list[Event]


class Lane:
    """One request's events for one app: sent in the order of the commits, in a context of its own.

    The request does not wait here; the end of its NDB context does, at most the time budget.
    What a round cannot send is handed over to Cloud Tasks or left for the sweep.
    """

    def __init__(self, sender: Any, store: Store, fallback: Fallback) -> None:
        self._sender = sender
        self._store = store
        self._fallback = fallback
        self._waiting: list[Committed] = []
        self._running = False

    def add(self, committed: Committed) -> None:
        """Send it as soon as what committed before is out."""
        self._waiting.append(committed)
        if self._running:
            return
        # Inside a hook NDB still believes that it is in the transaction, and stores nothing.
        own = ndb.context.get_toplevel_context().new(
            transaction=None, batches=None, commit_batches=None, cache=None, retry=None
        )
        with own.use():
            self._run()

    @tasklet
    def _run(self) -> Steps[Any]:
        self._running = True
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                yield self._round(batch)
        except Exception:
            logger.exception("events could not be sent after the commit; the sweep will")
        finally:
            self._running = False

    @tasklet
    def _round(self, batch: list[Committed]) -> Steps[Any]:
        clock, policy = self._store.clock, self._store.policy
        events = [event for committed in batch for event in committed.events]
        outcome: Outcome = yield send(self._sender, events, clock() + policy.budget_seconds, clock)
        left = {event.id for event in outcome.left}
        rests = [[event for event in each.events if event.id in left] for each in batch]
        yield self._store.delete(
            [each.entry for each, rest in zip(batch, rests, strict=True) if each.entry and not rest]
        )
        asks = True  # one answer of a dead queue is enough
        for committed, rest in zip(batch, rests, strict=True):
            if rest:
                seconds = yield self._settle(committed, replace(outcome, left=tuple(rest)))
                if committed.entry and seconds is not None and asks:
                    asks = self._fallback.add(committed.entry, 1, seconds)

    @tasklet
    def _settle(self, committed: Committed, outcome: Outcome) -> Steps[float | None]:
        """The seconds until the next attempt, None when there will be none."""
        entry, count = committed.entry, len(outcome.left)
        if entry is None:
            logger.error("%d events after a commit are lost: %s", count, outcome.error)
            return None
        logger.warning("entry %s of the outbox waits, %d events: %s", entry, count, outcome.error)
        if outcome.retry and count == len(committed.events):
            return self._store.policy.backoff(1)  # it is as it was: nothing to write
        seconds: float | None = yield self._store.settle(entry, 1, outcome)
        return seconds
