"""What becomes of a trigger inside an NDB transaction: nothing is ever sent from there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gae_pusher.errors import ConfigurationError, InTransaction
from gae_pusher.sansio.operations import Plan

__all__ = ["ON_COMMIT", "TOO_EARLY", "Deferred", "OutboxLike", "Transactions", "default_outbox"]

ON_COMMIT: Final = ("outbox", "send", "raise")

TOO_EARLY: Final = (
    "trigger_later was called inside a transaction, which may roll back: call it when "
    "transaction() has returned, or use trigger, which waits for the commit"
)

_TRIGGERS: Final = ("/events", "/batch_events")


@dataclass(frozen=True, slots=True)
class Deferred:
    """What a trigger inside a transaction answers, at once and always true: the commit decides.

    `entry` is the id of the outbox entry, None with on_commit='send'.
    """

    entry: str | None


class OutboxLike(Protocol):
    """Takes the events of a transaction; gae_pusher.outbox.Outbox is one."""

    def defer(self, sender: Any, plan: Plan[Any], *, durable: bool) -> Deferred:
        """Keep a plan of triggers until the current transaction commits, `durable` in Datastore."""


# Set by gae_pusher/__init__.py: the outbox stands above this module.
default_outbox: Callable[[], OutboxLike] | None = None


class Transactions:
    """The rule of one sender: the outbox, a send after the commit, or a refusal."""

    def __init__(self, on_commit: str = "outbox", outbox: OutboxLike | None = None) -> None:
        if on_commit not in ON_COMMIT:
            raise ConfigurationError(f"on_commit is {on_commit!r}, it must be one of {ON_COMMIT}")
        self.on_commit = on_commit
        self._outbox = outbox

    @property
    def outbox(self) -> Any:
        """The outbox that was given, else one with the default settings."""
        if self._outbox is None:
            assert default_outbox is not None
            self._outbox = default_outbox()
        return self._outbox

    def defer(self, sender: Any, plan: Plan[Any]) -> Deferred | None:
        """Keep a plan until the current transaction commits; None when it may be sent at once.

        Only triggers wait. Raises InTransaction with on_commit='raise', and for `info=`, which
        nobody can answer before the event is sent.
        """
        if not plan.operations or not all(_is_trigger(each.path) for each in plan.operations):
            return None
        if self.on_commit == "raise":
            raise InTransaction(
                "trigger was called inside a transaction: call it when transaction() has "
                "returned, or leave out on_commit='raise' to let it wait for the commit"
            )
        return self.outbox.defer(sender, plan, durable=self.on_commit == "outbox")  # type: ignore[no-any-return]


def _is_trigger(path: str) -> bool:
    return path.endswith(_TRIGGERS)
