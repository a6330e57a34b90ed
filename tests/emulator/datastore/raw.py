"""The API itself, without a client's help: messages in, answers or (code, text) out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc

from gae_pusher.emulator.datastore import messages
from gae_pusher.emulator.datastore.messages import (
    CompositeOperator,
    Entity,
    Filter,
    Key,
    Mutation,
    PropertyOperator,
    Query,
    Value,
)

__all__ = ["Excluded", "Point", "Raw", "Time", "message_value", "plain_value"]

OPERATORS = {
    "<": PropertyOperator.LESS_THAN,
    "<=": PropertyOperator.LESS_THAN_OR_EQUAL,
    ">": PropertyOperator.GREATER_THAN,
    ">=": PropertyOperator.GREATER_THAN_OR_EQUAL,
    "=": PropertyOperator.EQUAL,
    "!=": PropertyOperator.NOT_EQUAL,
    "in": PropertyOperator.IN,
    "not in": PropertyOperator.NOT_IN,
    "ancestor": PropertyOperator.HAS_ANCESTOR,
}


class Time(int):
    """Microseconds since 1970."""


class Point(tuple[float, float]):
    """Latitude and longitude."""

    __slots__ = ()


class Excluded:
    """A value that is not indexed."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"Excluded({self.value!r})"


def message_value(value: Any) -> Value:
    """A Python value as the API's."""
    found = Value()
    match value:
        case Value():
            found = value
        case Excluded():
            found = message_value(value.value)
            found.exclude_from_indexes = True
        case None:
            found.null_value = 0
        case bool():
            found.boolean_value = value
        case Time():
            found.timestamp_value.FromMicroseconds(int(value))
        case int():
            found.integer_value = value
        case float():
            found.double_value = value
        case str():
            found.string_value = value
        case bytes():
            found.blob_value = value
        case Point():
            found.geo_point_value.latitude, found.geo_point_value.longitude = value
        case Key():
            found.key_value.CopyFrom(value)
        case dict():
            found.entity_value.SetInParent()
            for name, inner in value.items():
                found.entity_value.properties[name].CopyFrom(message_value(inner))
        case list():
            found.array_value.SetInParent()
            found.array_value.values.extend(map(message_value, value))
        case _:
            raise TypeError(type(value))
    return found


def plain_value(value: Value) -> Any:
    """What can be compared: NaN is equal to itself, and types differ."""
    which = value.WhichOneof("value_type")
    match which:
        case "null_value" | None:
            return which
        case "timestamp_value":
            return which, value.timestamp_value.ToMicroseconds()
        case "geo_point_value":
            return which, value.geo_point_value.latitude, value.geo_point_value.longitude
        case "key_value":
            return which, plain_key(value.key_value)
        case "entity_value":
            inner = value.entity_value.properties
            return which, {name: plain_value(inner[name]) for name in sorted(inner)}
        case "array_value":
            return which, [plain_value(element) for element in value.array_value.values]
    return which, repr(getattr(value, which)), value.meaning


def plain_key(key: Key) -> tuple[tuple[str, int | str], ...]:
    return tuple((element.kind, element.id or element.name) for element in key.path)


