"""The results of a plan, in order, from a view: index rows, merged and without doubles.

A result is its sort key: the plan's columns, the entity's path and the path's length.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import cycle
from typing import NamedTuple

from gae_pusher.emulator.datastore.encoding import INVERTED, Reader, successor
from gae_pusher.emulator.datastore.indexes import KEY, LENGTH_BYTES, Column, path_of, rows_of
from gae_pusher.emulator.datastore.keys import Path
from gae_pusher.emulator.datastore.plan import Plan, Scan
from gae_pusher.emulator.datastore.ranges import EVERYTHING, Interval, Ranges, contains, intersect
from gae_pusher.emulator.datastore.store import Address
from gae_pusher.emulator.datastore.values import Columns, columns_of, skip_value
from gae_pusher.emulator.datastore.views import View

__all__ = ["Position", "ascending", "results", "split"]


class Position(NamedTuple):
    """A place between results: after a sort key, or before it."""

    sort_key: bytes
    after: bool = True

    def is_before(self, sort_key: bytes) -> bool:
        """Whether a result comes after this place."""
        return sort_key > self.sort_key if self.after else sort_key >= self.sort_key


def results(view: View, plan: Plan, start: Position | None = None) -> Iterator[bytes]:
    """The sort keys of a plan's results behind a place, or all."""
    streams = [_sort_keys(view, plan, scan, start) for scan in plan.scans]
    found = streams[0] if len(streams) == 1 else _without_repeats(merge(*streams))
    if not plan.projected:
        found = _once_per_entity(view, plan, found)
    return _once_per_group(plan, found, start) if plan.distinct else found


def split(row: bytes, columns: tuple[Column, ...]) -> list[bytes]:
    """The leading columns of a row."""
    found = []
    position = 0
    for column in columns:
        data = row[position:].translate(INVERTED) if column.descending else row[position:]
        reader = Reader(data)
        if column.property == KEY:
            reader.read_path()
            reader.take(1)
        else:
            skip_value(reader)
        found.append(row[position : position + reader.position])
        position += reader.position
    return found


def ascending(value: bytes, column: Column) -> bytes:
    """A column's value as it is in an ascending one; the other way round it is the same."""
    return value.translate(INVERTED) if column.descending else value


def _sort_keys(view: View, plan: Plan, scan: Scan, start: Position | None) -> Iterator[bytes]:
    leading = scan.ranges[0] if scan.ranges else scan.paths
    if start is None:
        return _with_constants(plan, scan, _rows(view, plan, scan, leading))
    if not scan.fixed:
        low = successor(start.sort_key) if start.after else start.sort_key
        leading = intersect(leading, (Interval(low or b"", None),))
    found = _with_constants(plan, scan, _rows(view, plan, scan, leading))
    return filter(start.is_before, found)


def _rows(view: View, plan: Plan, scan: Scan, leading: Ranges) -> Iterator[bytes]:
    """What stands behind the prefix in the rows of one alternative."""
    if len(scan.sources) > 1:
        yield from _intersected(view, plan, scan, leading)
        return
    ((spec, prefix),) = scan.sources
    admits = _others_admit(scan)
    for low, high in leading:
        end = successor(prefix) if high is None else prefix + high
        for row in view.scan(plan.partition.namespace, spec, prefix + low, end):
            rest = row[len(prefix) :]
            if not admits or _admitted(scan, rest):
                yield rest


def _others_admit(scan: Scan) -> bool:
    """Whether more than the leading column has to be looked at."""
    others = [*scan.ranges[1:], scan.paths] if scan.ranges else []
    return any(ranges != EVERYTHING for ranges in others)


def _admitted(scan: Scan, rest: bytes) -> bool:
    """Whether all columns and the path are in their ranges."""
    if not contains(scan.paths, rest[-LENGTH_BYTES - len(path_of(rest)) :]):
        return False
    values = split(rest, scan.own_columns)
    return all(map(contains, scan.ranges, values))


def _intersected(view: View, plan: Plan, scan: Scan, leading: Ranges) -> Iterator[bytes]:
    """What stands behind every prefix: each scan leaps to where the one before it is."""
    for low, high in leading:
        target, agreed = low, 0
        for spec, prefix in cycle(scan.sources):
            end = successor(prefix) if high is None else prefix + high
            row = next(view.scan(plan.partition.namespace, spec, prefix + target, end), None)
            if row is None:
                break
            agreed = agreed + 1 if row[len(prefix) :] == target else 1
            target = row[len(prefix) :]
            if agreed == len(scan.sources):
                yield target
                target, agreed = target + b"\x00", 0


def _with_constants(plan: Plan, scan: Scan, rows: Iterator[bytes]) -> Iterator[bytes]:
    if not scan.fixed:
        return rows
    return (_assemble(scan, row) for row in rows)


def _assemble(scan: Scan, row: bytes) -> bytes:
    """A sort key out of the columns of a row and the values that the filter fixes."""
    own = split(row, scan.own_columns)
    rest = row[sum(map(len, own)) :]
    values = iter(own)
    return b"".join(next(values) if c is None else c for c in scan.constants) + rest


def _without_repeats(found: Iterator[bytes]) -> Iterator[bytes]:
    last = None
    for sort_key in found:
        if sort_key != last:
            yield sort_key
        last = sort_key


def _once_per_entity(view: View, plan: Plan, found: Iterator[bytes]) -> Iterator[bytes]:
    """Each entity at the first place that one of its values gives it."""
    specs = (spec for scan in plan.scans for spec, _ in scan.sources)
    if not plan.columns or not any(view.repeats(plan.partition.namespace, s) for s in specs):
        return found
    return (key for key in found if key == _first_sort_key(view, plan, path_of(key)))


def _first_sort_key(view: View, plan: Plan, path: Path) -> bytes | None:
    record = view.record(Address(plan.partition.namespace, path))
    if record is None:
        return None
    columns = columns_of(record.entity())
    found = (key for scan in plan.scans for key in _own_sort_keys(scan, path, columns))
    return min(found, default=None)


def _own_sort_keys(scan: Scan, path: Path, columns: Columns) -> list[bytes]:
    """The sort keys that one entity has in one alternative."""
    behind = [
        {row[len(prefix) :] for row in rows_of(spec, path, columns) if row.startswith(prefix)}
        for spec, prefix in scan.sources
    ]
    rows = set.intersection(*behind)
    return [_assemble(scan, row) for row in rows if _admitted(scan, row)]


def _once_per_group(plan: Plan, found: Iterator[bytes], start: Position | None) -> Iterator[bytes]:
    """The first result of each combination of the distinct columns."""
    columns = plan.columns[: plan.distinct]
    last = split(start.sort_key, columns) if start is not None and start.after else None
    for sort_key in found:
        group = split(sort_key, columns)
        if group != last:
            yield sort_key
        last = group
