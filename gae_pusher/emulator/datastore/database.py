"""One database: what each call of the API does, at a given time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from gae_pusher.emulator.datastore.composite import CompositeIndexes
from gae_pusher.emulator.datastore.ids import Ids
from gae_pusher.emulator.datastore.keys import (
    Partition,
    check_complete,
    check_key,
    check_partition,
    is_complete,
    show_key,
)
from gae_pusher.emulator.datastore.messages import (
    AllocateIdsRequest,
    AllocateIdsResponse,
    BeginTransactionRequest,
    BeginTransactionResponse,
    CommitMode,
    CommitRequest,
    CommitResponse,
    Key,
    LookupRequest,
    LookupResponse,
    ReadConsistency,
    ReadOptions,
    ReserveIdsRequest,
    ReserveIdsResponse,
    RollbackRequest,
    RollbackResponse,
)
from gae_pusher.emulator.datastore.metadata import metadata_view
from gae_pusher.emulator.datastore.mutations import Batch
from gae_pusher.emulator.datastore.paths import parse_mask, restrict
from gae_pusher.emulator.datastore.refusals import Code, Refusal, invalid
from gae_pusher.emulator.datastore.statistics import STATISTIC_KINDS
from gae_pusher.emulator.datastore.store import Address, Record, Store
from gae_pusher.emulator.datastore.times import micros_of
from gae_pusher.emulator.datastore.transactions import Transactions
from gae_pusher.emulator.datastore.views import View

__all__ = ["Database", "Journal"]


class Journal(Protocol):
    """Where commits are written down before they are acknowledged."""

    def write(
        self,
        project: str,
        database: str,
        after: Mapping[Address, Record | None],
        ids_used: int,
        reserved: Iterable[int] = (),
    ) -> None:
        """Keep what a commit left, how many ids have been given out, and which are reserved."""


class Database:
    """The entities and transactions of one database of one project.

    Times are microseconds of unix time. Every method raises Refusal, and has changed nothing then.
    """

    def __init__(
        self,
        project: str,
        name: str,
        salt: bytes,
        journal: Journal | None,
        composite: CompositeIndexes,
        query_delay_micros: int,
    ) -> None:
        self.project = project
        self.name = name
        self.store = Store()
        self.ids = Ids()
        self.transactions = Transactions(salt)
        self.composite = composite
        self._journal = journal
        self._query_delay_micros = query_delay_micros

    def lookup(self, request: LookupRequest, now_micros: int) -> LookupResponse:
        """Get entities by key. A key that is given twice is answered once."""
        addresses = {self._address(key): key for key in request.keys}
        view, begun = self.view(request.read_options, now_micros)
        response = LookupResponse(transaction=begun)
        response.read_time.FromMicroseconds(view.version)
        mask = (
            parse_mask(request.property_mask.paths) if request.HasField("property_mask") else None
        )
        for address, key in addresses.items():
            record = view.record(address)
            if record is None and key.path[-1].kind in STATISTIC_KINDS:
                record = self._statistic(view, key)
            results = response.missing if record is None else response.found
            result = results.add()  # type: ignore[attr-defined]
            result.version = view.version if record is None else record.version
            if record is not None:
                result.entity.MergeFromString(record.key + record.properties)
                result.create_time.FromMicroseconds(record.created)
                result.update_time.FromMicroseconds(record.version)
                if mask is not None:
                    restrict(result.entity, mask)
            # Clients find their entities again by the bytes of the key that they sent.
            result.entity.key.CopyFrom(key)
        return response

    def begin_transaction(
        self, request: BeginTransactionRequest, now_micros: int
    ) -> BeginTransactionResponse:
        """Open a transaction."""
        name = self.transactions.begin(request.transaction_options, now_micros)
        return BeginTransactionResponse(transaction=name)

    def commit(self, request: CommitRequest, now_micros: int) -> CommitResponse:
        """Make mutations, all or none, if nothing that the transaction has read was changed."""
        selector = request.WhichOneof("transaction_selector")
        if request.mode == CommitMode.NON_TRANSACTIONAL:
            if selector is not None:
                raise invalid("non-transaction commit cannot specify a transaction")
            return self._write(request, now_micros, atomic=False)
        if selector is None:
            raise invalid("transactional commit requires a transaction")
        if selector == "single_use_transaction":
            if request.single_use_transaction.WhichOneof("mode") == "read_only":
                raise invalid("Cannot modify entities in a read-only transaction.")
            return self._write(request, now_micros, atomic=True)
        return self._commit_transaction(request, now_micros)

    def _commit_transaction(self, request: CommitRequest, now_micros: int) -> CommitResponse:
        transaction = self.transactions.get(request.transaction, now_micros)
        if transaction.read_only and request.mutations:
            raise invalid("Cannot modify entities in a read-only transaction.")
        self.transactions.end(request.transaction)
        version = transaction.version
        if request.mutations and version is not None:
            changed = transaction.footprint.changed_since(self.store, version)
            if changed or version < self.store.horizon:
                raise Refusal(
                    Code.ABORTED,
                    "too much contention on these datastore entities. please try again.",
                )
        return self._write(request, now_micros, atomic=True)

    def rollback(self, request: RollbackRequest, now_micros: int) -> RollbackResponse:
        """Close a transaction; one that has ended already is no error."""
        self.transactions.end(request.transaction)
        return RollbackResponse()

    def allocate_ids(self, request: AllocateIdsRequest, now_micros: int) -> AllocateIdsResponse:
        """Complete keys with ids that nobody else gets."""
        for key in request.keys:
            check_key(key, writing=True)
            if is_complete(key):
                raise invalid(f"Key path element must not be complete: {show_key(key)}")
            self._place(key)
        response = AllocateIdsResponse(keys=request.keys)
        for key in response.keys:
            self._place(key)
            key.path[-1].id = self.ids.next()
            while self.store.record(self._address(key)) is not None:
                key.path[-1].id = self.ids.next()
        self._record({})
        return response

    def reserve_ids(self, request: ReserveIdsRequest, now_micros: int) -> ReserveIdsResponse:
        """Keep ids from being given out."""
        for key in request.keys:
            check_complete(key)
            self._place(key)
        numbers = [key.path[-1].id for key in request.keys]
        self.ids.reserve(numbers)
        self._record({}, numbers)
        return ReserveIdsResponse()

    def view(self, options: ReadOptions, now_micros: int) -> tuple[View, bytes]:
        """What a read sees, and the transaction that was begun with it, if one was."""
        which = options.WhichOneof("consistency_type")
        if which == "new_transaction":
            name = self.transactions.begin(options.new_transaction, now_micros)
            return self._view_of(name, now_micros), name
        if which == "transaction":
            return self._view_of(options.transaction, now_micros), b""
        if which == "read_time":
            return View(self.store, self._past(micros_of(options.read_time), now_micros)), b""
        return View(self.store, self.store.version), b""

    def query_view(
        self, options: ReadOptions, now_micros: int, *, ancestor: bool
    ) -> tuple[View, bytes]:
        """What a query sees: without an ancestor it may lag, unless it asks for consistency."""
        strong = options.read_consistency == ReadConsistency.STRONG
        lags = options.WhichOneof("consistency_type") in (None, "read_consistency")
        if self._query_delay_micros and lags and not ancestor and not strong:
            version = max(now_micros - self._query_delay_micros, self.store.horizon)
            return View(self.store, version), b""
        return self.view(options, now_micros)

    def clear(self) -> None:
        """Forget all entities and transactions."""
        self.store.clear()
        self.transactions.clear()

    def _statistic(self, view: View, key: Key) -> Record | None:
        partition = Partition(self.project, self.name, key.partition_id.namespace_id)
        return metadata_view(view, key.path[-1].kind, partition).record(Address.of(key))

    def _view_of(self, name: bytes, now_micros: int) -> View:
        transaction = self.transactions.get(name, now_micros)
        if transaction.version is None:
            transaction.version = self.store.version
        version = self._past(transaction.version, now_micros)
        return View(self.store, version, None if transaction.read_only else transaction.footprint)

    def _past(self, version: int, now_micros: int) -> int:
        if version > max(now_micros, self.store.version):
            raise invalid("The requested 'read_time' cannot be in the future.")
        return version

    def _write(self, request: CommitRequest, now_micros: int, *, atomic: bool) -> CommitResponse:
        version = self.store.next_version(now_micros)
        batch = Batch(self.store, self.project, self.name, version, now_micros)
        batch.make(request.mutations, self.ids, atomic=atomic)
        self._record(batch.after)
        if batch.after:
            self.store.apply(version, batch.after)
        response = CommitResponse(mutation_results=batch.results)
        response.commit_time.FromMicroseconds(version)
        return response

    def _record(self, after: Mapping[Address, Record | None], reserved: Iterable[int] = ()) -> None:
        if self._journal is not None:
            self._journal.write(self.project, self.name, after, self.ids.used, reserved)

    def _place(self, key: Key) -> None:
        """Fill in a key's partition."""
        check_partition(key, self.project, self.name)
        key.partition_id.project_id = self.project
        key.partition_id.database_id = self.name

    def _address(self, key: Key) -> Address:
        check_complete(key)
        check_partition(key, self.project, self.name)
        return Address.of(key)