class Raw:
    """Calls to one partition of a server."""

    def __init__(
        self, address: str, project: str = "demo", database: str = "", namespace: str = ""
    ) -> None:
        unlimited = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        self._channel = grpc.insecure_channel(address, options=unlimited)
        self.project = project
        self.database = database
        self.namespace = namespace

    def close(self) -> None:
        self._channel.close()

    def call(self, name: str, *, timeout: float = 30, **fields: Any) -> Any:
        """The response; grpc.RpcError when there is none."""
        request = getattr(messages, f"{name}Request")(
            project_id=self.project, database_id=self.database, **fields
        )
        method = self._channel.unary_unary(
            f"/google.datastore.v1.Datastore/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=getattr(messages, f"{name}Response").FromString,
        )
        return method(request, timeout=timeout)

    def refusal(self, name: str, **fields: Any) -> tuple[str, str]:
        """The code and the text of a call that must fail."""
        try:
            response = self.call(name, **fields)
        except grpc.RpcError as error:
            return error.code().name, error.details()
        raise AssertionError(f"{name} was answered: {response}")

    def key(self, *path: int | str) -> Key:
        """A key; without a last id or name an incomplete one."""
        key = Key()
        partition = key.partition_id
        partition.project_id, partition.database_id = self.project, self.database
        partition.namespace_id = self.namespace
        for position in range(0, len(path), 2):
            element = key.path.add(kind=path[position])
            for given in path[position + 1 : position + 2]:
                setattr(element, "id" if isinstance(given, int) else "name", given)
        return key

    def entity(self, key: Key, **properties: Any) -> Entity:
        entity = Entity(key=key)
        for name, value in properties.items():
            entity.properties[name].CopyFrom(message_value(value))
        return entity

    def put(self, *entities: Entity, **fields: Any) -> Any:
        mutations = [Mutation(upsert=entity) for entity in entities]
        return self.call("Commit", mode=2, mutations=mutations, **fields)

    def delete(self, *keys: Key) -> Any:
        return self.call("Commit", mode=2, mutations=[Mutation(delete=key) for key in keys])

    def commit(self, transaction: bytes, *mutations: Mutation) -> Any:
        return self.call("Commit", mode=1, transaction=transaction, mutations=mutations)

    def begin(self, **options: Any) -> bytes:
        options = messages.TransactionOptions(**options)
        return self.call("BeginTransaction", transaction_options=options).transaction

    def lookup(self, *keys: Key, transaction: bytes | None = None) -> Any:
        options = messages.ReadOptions(transaction=transaction) if transaction else None
        return self.call("Lookup", keys=keys, read_options=options)

    def properties(self, key: Key) -> dict[str, Any]:
        """The properties of an entity that must exist."""
        (found,) = self.lookup(key).found
        return {name: plain_value(value) for name, value in found.entity.properties.items()}

    def query(
        self,
        kind: str | None = None,
        where: Any = None,
        order: Iterable[str] = (),
        projection: Iterable[str] = (),
        distinct: Iterable[str] = (),
        limit: int | None = None,
        **fields: Any,
    ) -> Query:
        """A query; `where` is (name, operator, value) or ("and" or "or", part, ...)."""
        query = Query(**fields)
        if kind is not None:
            query.kind.add(name=kind)
        if where is not None:
            query.filter.CopyFrom(self.filter(where))
        for name in order:
            added = query.order.add(direction=2 if name.startswith("-") else 1)
            added.property.name = name.removeprefix("-")
        for name in projection:
            query.projection.add().property.name = name
        for name in distinct:
            query.distinct_on.add().name = name
        if limit is not None:
            query.limit.value = limit
        return query

    def filter(self, where: Any) -> Filter:
        found = Filter()
        if where[0] in ("and", "or"):
            found.composite_filter.op = CompositeOperator[where[0].upper()]
            found.composite_filter.filters.extend(map(self.filter, where[1:]))
        else:
            name, operator, value = where
            found.property_filter.property.name = name
            found.property_filter.op = OPERATORS[operator]
            found.property_filter.value.CopyFrom(message_value(value))
        return found

    def partition(self) -> messages.PartitionId:
        return messages.PartitionId(
            project_id=self.project, database_id=self.database, namespace_id=self.namespace
        )

    def run(self, query: Query, **fields: Any) -> Any:
        """One batch."""
        return self.call("RunQuery", partition_id=self.partition(), query=query, **fields).batch

    def names(self, *arguments: Any, **fields: Any) -> list[int | str]:
        """The ids or names of a query's results, one batch of them."""
        batch = self.run(self.query(*arguments, **fields))
        return [plain_key(result.entity.key)[-1][1] for result in batch.entity_results]

    def all_results(self, query: Query) -> list[Any]:
        """The results of all batches."""
        found: list[Any] = []
        while True:
            batch = self.run(query)
            found += batch.entity_results
            if batch.more_results != messages.MoreResults.NOT_FINISHED:
                return found
            query.start_cursor = batch.end_cursor
            query.offset -= batch.skipped_results
            if query.HasField("limit"):
                query.limit.value -= len(batch.entity_results)
