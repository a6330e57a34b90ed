"""Run a query on a view: one batch of results, with what a client needs to ask for the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Final

from gae_pusher.emulator.datastore.cursors import Cursors
from gae_pusher.emulator.datastore.encoding import Reader
from gae_pusher.emulator.datastore.indexes import path_of
from gae_pusher.emulator.datastore.messages import (
    EntityResult,
    MoreResults,
    Query,
    QueryResultBatch,
    ResultType,
)
from gae_pusher.emulator.datastore.nearest import Nearest
from gae_pusher.emulator.datastore.plan import Plan
from gae_pusher.emulator.datastore.refusals import invalid
from gae_pusher.emulator.datastore.rows import Position, ascending, results, split
from gae_pusher.emulator.datastore.store import Address, Record
from gae_pusher.emulator.datastore.values import decode_value, read_value
from gae_pusher.emulator.datastore.views import View

__all__ = ["run_query", "selected"]

# Google's Datastore emulator gives 300, which costs a query over many entities a quarter more.
BATCH_RESULTS: Final = 1_000
BATCH_BYTES: Final = 4_000_000


def run_query(view: View, plan: Plan, query: Query, batch: QueryResultBatch) -> None:
    """Fill the first batch of a planned query's results. Raises Refusal."""
    if query.HasField("find_nearest"):
        _Run(view, plan, query, batch).fill_nearest(Nearest(query))
    else:
        _Run(view, plan, query, batch).fill()


def selected(view: View, plan: Plan, query: Query) -> Iterator[bytes]:
    """The sort keys of all results between the cursors, behind the offset, up to the limit."""
    return _Run(view, plan, query, QueryResultBatch()).all()


class _Run:
    def __init__(self, view: View, plan: Plan, query: Query, batch: QueryResultBatch) -> None:
        if query.offset < 0:
            raise invalid("Offset must be non-negative.")
        if query.HasField("limit") and query.limit.value < 0:
            raise invalid("Limit must be non-negative.")
        self._view = view
        self._plan = plan
        self._whole_rows = plan.whole_rows
        self._cursors = Cursors(plan)
        self._offset = query.offset
        self._limit = query.limit.value if query.HasField("limit") else None
        self._start = query.start_cursor
        self._end = self._position(query.end_cursor)
        self._batch = batch

    def all(self) -> Iterator[bytes]:
        found = self._between(self._position(self._start))
        most = None if self._limit is None else self._offset + self._limit
        return islice(found, self._offset, most)

    def fill(self) -> None:
        batch = self._batch
        batch.entity_result_type = self._result_type()  # type: ignore[assignment]
        batch.end_cursor = self._start
        found = self._between(self._position(self._start))
        self._skip(found)
        batch.more_results = self._take(found)  # type: ignore[assignment]

    def fill_nearest(self, nearest: Nearest) -> None:
        batch = self._batch
        batch.entity_result_type = self._result_type()  # type: ignore[assignment]
        batch.more_results = MoreResults.NO_MORE_RESULTS  # type: ignore[assignment]
        found = ((key, self._record(key).entity()) for key in self.all())
        for sort_key, distance in nearest.among(found):
            self._add(sort_key)
            result = batch.entity_results[-1]
            result.ClearField("cursor")
            if nearest.result_property:
                result.entity.properties[nearest.result_property].double_value = distance

    def _position(self, cursor: bytes) -> Position | None:
        return self._cursors.position(cursor) if cursor else None

    def _between(self, start: Position | None) -> Iterator[bytes]:
        for sort_key in results(self._view, self._plan, start):
            if self._end is not None and self._end.is_before(sort_key):
                return
            yield sort_key

    def _skip(self, found: Iterator[bytes]) -> None:
        skipped = deque(islice(enumerate(found, 1), self._offset), maxlen=1)
        if skipped:
            ((self._batch.skipped_results, last),) = skipped
            self._batch.skipped_cursor = self._batch.end_cursor = self._cursors.after(last)

    def _take(self, found: Iterator[bytes]) -> int:
        """Take results until there are no more, or enough; what a client is told of the rest."""
        room = BATCH_BYTES
        most = BATCH_RESULTS if self._limit is None else min(self._limit, BATCH_RESULTS)
        last = None
        for last in islice(found, most):
            room -= self._add(last)
            if room <= 0:
                break
        if last is not None:
            self._batch.end_cursor = self._cursors.after(last)
        if len(self._batch.entity_results) == self._limit:
            return MoreResults.MORE_RESULTS_AFTER_LIMIT
        if next(found, None) is not None:
            return MoreResults.NOT_FINISHED
        if self._end is not None:
            return MoreResults.MORE_RESULTS_AFTER_CURSOR
        return MoreResults.NO_MORE_RESULTS

    def _result_type(self) -> int:
        if self._plan.projected is None:
            return ResultType.FULL
        return ResultType.KEY_ONLY if self._plan.keys_only else ResultType.PROJECTION

    def _add(self, sort_key: bytes) -> int:
        """Put one result into the batch; its size."""
        record = self._record(sort_key)
        result = self._batch.entity_results.add()  # type: ignore[attr-defined]
        result.cursor = self._cursors.after(sort_key)
        if self._plan.projected is not None:
            result.entity.MergeFromString(record.key)
            self._project(result, sort_key)
            return len(sort_key)
        result.entity.MergeFromString(record.key + record.properties)
        result.version = record.version
        result.create_time.FromMicroseconds(record.created)
        result.update_time.FromMicroseconds(record.version)
        return len(record.properties)

    def _record(self, sort_key: bytes) -> Record:
        return self._view.peek(Address(self._plan.partition.namespace, path_of(sort_key)))

    def _project(self, result: EntityResult, sort_key: bytes) -> None:
        if not self._plan.projected:
            return
        if self._whole_rows:
            reader = Reader(sort_key)
            for column in self._plan.columns:
                read_value(reader, result.entity.properties[column.property])
            return
        values = split(sort_key, self._plan.columns)
        for position, name in self._plan.projected:
            value = ascending(values[position], self._plan.columns[position])
            decode_value(value, result.entity.properties[name])
