"""What a commit does to the entities: inserts, updates, upserts and deletes, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gae_pusher.emulator.datastore.entities import check_entity, check_size
from gae_pusher.emulator.datastore.ids import Ids
from gae_pusher.emulator.datastore.keys import (
    check_complete,
    check_key,
    check_partition,
    is_complete,
    show_key,
)
from gae_pusher.emulator.datastore.messages import (
    Entity,
    Key,
    Mutation,
    MutationResult,
    Resolution,
)
from gae_pusher.emulator.datastore.paths import overlay, parse_mask
from gae_pusher.emulator.datastore.refusals import Code, Refusal, invalid
from gae_pusher.emulator.datastore.store import Address, Record, Store
from gae_pusher.emulator.datastore.times import micros_of
from gae_pusher.emulator.datastore.transforms import apply_transform

__all__ = ["Batch"]

_NOT_AFTER: Final = {
    ("insert", "insert"),
    ("update", "insert"),
    ("upsert", "insert"),
    ("delete", "update"),
}


class Batch:
    """The mutations of one commit, checked, and then made on top of what is stored.

    `after` is what they leave of each entity, `results` what a client is told.
    """

    def __init__(
        self, store: Store, project: str, database: str, version: int, now_micros: int
    ) -> None:
        self._store = store
        self._project = project
        self._database = database
        self._version = version
        self._now_micros = now_micros
        self.after: dict[Address, Record | None] = {}
        self.results: list[MutationResult] = []

    def make(self, mutations: Sequence[Mutation], ids: Ids, *, atomic: bool) -> None:
        """Make all of them. Raises Refusal, and then none of them counts."""
        keys = [self._checked_key(mutation) for mutation in mutations]
        self._check_sequence(mutations, keys, atomic=atomic)
        for mutation, key in zip(mutations, keys, strict=True):
            self.results.append(self._make(mutation, key, ids))

    def _checked_key(self, mutation: Mutation) -> Key:
        """The key, with its partition filled in."""
        operation = mutation.WhichOneof("operation")
        if operation is None:
            raise invalid("Mutation is missing operation.")
        if operation == "delete":
            if mutation.property_transforms:
                raise invalid("Delete mutation cannot have PropertyTransforms.")
            key = mutation.delete
            check_key(key, writing=True)
        else:
            entity: Entity = getattr(mutation, operation)
            check_entity(entity)
            key = entity.key
        if operation in ("update", "delete"):
            check_complete(key)
        check_partition(key, self._project, self._database)
        key.partition_id.project_id = self._project
        key.partition_id.database_id = self._database
        return key

    def _check_sequence(
        self, mutations: Sequence[Mutation], keys: Sequence[Key], *, atomic: bool
    ) -> None:
        """Which operations on one entity may follow another (Commit in the API)."""
        if len(mutations) == 1:
            return
        last: dict[Address, str] = {}
        for mutation, key in zip(mutations, keys, strict=True):
            if not is_complete(key):
                continue
            address = Address.of(key)
            operation = mutation.WhichOneof("operation") or ""
            if address in last and not atomic:
                raise invalid(
                    "A non-transactional commit may not contain multiple mutations affecting "
                    "the same entity."
                )
            if (last.get(address), operation) in _NOT_AFTER:
                raise invalid(
                    f"Cannot {last[address]} then {operation} an entity in the same request."
                )
            last[address] = operation

    def _make(self, mutation: Mutation, key: Key, ids: Ids) -> MutationResult:
        result = MutationResult()
        if not is_complete(key):
            self._complete(key, ids)
            result.key.CopyFrom(key)
        address = Address.of(key)
        before = self.after[address] if address in self.after else self._store.record(address)
        if _conflicts(mutation, before):
            result.conflict_detected = True
            result.version = before.version if before is not None else self._store.version
            return result
        operation = mutation.WhichOneof("operation") or ""
        _check_presence(operation, before, key)
        after = None
        if operation != "delete":
            after = self._written(mutation, getattr(mutation, operation), before, result)
            result.create_time.FromMicroseconds(after.created)
            result.update_time.FromMicroseconds(after.version)
        self.after[address] = after
        result.version = self._version
        return result

    def _complete(self, key: Key, ids: Ids) -> None:
        key.path[-1].id = ids.next()
        while self._store.record(Address.of(key)) is not None:
            key.path[-1].id = ids.next()

    def _written(
        self, mutation: Mutation, entity: Entity, before: Record | None, result: MutationResult
    ) -> Record:
        if mutation.HasField("property_mask"):
            masked = before.entity() if before is not None else Entity(key=entity.key)
            overlay(masked, entity, parse_mask(mutation.property_mask.paths))
            entity = masked
        for transform in mutation.property_transforms:
            result.transform_results.append(apply_transform(entity, transform, self._now_micros))
        if mutation.property_transforms:
            check_entity(entity)
        check_size(entity)
        created = before.created if before is not None else self._version
        return Record.of(entity, self._version, created)


def _conflicts(mutation: Mutation, before: Record | None) -> bool:
    """Whether another version is stored than the client has seen. Raises Refusal if it says so."""
    strategy = mutation.WhichOneof("conflict_detection_strategy")
    if strategy is None:
        return False
    stored = before.version if before is not None else 0
    expected = mutation.base_version
    if strategy == "update_time":
        expected = micros_of(mutation.update_time)
    if stored == expected:
        return False
    if mutation.conflict_resolution_strategy == Resolution.FAIL:
        raise Refusal(
            Code.FAILED_PRECONDITION,
            f"the stored version ({stored}) does not match the required base version ({expected})",
        )
    return True


def _check_presence(operation: str, before: Record | None, key: Key) -> None:
    """Raises Refusal for an insert of what exists and an update of what does not."""
    if operation == "insert" and before is not None:
        raise Refusal(Code.ALREADY_EXISTS, f"entity already exists: {show_key(key)}")
    if operation == "update" and before is None:
        raise Refusal(Code.NOT_FOUND, f"no entity to update: {show_key(key)}")
