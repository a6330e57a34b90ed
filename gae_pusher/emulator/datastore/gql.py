"""GQL: a query in words, as the query message that says the same (the GQL reference)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gae_pusher.emulator.datastore.gql_reader import GqlReader
from gae_pusher.emulator.datastore.gql_tokens import Kind
from gae_pusher.emulator.datastore.keys import Partition
from gae_pusher.emulator.datastore.messages import (
    Aggregation,
    AggregationQuery,
    CompositeOperator,
    Direction,
    Filter,
    GqlQuery,
    Projection,
    PropertyFilter,
    PropertyOperator,
    PropertyReference,
    Query,
    Value,
)

__all__ = ["parse_aggregation", "parse_query"]

_COMPARISONS: Final = {
    "=": PropertyOperator.EQUAL,
    "!=": PropertyOperator.NOT_EQUAL,
    "<": PropertyOperator.LESS_THAN,
    "<=": PropertyOperator.LESS_THAN_OR_EQUAL,
    ">": PropertyOperator.GREATER_THAN,
    ">=": PropertyOperator.GREATER_THAN_OR_EQUAL,
}
_COMPOSITES: Final = {"AND": CompositeOperator.AND, "OR": CompositeOperator.OR}
# With the value on the left.
_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}

_AGGREGATIONS: Final = ("COUNT", "COUNT_UP_TO", "SUM", "AVG")


def parse_query(gql: GqlQuery, partition: Partition) -> Query:
    """The query that a GQL text stands for. Raises Refusal."""
    parser = _Parser(GqlReader(gql, partition))
    query = parser.query()
    parser.reader.finish()
    return query


def parse_aggregation(gql: GqlQuery, partition: Partition) -> AggregationQuery:
    """The aggregations, and the query below them, that a GQL text stands for. Raises Refusal."""
    parser = _Parser(GqlReader(gql, partition))
    found = parser.aggregation()
    parser.reader.finish()
    return found


class _Parser:
    def __init__(self, reader: GqlReader) -> None:
        self.reader = reader

    def aggregation(self) -> AggregationQuery:
        """AGGREGATE ... OVER (query), or SELECT with aggregations in place of properties."""
        reader, found = self.reader, AggregationQuery()
        if reader.accept("AGGREGATE"):
            found.aggregations.extend(reader.listed(self._aggregation))
            reader.expect("OVER")
            reader.expect("(")
            found.nested_query.CopyFrom(self.query())
            reader.expect(")")
            return found
        reader.expect("SELECT")
        found.aggregations.extend(reader.listed(self._aggregation))
        found.nested_query.CopyFrom(self._rest(Query()))
        return found

    def query(self) -> Query:
        """SELECT ... and all that follows."""
        reader, query = self.reader, Query()
        reader.expect("SELECT")
        distinct = reader.accept("DISTINCT")
        if distinct and reader.accept("ON"):
            query.distinct_on.extend(reader.parenthesized(self._reference))
            distinct = False
        if not reader.accept("*"):
            names = reader.listed(self._reference)
            query.projection.extend(Projection(property=name) for name in names)
            if distinct:
                query.distinct_on.extend(names)
        return self._rest(query)

    def _rest(self, query: Query) -> Query:
        reader = self.reader
        if reader.accept("FROM"):
            query.kind.add().name = reader.name()  # type: ignore[attr-defined]
        if reader.accept("WHERE"):
            query.filter.CopyFrom(self._condition())
        if reader.accept("ORDER", "BY"):
            reader.listed(lambda: self._order(query))
        if reader.accept("LIMIT"):
            self._limit(query)
        if reader.accept("OFFSET"):
            self._offset(query)
        return query

    def _reference(self) -> PropertyReference:
        return PropertyReference(name=self.reader.name())

    def _aggregation(self) -> Aggregation:
        reader, found = self.reader, Aggregation()
        word = next((word for word in _AGGREGATIONS if reader.accept(word)), None)
        if word is None:
            raise reader.unexpected()
        reader.expect("(")
        if word == "COUNT":
            reader.expect("*")
            found.count.SetInParent()
        elif word == "COUNT_UP_TO":
            found.count.up_to.value = reader.count()
        else:
            getattr(found, word.lower()).property.name = reader.name()
        reader.expect(")")
        if reader.accept("AS"):
            found.alias = reader.name()
        return found

    def _condition(self) -> Filter:
        """AND binds tighter than OR."""
        return self._composite("OR", lambda: self._composite("AND", self._part))

    def _composite(self, word: str, read: Callable[[], Filter]) -> Filter:
        parts = [read()]
        while self.reader.accept(word):
            parts.append(read())
        if len(parts) == 1:
            return parts[0]
        found = Filter()
        found.composite_filter.op = _COMPOSITES[word]  # type: ignore[assignment]
        found.composite_filter.filters.extend(parts)
        return found

    def _part(self) -> Filter:
        reader = self.reader
        if reader.accept("("):
            found = self._condition()
            reader.expect(")")
            return found
        if reader.is_value():
            return self._value_first()
        name = reader.name()
        if reader.accept("IS", "NULL"):
            return _filter(name, PropertyOperator.EQUAL, Value(null_value=0))
        operator = self._operator()
        return _filter(name, operator, reader.value())

    def _operator(self) -> int:
        reader = self.reader
        for words, operator in (
            (("CONTAINS",), PropertyOperator.EQUAL),
            (("HAS", "ANCESTOR"), PropertyOperator.HAS_ANCESTOR),
            (("NOT", "IN"), PropertyOperator.NOT_IN),
            (("IN",), PropertyOperator.IN),
        ):
            if reader.accept(*words):
                return operator
        return _COMPARISONS[self._comparison()]

    def _comparison(self) -> str:
        if self.reader.token.text not in _COMPARISONS:
            raise self.reader.unexpected()
        return self.reader.take(Kind.SYMBOL)

    def _value_first(self) -> Filter:
        reader = self.reader
        value = reader.value()
        if reader.accept("HAS", "DESCENDANT"):
            return _filter(reader.name(), PropertyOperator.HAS_ANCESTOR, value)
        if reader.accept("IN"):
            return _filter(reader.name(), PropertyOperator.EQUAL, value)
        comparison = self._comparison()
        operator = _COMPARISONS[_TURNED.get(comparison, comparison)]
        return _filter(reader.name(), operator, value)

    def _order(self, query: Query) -> None:
        order = query.order.add()  # type: ignore[attr-defined]
        order.property.name = self.reader.name()
        order.direction = Direction.ASCENDING
        if self.reader.accept("DESC"):
            order.direction = Direction.DESCENDING
        else:
            self.reader.accept("ASC")

    def _limit(self, query: Query) -> None:
        if not self.reader.accept("FIRST"):
            self._limit_part(query)
            return
        self.reader.parenthesized(lambda: self._limit_part(query))

    def _limit_part(self, query: Query) -> None:
        """A number, or a cursor where the results end."""
        cursor = self._cursor()
        if cursor is not None:
            query.end_cursor = cursor
        else:
            query.limit.value = self.reader.count()

    def _offset(self, query: Query) -> None:
        """A number, or a cursor where the results begin, or both with a + between them."""
        cursor = self._cursor()
        if cursor is None:
            query.offset = self.reader.count()
            return
        query.start_cursor = cursor
        if self.reader.accept("+"):
            query.offset = self.reader.count()

    def _cursor(self) -> bytes | None:
        reader = self.reader
        if reader.token.kind is not Kind.BINDING:
            return None
        return reader.cursor()


def _filter(name: str, operator: int, value: Value) -> Filter:
    return Filter(
        property_filter=PropertyFilter(
            property=PropertyReference(name=name),
            op=operator,
            value=value,
        )
    )
