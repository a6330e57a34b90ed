"""Open transactions: what each has read, and from when."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from gae_pusher.emulator.datastore import limits
from gae_pusher.emulator.datastore.messages import TransactionOptions
from gae_pusher.emulator.datastore.refusals import invalid
from gae_pusher.emulator.datastore.times import micros_of
from gae_pusher.emulator.datastore.views import Footprint

__all__ = ["Transaction", "Transactions"]

_NUMBER_BYTES: Final = 8
_IDLE_MICROS: Final = limits.TRANSACTION_IDLE_SECONDS * 1_000_000
_MOST_MICROS: Final = limits.TRANSACTION_SECONDS * 1_000_000


@dataclass(slots=True)
class Transaction:
    """`version` is the snapshot that it reads: the one of its first read, unless it was given.

    Times are microseconds of unix time.
    """

    read_only: bool
    began_micros: int
    used_micros: int
    version: int | None = None
    footprint: Footprint = field(default_factory=Footprint)

    def expired(self, now_micros: int) -> bool:
        """Whether it was open, or unused, for longer than the Datastore keeps one."""
        return (
            now_micros - self.used_micros > _IDLE_MICROS
            or now_micros - self.began_micros > _MOST_MICROS
        )


class Transactions:
    """The transactions of one database, by the bytes that clients know them by.

    `salt` keeps apart the transactions of two runs of a server.
    """

    def __init__(self, salt: bytes) -> None:
        self._salt = salt
        self._count = 0
        self._open: dict[bytes, Transaction] = {}

    def begin(self, options: TransactionOptions, now_micros: int) -> bytes:
        """Open one. Raises Refusal when the one that it tries again is none of this server's."""
        if options.read_write.previous_transaction:
            self._check(options.read_write.previous_transaction)
        self._drop_expired(now_micros)
        read_only = options.WhichOneof("mode") == "read_only"
        transaction = Transaction(read_only, now_micros, now_micros)
        if read_only and options.read_only.HasField("read_time"):
            transaction.version = micros_of(options.read_only.read_time)
        self._count += 1
        name = self._count.to_bytes(_NUMBER_BYTES) + self._salt
        self._open[name] = transaction
        return name

    def get(self, name: bytes, now_micros: int) -> Transaction:
        """An open one. Raises Refusal for one that has ended, or is none of this server's."""
        self._check(name)
        self._drop_expired(now_micros)
        transaction = self._open.get(name)
        if transaction is None:
            raise invalid("The referenced transaction has expired or is no longer valid.")
        transaction.used_micros = now_micros
        return transaction

    def end(self, name: bytes) -> None:
        """Close one, if it is open. Raises Refusal for one that is none of this server's."""
        self._check(name)
        self._open.pop(name, None)

    def clear(self) -> None:
        """Close all."""
        self._open.clear()

    def _check(self, name: bytes) -> None:
        if not name:
            raise invalid("transaction required")
        number = int.from_bytes(name[:_NUMBER_BYTES])
        if name[_NUMBER_BYTES:] != self._salt or not 1 <= number <= self._count:
            raise invalid("Invalid transaction.")

    def _drop_expired(self, now_micros: int) -> None:
        # The oldest come first, but a busy one may outlive a younger one: all are looked at.
        for name in [name for name, found in self._open.items() if found.expired(now_micros)]:
            del self._open[name]
