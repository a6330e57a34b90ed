"""A database as it was at a version: what lookups and queries read from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge

from gae_pusher.emulator.datastore.indexes import IndexSpec, path_of, rows_of
from gae_pusher.emulator.datastore.keys import kind_of
from gae_pusher.emulator.datastore.refusals import Code, Refusal
from gae_pusher.emulator.datastore.store import Address, Record, Store, columns

__all__ = ["Footprint", "Scanned", "View"]


@dataclass(slots=True)
class Scanned:
    """The rows of an index that a query looked at: from `low` to `last`, or below `high`."""

    namespace: str
    spec: IndexSpec
    low: bytes
    high: bytes | None
    last: bytes | None = None
    exhausted: bool = False

    def holds(self, address: Address, record: Record | None) -> bool:
        """Whether an entity has, or would have had, a row among them."""
        kinds = (None, kind_of(address.path))
        wanted = [column.property for column in self.spec.columns]
        found = columns(record, wanted)
        if found is None or address.namespace != self.namespace or self.spec.kind not in kinds:
            return False
        return any(self._covers(row) for row in rows_of(self.spec, address.path, found))

    def _covers(self, row: bytes) -> bool:
        if row < self.low or (self.high is not None and row >= self.high):
            return False
        return self.exhausted or (self.last is not None and row <= self.last)


class Footprint:
    """All that was read: entities by their address, whether they exist or not, and rows."""

    def __init__(self) -> None:
        self.addresses: set[Address] = set()
        self.scans: list[Scanned] = []

    def changed_since(self, store: Store, version: int) -> bool:
        """Whether something that was read is different now."""
        changed = set()
        for change in store.changes_since(version):
            changed.add(change.address)
            if change.address in self.addresses or self._scanned(change.address, change.before):
                return True
        return any(self._scanned(address, store.record(address)) for address in changed)

    def _scanned(self, address: Address, record: Record | None) -> bool:
        return any(scan.holds(address, record) for scan in self.scans)


class View:
    """The store at a version. Raises Refusal when that is further back than the past is kept.

    A footprint, where one is given, takes down what is read.
    """

    def __init__(self, store: Store, version: int, footprint: Footprint | None = None) -> None:
        if version < store.horizon:
            raise Refusal(
                Code.FAILED_PRECONDITION, "The requested read time is too old: it is not kept."
            )
        self.store = store
        self.version = version
        self.footprint = footprint
        # What has been changed since, as it was: the earliest change comes last, and holds that.
        self._before = {c.address: c.before for c in store.changes_since(version)}

    def record(self, address: Address) -> Record | None:
        """An entity as it was."""
        if self.footprint is not None:
            self.footprint.addresses.add(address)
        return self._record(address)

    def peek(self, address: Address) -> Record:
        """An entity that a scan has found: its row is already taken down."""
        record = self._record(address)
        if record is None:
            raise LookupError("an index has a row of an entity that does not exist")
        return record

    def scan(
        self, namespace: str, spec: IndexSpec, low: bytes, high: bytes | None
    ) -> Iterator[bytes]:
        """The rows of an index from `low` on, and below `high` unless it is None."""
        rows = self._rows(namespace, spec, low, high)
        if self.footprint is None:
            return rows
        scanned = Scanned(namespace, spec, low, high)
        self.footprint.scans.append(scanned)
        return _watched(rows, scanned)

    def repeats(self, namespace: str, spec: IndexSpec) -> bool:
        """Whether an entity may have several rows in an index."""
        space = self.store.namespaces.get(namespace)
        return bool(self._before) or (space is not None and space.index(spec).repeats)

    def namespaces(self) -> list[str]:
        """The namespaces that have entities, in their order."""
        names = {name for name, space in self.store.namespaces.items() if space.records}
        names |= {address.namespace for address in self._before}
        return sorted(name for name in names if any(self.paths(name)))

    def paths(self, namespace: str) -> Iterator[bytes]:
        """The paths of all entities of a namespace, in their order."""
        everything = IndexSpec(None, False, ())
        return (path_of(row) for row in self.scan(namespace, everything, b"", None))

    def _record(self, address: Address) -> Record | None:
        if address in self._before:
            return self._before[address]
        return self.store.record(address)

    def _rows(
        self, namespace: str, spec: IndexSpec, low: bytes, high: bytes | None
    ) -> Iterator[bytes]:
        before = self._before
        rows: Iterator[bytes] = iter(())
        if namespace in self.store.namespaces:
            rows = self.store.namespaces[namespace].index(spec).scan(low, high)
        if not before:
            return rows
        unchanged = (row for row in rows if Address(namespace, path_of(row)) not in before)
        return merge(unchanged, self._old_rows(namespace, spec, low, high))

    def _old_rows(
        self, namespace: str, spec: IndexSpec, low: bytes, high: bytes | None
    ) -> list[bytes]:
        found = []
        wanted = [column.property for column in spec.columns]
        for address, record in self._before.items():
            if record is None or address.namespace != namespace:
                continue
            if spec.kind is None or spec.kind == kind_of(address.path):
                found += rows_of(spec, address.path, columns(record, wanted) or {})
        return sorted(row for row in found if row >= low and (high is None or row < high))


def _watched(rows: Iterator[bytes], scanned: Scanned) -> Iterator[bytes]:
    for row in rows:
        scanned.last = row
        yield row
    scanned.exhausted = True
