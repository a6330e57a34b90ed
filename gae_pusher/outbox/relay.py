"""The relay: what did not leave right after the commit is leased, sent and settled here."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any, Final

from gae_pusher.outbox.outbox import Outbox
from gae_pusher.outbox.sending import Outcome, send
from gae_pusher.outbox.store import Lease
from gae_pusher.outbox.tasklets import Steps, tasklet

__all__ = ["Relay"]

logger = logging.getLogger("gae_pusher")

_AT_ONCE: Final = 10
# The end of a lease is for settling; sending stops before.
_SENDING_SHARE: Final = 0.8


class Relay:
    """Sends the entries of one sender's app, in tasklets; any number may run at the same time."""

    def __init__(self, outbox: Outbox, sender: Any) -> None:
        self._outbox = outbox
        self._sender = sender
        self._store = outbox.store(sender)

    @tasklet
    def deliver(self, entry: str) -> Steps[Any]:
        """Make one attempt; gives 'delivered', 'later', 'parked', or 'not ours'."""
        lease: Lease | None = yield self._store.lease(entry)
        if lease is None:
            return "not ours"
        until = lease.until - (1 - _SENDING_SHARE) * self._outbox.policy.lease_seconds
        outcome: Outcome = yield send(self._sender, lease.events, until, self._outbox.clock)
        if not outcome.left:
            yield self._store.delete([entry])
            return "delivered"
        seconds = yield self._store.settle(entry, lease.attempt, outcome)
        if seconds is None:
            logger.error("entry %s of the outbox is parked: %s", entry, outcome.error)
            return "parked"
        logger.warning("entry %s of the outbox waits %d s: %s", entry, seconds, outcome.error)
        self._outbox.fallback.add(entry, lease.attempt, seconds)
        return "later"

    @tasklet
    def sweep(self, seconds: float) -> Steps[Any]:
        """Make an attempt for all entries that are due, for about `seconds`; gives a Counter.

        It ends when the breaker opens: what is due then keeps its attempts for a later sweep.
        """
        done: Counter[str] = Counter()
        end = self._outbox.clock() + seconds
        while self._outbox.clock() < end:
            if self._sender.breaker_is_open:
                logger.warning("the sweep of the outbox ends: the breaker is open")
                break
            entries = yield self._store.due(_AT_ONCE)
            if not entries:
                break
            results = yield [self._safely(entry) for entry in entries]
            done.update(results)
            if set(results) == {"failed"}:
                break
        done["forgotten"] = yield self._store.forget_old(_AT_ONCE)
        return +done

    @tasklet
    def _safely(self, entry: str) -> Steps[Any]:
        """One entry that Datastore cannot serve just now keeps no other from being sent."""
        try:
            return (yield self.deliver(entry))
        except Exception:
            logger.exception("entry %s of the outbox could not be worked on", entry)
            return "failed"
