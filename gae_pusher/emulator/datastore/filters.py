"""Filters in disjunctive normal form: what each alternative asks of an entity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gae_pusher.emulator.datastore import limits, ranges
from gae_pusher.emulator.datastore.indexes import KEY, ancestor_prefix
from gae_pusher.emulator.datastore.keys import Partition, Path, check_complete, encode_path
from gae_pusher.emulator.datastore.messages import (
    CompositeOperator,
    Filter,
    PropertyFilter,
    PropertyOperator,
    Value,
)
from gae_pusher.emulator.datastore.ranges import EVERYTHING, Ranges, intersect
from gae_pusher.emulator.datastore.refusals import invalid
from gae_pusher.emulator.datastore.values import encode_value

__all__ = ["Conjunction", "normalize"]


@dataclass(frozen=True, slots=True)
class Conjunction:
    """One alternative: values that properties must have, and ranges that they must be in.

    A property with several values may have each of the equal ones in another of them, but one
    and the same of them must be in the range.
    """

    ancestor: Path | None = None
    equal: frozenset[tuple[str, bytes]] = frozenset()
    ranges: Mapping[str, Ranges] = field(default_factory=dict)

    @property
    def fixed(self) -> dict[str, bytes]:
        """The values that results do not differ in: a property in a range may have others, too."""
        return {name: value for name, value in self.equal if name not in self.ranges}

    def __and__(self, other: Conjunction) -> Conjunction:
        if self.ancestor and other.ancestor and self.ancestor != other.ancestor:
            raise _ancestors_differ()
        both = dict(self.ranges)
        for name, found in other.ranges.items():
            both[name] = intersect(both.get(name, EVERYTHING), found)
        return Conjunction(self.ancestor or other.ancestor, self.equal | other.equal, both)


_INEQUALITIES: Final[Mapping[int, Callable[[bytes], Ranges]]] = {
    PropertyOperator.LESS_THAN: ranges.below,
    PropertyOperator.LESS_THAN_OR_EQUAL: ranges.at_most,
    PropertyOperator.GREATER_THAN: ranges.above,
    PropertyOperator.GREATER_THAN_OR_EQUAL: ranges.at_least,
    PropertyOperator.NOT_EQUAL: lambda value: ranges.outside([value]),
}


def normalize(condition: Filter, partition: Partition) -> list[Conjunction]:
    """The alternatives of a filter, at least one. Raises Refusal for what is not a filter."""
    _check_combination(condition)
    found = _expand(condition, partition)
    if len({conjunction.ancestor for conjunction in found}) > 1:
        raise _ancestors_differ()
    return list({_identity(conjunction): conjunction for conjunction in found}.values())


def _identity(conjunction: Conjunction) -> tuple[object, ...]:
    ranges_in_order = sorted(conjunction.ranges.items(), key=lambda item: item[0])
    return conjunction.ancestor, conjunction.equal, tuple(ranges_in_order)


def _ancestors_differ() -> Exception:
    return invalid("All disjunctions must have a common and unique ancestor constraint.")


def _expand(condition: Filter, partition: Partition) -> list[Conjunction]:
    which = condition.WhichOneof("filter_type")
    if which == "property_filter":
        return _property(condition.property_filter, partition)
    if which is None:
        return [Conjunction()]
    composite = condition.composite_filter
    if not composite.filters:
        raise invalid("A composite filter needs at least one filter.")
    parts = [_expand(part, partition) for part in composite.filters]
    if composite.op == CompositeOperator.OR:
        return _bounded([conjunction for part in parts for conjunction in part])
    if composite.op != CompositeOperator.AND:
        raise invalid("A composite filter's operator must be AND or OR.")
    found = [Conjunction()]
    for part in parts:
        found = _bounded([one & other for one in found for other in part])
    return found


def _bounded(found: list[Conjunction]) -> list[Conjunction]:
    if len(found) > limits.DISJUNCTIONS:
        raise invalid(
            f"Too many disjunctions after normalization. Result had {len(found)} disjunctions "
            f"which is more than the maximum of {limits.DISJUNCTIONS}"
        )
    return found


def _property(condition: PropertyFilter, partition: Partition) -> list[Conjunction]:
    name, operator = condition.property.name, condition.op
    if not name:
        raise invalid("A filter's property name is the empty string.")
    if operator == PropertyOperator.HAS_ANCESTOR:
        return [Conjunction(ancestor=_ancestor(name, condition.value, partition))]
    if operator in (PropertyOperator.IN, PropertyOperator.NOT_IN):
        values = [_encode(name, value, partition) for value in _values(condition)]
        if operator == PropertyOperator.NOT_IN:
            return [Conjunction(ranges={name: ranges.outside(values)})]
        if name == KEY:
            return [Conjunction(ranges={name: ranges.one_of(values)})]
        return [Conjunction(equal=frozenset({(name, value)})) for value in dict.fromkeys(values)]
    value = _encode(name, condition.value, partition)
    if operator == PropertyOperator.EQUAL:
        if name == KEY:
            return [Conjunction(ranges={name: ranges.one_of([value])})]
        return [Conjunction(equal=frozenset({(name, value)}))]
    if operator not in _INEQUALITIES:
        raise invalid(f"The filter on {name} has no operator.")
    return [Conjunction(ranges={name: _INEQUALITIES[operator](value)})]


def _values(condition: PropertyFilter) -> list[Value]:
    operator = PropertyOperator(condition.op).name
    most = limits.DISJUNCTIONS if operator == "IN" else limits.NOT_IN_VALUES
    if condition.value.WhichOneof("value_type") != "array_value":
        raise invalid(f"{operator} requires an ArrayValue.")
    values = list(condition.value.array_value.values)
    if not values:
        raise invalid(f"{operator} requires an non-empty ArrayValue.")
    if len(values) > most:
        raise invalid(
            f"{operator} supports up to {most} values. "
            f"There are {len(values)} values in the filter on {condition.property.name}."
        )
    return values


def _encode(name: str, value: Value, partition: Partition) -> bytes:
    if name != KEY:
        return encode_value(value)
    return ancestor_prefix(_path(value, partition, "__key__ filter value must be a Key"))


def _ancestor(name: str, value: Value, partition: Partition) -> Path:
    if name != KEY:
        raise invalid(f"HAS_ANCESTOR is a filter on __key__, not on {name}.")
    return _path(value, partition, "The value of HAS_ANCESTOR must be a Key")


def _path(value: Value, partition: Partition, complaint: str) -> Path:
    if value.WhichOneof("value_type") != "key_value":
        raise invalid(complaint)
    check_complete(value.key_value)
    theirs = value.key_value.partition_id
    if theirs.namespace_id != partition.namespace:
        raise invalid(
            f"The query namespace is '{partition.namespace}' but __key__ filter namespace is "
            f"'{theirs.namespace_id}'."
        )
    if theirs.project_id not in ("", partition.project):
        raise invalid(
            f"The query project is '{partition.project}' but __key__ filter project is "
            f"'{theirs.project_id}'."
        )
    return encode_path(value.key_value)


def _check_combination(condition: Filter) -> None:
    """What the Datastore does not let one query have together."""
    operators = [*_operators(condition)]
    negative = [name for name in operators if name in ("NOT_EQUAL", "NOT_IN")]
    if len(negative) > 1:
        raise invalid("Only a single 'NOT_EQUAL' or 'NOT_IN' is allowed per query.")
    if "NOT_IN" in operators and ("IN" in operators or "OR" in operators):
        raise invalid("'NOT_IN' cannot be used in the same query with 'IN' or 'OR'.")


def _operators(condition: Filter) -> list[str]:
    if condition.WhichOneof("filter_type") != "composite_filter":
        return [PropertyOperator(condition.property_filter.op).name]
    composite = condition.composite_filter
    names = [name for part in composite.filters for name in _operators(part)]
    return [*names, "OR"] if composite.op == CompositeOperator.OR else names
