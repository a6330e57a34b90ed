"""How a query is answered: the rows that it sorts by, and for each alternative an index scan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gae_pusher.emulator.datastore.encoding import INVERTED
from gae_pusher.emulator.datastore.filters import Conjunction, normalize
from gae_pusher.emulator.datastore.indexes import KEY, Column, IndexSpec, ancestor_prefix
from gae_pusher.emulator.datastore.keys import Partition
from gae_pusher.emulator.datastore.messages import Direction, Query
from gae_pusher.emulator.datastore.ranges import (
    EVERYTHING,
    Ranges,
    beginning_with,
    intersect,
    inverted,
)
from gae_pusher.emulator.datastore.refusals import invalid

__all__ = ["Plan", "Scan", "plan_query"]


@dataclass(frozen=True, slots=True)
class Scan:
    """The rows of one alternative: in an index, behind a prefix, with the other columns in ranges.

    Several indexes with a prefix each mean the entities that are behind all of the prefixes.
    `constants` has for each of the plan's columns the value that the filter fixes, or None where
    the index has a column; `own_columns` are the latter, and `ranges` what they have to be in.
    """

    sources: tuple[tuple[IndexSpec, bytes], ...]
    constants: tuple[bytes | None, ...]
    own_columns: tuple[Column, ...]
    ranges: tuple[Ranges, ...]
    paths: Ranges

    @property
    def fixed(self) -> bool:
        """Whether the filter fixes one of the columns that results are sorted by."""
        return any(value is not None for value in self.constants)


@dataclass(frozen=True, slots=True)
class Plan:
    """`columns` are what results are sorted by, before their keys; the first `distinct` of them
    are what only the first result of each combination is kept for. `projected` are the positions
    among the columns and the names of what is returned, or None for whole entities.
    """

    partition: Partition
    kind: str | None
    columns: tuple[Column, ...]
    scans: tuple[Scan, ...]
    ancestor: bool
    distinct: int
    projected: tuple[tuple[int, str], ...] | None

    @property
    def whole_rows(self) -> bool:
        """Whether what is projected are all columns, each of them as it is."""
        projected = {name for _, name in self.projected or ()}
        return all(not c.descending and c.property in projected for c in self.columns)

    @property
    def keys_only(self) -> bool:
        """Whether results are keys."""
        return self.projected == ()


def plan_query(query: Query, partition: Partition, aggregated: Iterable[str] = ()) -> Plan:
    """Plan a query. Raises Refusal when the Datastore does not serve such a query.

    `aggregated` are properties whose values are wanted as if they were projected.
    """
    kind = _kind(query)
    alternatives = normalize(query.filter, partition)
    projection = _projection(query, alternatives)
    if aggregated:
        projection = list(dict.fromkeys([*(projection or []), *aggregated]))
    orders = _orders(query)
    distinct = list(dict.fromkeys(reference.name for reference in query.distinct_on))
    if KEY in distinct:
        raise invalid(f"Group by is not supported for the property: {KEY}")
    if kind is None:
        _check_kindless(alternatives, orders, projection)
    columns = _columns(orders, distinct, alternatives, projection or [])
    positions = {column.property: position for position, column in enumerate(columns)}
    projected = None
    if projection is not None:
        projected = tuple((positions[name], name) for name in projection)
    return Plan(
        partition,
        kind,
        columns,
        tuple(_scan(kind, alternative, columns) for alternative in alternatives),
        alternatives[0].ancestor is not None,
        sum(column.property in distinct for column in columns),
        projected,
    )


def _kind(query: Query) -> str | None:
    if len(query.kind) > 1:
        raise invalid("Only one kind is supported per query.")
    if not query.kind:
        return None
    if not query.kind[0].name:
        raise invalid("The kind is the empty string.")
    return query.kind[0].name


def _orders(query: Query) -> list[Column]:
    orders: dict[str, Column] = {}
    for order in query.order:
        name = order.property.name
        if not name:
            raise invalid("An order's property name is the empty string.")
        orders.setdefault(name, Column(name, order.direction == Direction.DESCENDING))
    return list(orders.values())


def _projection(query: Query, alternatives: list[Conjunction]) -> list[str] | None:
    """The names of projected properties; [] for keys only and None for whole entities."""
    names = [projection.property.name for projection in query.projection]
    if not names:
        return None
    if len(set(names)) < len(names):
        raise invalid("Cannot project a property multiple times.")
    fixed = {name for alternative in alternatives for name, _ in alternative.equal}
    if fixed & set(names):
        raise invalid("Cannot use projection on a property with an equality filter.")
    return [name for name in names if name != KEY]


def _check_kindless(
    alternatives: list[Conjunction], orders: list[Column], projection: list[str] | None
) -> None:
    for alternative in alternatives:
        names = [name for name, _ in alternative.equal] + list(alternative.ranges)
        for name in names:
            if name != KEY:
                raise invalid(f"kind is required for filter: {name}")
    if any(order != Column(KEY) for order in orders):
        raise invalid("kind is required for all orders except __key__ ascending")
    if projection:
        raise invalid("kind is required for projections of properties")


def _columns(
    orders: list[Column],
    distinct: list[str],
    alternatives: list[Conjunction],
    projection: list[str],
) -> tuple[Column, ...]:
    """The given orders, then what else has to be in the rows, in the order of names."""
    if len(alternatives) == 1:
        fixed = alternatives[0].fixed
        orders = [order for order in orders if order.property not in fixed]
        distinct = [name for name in distinct if name not in fixed]
    _check_distinct([order.property for order in orders], distinct)
    unequal = {name for alternative in alternatives for name in alternative.ranges} - {KEY}
    names = [*sorted(distinct), *sorted(unequal), *sorted(projection)]
    columns = {order.property: order for order in orders}
    if not projection and KEY in columns:
        # Nothing is left to sort after the key.
        columns = dict(list(columns.items())[: list(columns).index(KEY) + 1])
        names = [name for name in names if name in unequal]
    for name in names:
        columns.setdefault(name, Column(name))
    found = tuple(columns.values())
    # The rows of every index end with the key.
    return found[:-1] if found and found[-1] == Column(KEY) else found


def _check_distinct(orders: list[str], distinct: list[str]) -> None:
    leading = orders[: len(distinct)]
    if any(name in distinct for name in orders[len(leading) :]) or (
        len(orders) >= len(distinct) and set(leading) != set(distinct)
    ):
        raise invalid("All group by properties must be ordered before any non group by properties.")
    if len(orders) < len(distinct) and not set(orders) <= set(distinct):
        raise invalid("All group by properties must be ordered before any non group by properties.")


def _scan(kind: str | None, alternative: Conjunction, columns: tuple[Column, ...]) -> Scan:
    fixed = alternative.fixed
    own = tuple(column for column in columns if column.property not in fixed)
    paths = alternative.ranges.get(KEY, EVERYTHING)
    if alternative.ancestor and not own:
        paths = intersect(paths, beginning_with(alternative.ancestor))
    return Scan(
        _sources(kind, alternative, own),
        tuple(_constant(column, fixed) for column in columns),
        own,
        tuple(_column_ranges(column, alternative) for column in own),
        paths,
    )


def _constant(column: Column, fixed: dict[str, bytes]) -> bytes | None:
    value = fixed.get(column.property)
    return value.translate(INVERTED) if value is not None and column.descending else value


def _column_ranges(column: Column, alternative: Conjunction) -> Ranges:
    found = alternative.ranges.get(column.property, EVERYTHING)
    return inverted(found) if column.descending else found


def _sources(
    kind: str | None, alternative: Conjunction, own: tuple[Column, ...]
) -> tuple[tuple[IndexSpec, bytes], ...]:
    """One index for everything if rows are sorted, else one for each value, to be intersected."""
    equal = sorted(alternative.equal)
    if not own and len(equal) > 1:
        return tuple((IndexSpec(kind, False, (Column(name),)), value) for name, value in equal)
    ancestor = alternative.ancestor if own else None
    prefix = b"".join(value for _, value in equal)
    if ancestor is not None:
        prefix = ancestor_prefix(ancestor) + prefix
    names = tuple(Column(name) for name, _ in equal)
    return ((IndexSpec(kind, ancestor is not None, names + own), prefix),)
