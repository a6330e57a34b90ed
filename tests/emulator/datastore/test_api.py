"""The API's own rules: refusals, versions, masks, transforms, transactions, cursors, metadata."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from gae_pusher.emulator.datastore.messages import (
    ArrayValue,
    Key,
    Mutation,
    PropertyTransform,
    ReadOptions,
)
from gae_pusher.emulator.datastore.server import DatastoreServer
from tests.emulator.datastore.raw import Excluded, Point, Raw, message_value, plain_key


@pytest.fixture
def raw(server: DatastoreServer) -> Iterator[Raw]:
    client = Raw(f"127.0.0.1:{server.port}")
    yield client
    client.close()


def commit(raw: Raw, *mutations: Mutation) -> Any:
    return raw.call("Commit", mode=2, mutations=mutations).mutation_results


def nested(depth: int) -> Any:
    return 1 if depth == 0 else {"a": nested(depth - 1)}


class TestRefusals:
    @pytest.mark.parametrize(
        ("properties", "complaint"),
        [
            ({"x": "a" * 1501}, 'The value of property "x" is longer than 1500 bytes.'),
            ({"x": "é" * 751}, 'The value of property "x" is longer than 1500 bytes.'),
            ({"x": Excluded("a" * 1_048_488)}, 'The value of property "x" is longer than 1048487'),
            ({"x": [[1]]}, "list_value cannot contain a Value containing another list_value."),
            ({"__x__": 1}, 'The property.name "__x__" is reserved.'),
            ({"": 1}, "The property.name is the empty string."),
            ({"p" * 1501: 1}, "The property.name is longer than 1500 bytes."),
            ({"x": Point((91.0, 0.0))}, "Geo point latitude outside permitted range"),
            ({"x": Key(path=[{"kind": "A"}])}, "Key path element must not be incomplete: [A: ]"),
            ({"x": nested(21)}, "At most 20 nested entity values are supported."),
            (
                {"x": Excluded("a" * 600_000), "y": Excluded("a" * 600_000)},
                "The entity of kind T has",
            ),
        ],
    )
    def test_values(self, raw: Raw, properties: dict[str, Any], complaint: str) -> None:
        """What the Datastore does not store is refused, with what is wrong and the limit."""
        entity = raw.entity(raw.key("T", 1), **properties)
        code, text = raw.refusal("Commit", mode=2, mutations=[Mutation(upsert=entity)])
        assert code == "INVALID_ARGUMENT"
        assert complaint in text

    @pytest.mark.parametrize(
        ("path", "complaint"),
        [
            (("__T__", 1), 'The kind "__T__" is reserved.'),
            (("T", "__a__"), 'The key path element name "__a__" is reserved.'),
            (("", 1), "The kind is the empty string."),
            (("T", ""), "The key path element name is the empty string."),
            (("T", 0), "Key path id is invalid. Must not be zero."),
            (("T", "a" * 1501), "The key path element name is longer than 1500 bytes."),
            (("T", 1) * 101, "Key path is too long. Cannot exceed 100 elements."),
            ((), "Entity is missing key."),
        ],
    )
    def test_keys(self, raw: Raw, path: tuple[Any, ...], complaint: str) -> None:
        """A key that is none is refused."""
        mutation = Mutation(upsert=raw.entity(raw.key(*path), x=1))
        assert raw.refusal("Commit", mode=2, mutations=[mutation]) == (
            "INVALID_ARGUMENT",
            complaint,
        )

    def test_a_refused_commit_changes_nothing(self, raw: Raw) -> None:
        """When one mutation is refused none is made."""
        good = Mutation(upsert=raw.entity(raw.key("T", 1), x=1))
        bad = Mutation(update=raw.entity(raw.key("T", 2), x=1))
        code, text = raw.refusal("Commit", mode=2, mutations=[good, bad])
        assert (code, text) == ("NOT_FOUND", "no entity to update: [T: 2]")
        assert not raw.lookup(raw.key("T", 1)).found

    def test_an_insert_of_what_exists(self, raw: Raw) -> None:
        """An insert of an entity that exists is refused and says which it is."""
        insert = Mutation(insert=raw.entity(raw.key("T", 1), x=1))
        commit(raw, insert)
        refusal = raw.refusal("Commit", mode=2, mutations=[insert])
        assert refusal == ("ALREADY_EXISTS", "entity already exists: [T: 1]")

    def test_two_mutations_of_one_entity(self, raw: Raw) -> None:
        """Without a transaction an entity is changed once, with one as often as makes sense."""
        upsert = Mutation(upsert=raw.entity(raw.key("T", 1), x=1))
        insert = Mutation(insert=raw.entity(raw.key("T", 1), x=2))
        delete = Mutation(delete=raw.key("T", 1))
        _, text = raw.refusal("Commit", mode=2, mutations=[upsert, upsert])
        assert "multiple mutations affecting the same entity" in text
        fields = {"mode": 1, "transaction": raw.begin(), "mutations": [upsert, insert]}
        _, text = raw.refusal("Commit", **fields)
        assert text == "Cannot upsert then insert an entity in the same request."
        raw.commit(raw.begin(), upsert, delete, insert)
        assert raw.properties(raw.key("T", 1)) == {"x": ("integer_value", "2", 0)}

    @pytest.mark.parametrize(
        ("query", "complaint"),
        [
            ({"where": ("a", "in", list(range(31)))}, "IN supports up to 30 values"),
            ({"where": ("a", "in", [])}, "IN requires an non-empty ArrayValue."),
            ({"where": ("a", "not in", list(range(11)))}, "NOT_IN supports up to 10 values"),
            (
                {"where": ("and", ("a", "in", list(range(6))), ("b", "in", list(range(6))))},
                "Result had 36 disjunctions which is more than the maximum of 30",
            ),
            (
                {"where": ("and", ("a", "!=", 1), ("b", "!=", 1))},
                "Only a single 'NOT_EQUAL' or 'NOT_IN' is allowed per query.",
            ),
            (
                {"where": ("and", ("a", "in", [1]), ("b", "not in", [1]))},
                "'NOT_IN' cannot be used in the same query with 'IN' or 'OR'.",
            ),
            ({"where": ("a", "=", [1])}, "A list value is not allowed"),
            ({"where": ("a", "=", {"b": 1})}, "An entity value is not allowed"),
            ({"where": ("__key__", ">", "x")}, "__key__ filter value must be a Key"),
            (
                {"where": ("a", "=", 1), "projection": ["a"]},
                "Cannot use projection on a property with an equality filter.",
            ),
            ({"projection": ["a", "a"]}, "Cannot project a property multiple times."),
            (
                {"projection": ["a"], "distinct": ["a"], "order": ["b"]},
                "All group by properties must be ordered before any non group by properties.",
            ),
            (
                {"projection": ["__key__"], "distinct": ["__key__"]},
                "Group by is not supported for the property: __key__",
            ),
            ({"offset": -1}, "Offset must be non-negative."),
            ({"limit": -1}, "Limit must be non-negative."),
            ({"start_cursor": b"?"}, "The cursor is not one that this server has made."),
        ],
    )
    def test_queries(self, raw: Raw, query: dict[str, Any], complaint: str) -> None:
        """A query that the Datastore does not serve is refused with the reason."""
        code, text = raw.refusal("RunQuery", query=raw.query("T", **query))
        assert code == "INVALID_ARGUMENT"
        assert complaint in text

    @pytest.mark.parametrize("name", ["RunQuery", "RunAggregationQuery"])
    def test_a_request_without_a_query(self, raw: Raw, name: str) -> None:
        """No query is not the query for everything."""
        refusal = raw.refusal(name)
        assert refusal == ("INVALID_ARGUMENT", "A request needs a query or a gql_query.")

    @pytest.mark.parametrize(
        ("query", "complaint"),
        [
            ({"where": ("a", "=", 1)}, "kind is required for filter: a"),
            ({"order": ["a"]}, "kind is required for all orders except __key__ ascending"),
            ({"order": ["-__key__"]}, "kind is required for all orders except __key__ ascending"),
        ],
    )
    def test_queries_without_a_kind(self, raw: Raw, query: dict[str, Any], complaint: str) -> None:
        """Without a kind there are only filters on keys and their ascending order."""
        assert raw.refusal("RunQuery", query=raw.query(**query)) == ("INVALID_ARGUMENT", complaint)

    def test_other_projects_and_databases(self, raw: Raw) -> None:
        """A key of another project or database than the request's is refused."""
        for field in ("project_id", "database_id"):
            key = raw.key("T", 1)
            setattr(key.partition_id, field, "other")
            code, text = raw.refusal("Lookup", keys=[key])
            assert code == "INVALID_ARGUMENT"
            assert "mismatched" in text


class TestVersions:
    def test_a_version_that_was_overtaken(self, raw: Raw) -> None:
        """A mutation with another base version is not made, or fails the commit if it says so."""
        (first,) = commit(raw, Mutation(upsert=raw.entity(raw.key("T", 1), x=1)))
        (second,) = commit(
            raw, Mutation(upsert=raw.entity(raw.key("T", 1), x=2), base_version=first.version)
        )
        late = Mutation(upsert=raw.entity(raw.key("T", 1), x=3), base_version=first.version)
        (third,) = commit(raw, late)
        assert third.conflict_detected
        assert third.version == second.version
        late.conflict_resolution_strategy = 3
        code, text = raw.refusal("Commit", mode=2, mutations=[late])
        assert code == "FAILED_PRECONDITION"
        assert str(second.version) in text
        assert raw.properties(raw.key("T", 1)) == {"x": ("integer_value", "2", 0)}

    def test_times(self, raw: Raw) -> None:
        """An entity keeps its time of creation, and tells that of its last change."""
        (first,) = commit(raw, Mutation(upsert=raw.entity(raw.key("T", 1), x=1)))
        commit(raw, Mutation(upsert=raw.entity(raw.key("T", 1), x=2)))
        (found,) = raw.lookup(raw.key("T", 1)).found
        assert found.create_time == first.create_time
        assert found.update_time.ToMicroseconds() == found.version > first.version

    def test_reading_the_past(self, raw: Raw) -> None:
        """A lookup and a query at a read time see what was stored then."""
        (first,) = commit(raw, Mutation(upsert=raw.entity(raw.key("T", 1), x=1)))
        commit(raw, Mutation(upsert=raw.entity(raw.key("T", 1), x=2)))
        commit(raw, Mutation(upsert=raw.entity(raw.key("T", 2), x=1)))
        then = ReadOptions(read_time=first.update_time)
        (found,) = raw.call("Lookup", keys=[raw.key("T", 1)], read_options=then).found
        assert found.entity.properties["x"].integer_value == 1
        for where in (None, ("x", "=", 1), ("x", ">", 0)):
            batch = raw.run(raw.query("T", where), read_options=then)
            assert [r.entity.properties["x"].integer_value for r in batch.entity_results] == [1]

    def test_times_that_cannot_be_read(self, raw: Raw) -> None:
        """A read time is not in the future and not more precise than versions are."""
        keys = [raw.key("T", 1)]
        future, precise = {"seconds": 2**33}, {"seconds": 2**30, "nanos": 1}
        reading = [
            ReadOptions(read_time=future),
            ReadOptions(transaction=raw.begin(read_only={"read_time": future})),
        ]
        for options in reading:
            refusal = raw.refusal("Lookup", keys=keys, read_options=options)
            told = "The requested 'read_time' cannot be in the future."
            assert refusal == ("INVALID_ARGUMENT", told)
        options = ReadOptions(read_time=precise)
        refusal = raw.refusal("Lookup", keys=keys, read_options=options)
        told = "timestamp cannot have more than microseconds precision"
        assert refusal == ("INVALID_ARGUMENT", told)


class TestPartialChanges:
    def test_a_mask_limits_what_is_written(self, raw: Raw) -> None:
        """Only masked properties are set or deleted, also inside of entities."""
        key = raw.key("T", 1)
        raw.put(raw.entity(key, x=1, y=2, z={"a": 1, "b": 2}, u=1))
        mutation = Mutation(upsert=raw.entity(key, x=5, u=9))
        mutation.property_mask.paths.extend(["x", "y", "z.a"])
        commit(raw, mutation)
        assert raw.properties(key) == {
            "x": ("integer_value", "5", 0),
            "u": ("integer_value", "1", 0),
            "z": ("entity_value", {"b": ("integer_value", "2", 0)}),
        }

    def test_a_mask_limits_what_is_read(self, raw: Raw) -> None:
        """Lookups and queries return only masked properties."""
        key = raw.key("T", 1)
        raw.put(raw.entity(key, x=1, y=2))
        mask = {"paths": ["x"]}
        (found,) = raw.call("Lookup", keys=[key], property_mask=mask).found
        assert set(found.entity.properties) == {"x"}
        (found,) = raw.run(raw.query("T"), property_mask=mask).entity_results
        assert set(found.entity.properties) == {"x"}

    def test_what_cannot_be_partial(self, raw: Raw) -> None:
        """A projection takes no mask, and a delete no transform."""
        query = raw.query("T", projection=["x"])
        refusal = raw.refusal("RunQuery", query=query, property_mask={"paths": ["x"]})
        told = "property masks are not allowed on projection queries"
        assert refusal == ("INVALID_ARGUMENT", told)
        delete = Mutation(delete=raw.key("T", 1))
        delete.property_transforms.add(property="x").increment.integer_value = 1
        refusal = raw.refusal("Commit", mode=2, mutations=[delete])
        assert refusal == ("INVALID_ARGUMENT", "Delete mutation cannot have PropertyTransforms.")

    def test_transforms(self, raw: Raw) -> None:
        """Each transform changes its property and reports the result."""
        key = raw.key("T", 1)
        upsert = raw.entity(key, n=5, l=[1, 2, 3], m=[1, 1.0, 2], low=3, high=3, most=2**63 - 1)
        mutation = Mutation(upsert=upsert)
        number, values = message_value, ArrayValue
        mutation.property_transforms.extend(
            [
                PropertyTransform(property="n", increment=number(3)),
                PropertyTransform(property="new", increment=number(1.5)),
                PropertyTransform(property="most", increment=number(1)),
                PropertyTransform(property="low", minimum=number(2.5)),
                PropertyTransform(property="high", maximum=number(3.0)),
                PropertyTransform(
                    property="l", append_missing_elements=values(values=[number(1.0), number(9)])
                ),
                PropertyTransform(property="m", remove_all_from_array=values(values=[number(1)])),
                PropertyTransform(property="t", set_to_server_value=1),
            ]
        )
        (result,) = commit(raw, mutation)
        stored = raw.properties(key)
        assert stored["n"] == ("integer_value", "8", 0)
        assert stored["new"] == ("double_value", "1.5", 0)
        assert stored["most"] == ("integer_value", str(2**63 - 1), 0)
        assert stored["low"] == ("double_value", "2.5", 0)
        assert stored["high"] == ("integer_value", "3", 0)
        assert [value[1] for value in stored["l"][1]] == ["1", "2", "3", "9"]
        assert [value[1] for value in stored["m"][1]] == ["2"]
        assert stored["t"][0] == "timestamp_value"
        assert stored["t"][1] % 1_000 == 0
        assert result.transform_results[0].integer_value == 8
        assert result.transform_results[5].WhichOneof("value_type") == "null_value"


class TestTransactions:
    def test_a_phantom_aborts(self, raw: Raw) -> None:
        """A new entity that a transaction's query would have found aborts it; another does not."""
        for value, code in ((9, None), (5, "ABORTED")):
            transaction = raw.begin()
            raw.run(
                raw.query("T", ("x", "=", 5)), read_options=ReadOptions(transaction=transaction)
            )
            raw.put(raw.entity(raw.key("T", value), x=value))
            fields = {"mutations": [Mutation(upsert=raw.entity(raw.key("U", 1), x=6))]}
            if code is None:
                raw.commit(transaction, *fields["mutations"])
            else:
                refusal = raw.refusal("Commit", mode=1, transaction=transaction, **fields)
                assert refusal[0] == code

    def test_a_change_behind_what_was_looked_at_does_not_abort(self, raw: Raw) -> None:
        """A query with a limit is overtaken only by what is before its last result."""
        raw.put(*(raw.entity(raw.key("T", number), x=number) for number in (10, 20, 30)))
        first = raw.query("T", order=["x"], limit=1)
        for late, aborted in ((25, False), (5, True)):
            transaction = raw.begin()
            raw.run(first, read_options=ReadOptions(transaction=transaction))
            raw.put(raw.entity(raw.key("T", late), x=late))
            mutations = [Mutation(upsert=raw.entity(raw.key("U", 1), x=1))]
            if aborted:
                fields = {"mode": 1, "transaction": transaction, "mutations": mutations}
                assert raw.refusal("Commit", **fields)[0] == "ABORTED"
            else:
                raw.commit(transaction, *mutations)

    def test_read_only(self, raw: Raw) -> None:
        """A read-only transaction refuses to write, and is never aborted."""
        raw.put(raw.entity(raw.key("T", 1), x=1))
        transaction = raw.begin(read_only={})
        raw.lookup(raw.key("T", 1), transaction=transaction)
        raw.put(raw.entity(raw.key("T", 1), x=2))
        (found,) = raw.lookup(raw.key("T", 1), transaction=transaction).found
        assert found.entity.properties["x"].integer_value == 1
        write = [Mutation(delete=raw.key("T", 1))]
        refusal = raw.refusal("Commit", mode=1, transaction=transaction, mutations=write)
        assert refusal == ("INVALID_ARGUMENT", "Cannot modify entities in a read-only transaction.")
        raw.commit(transaction)

    def test_ended_and_unknown_ones(self, raw: Raw) -> None:
        """A transaction is committed once; rolling back what has ended is no error."""
        transaction = raw.begin()
        raw.commit(transaction)
        code, text = raw.refusal("Commit", mode=1, transaction=transaction)
        assert code == "INVALID_ARGUMENT"
        assert "no longer valid" in text
        raw.call("Rollback", transaction=transaction)
        for name in ("Rollback", "Commit"):
            fields = {"mode": 1} if name == "Commit" else {}
            assert raw.refusal(name, transaction=b"?", **fields)[1] == "Invalid transaction."
        assert raw.refusal("Rollback")[1] == "transaction required"

    def test_tried_again(self, raw: Raw) -> None:
        """A transaction names the one before it, which is one that this server has begun."""
        previous = raw.begin()
        raw.call("Rollback", transaction=previous)
        raw.commit(raw.begin(read_write={"previous_transaction": previous}))
        options = {"read_write": {"previous_transaction": b"?"}}
        refusal = raw.refusal("BeginTransaction", transaction_options=options)
        assert refusal == ("INVALID_ARGUMENT", "Invalid transaction.")

    def test_begun_by_a_read(self, raw: Raw) -> None:
        """A lookup can begin the transaction that it belongs to."""
        options = ReadOptions(new_transaction={"read_write": {}})
        response = raw.call("Lookup", keys=[raw.key("T", 1)], read_options=options)
        raw.put(raw.entity(raw.key("T", 1), x=1))
        write = [Mutation(delete=raw.key("T", 1))]
        refusal = raw.refusal("Commit", mode=1, transaction=response.transaction, mutations=write)
        assert refusal[0] == "ABORTED"


class TestCursors:
    def test_turned_round(self, raw: Raw) -> None:
        """A cursor is also a place in the same query with its directions turned round."""
        raw.put(*(raw.entity(raw.key("T", number), n=number) for number in range(1, 7)))
        batch = raw.run(raw.query("T", order=["n"], limit=3))
        after = raw.query("T", order=["n"], start_cursor=batch.end_cursor)
        before = raw.query("T", order=["-n"], start_cursor=batch.end_cursor)
        assert [r.entity.key.path[0].id for r in raw.all_results(after)] == [4, 5, 6]
        assert [r.entity.key.path[0].id for r in raw.all_results(before)] == [3, 2, 1]

    def test_of_another_query(self, raw: Raw) -> None:
        """A cursor of another query is refused."""
        raw.put(raw.entity(raw.key("T", 1), n=1))
        cursor = raw.run(raw.query("T", order=["n"])).end_cursor
        for query in (raw.query("T", start_cursor=cursor), raw.query("U", order=["n"])):
            query.start_cursor = cursor
            assert raw.refusal("RunQuery", query=query)[1] == "cursor does not match query"

    def test_where_results_end(self, raw: Raw) -> None:
        """An end cursor ends the results where it was taken."""
        raw.put(*(raw.entity(raw.key("T", number), n=number) for number in range(1, 7)))
        cursor = raw.run(raw.query("T", order=["n"], limit=3)).end_cursor
        assert raw.names("T", order=["n"], end_cursor=cursor) == [1, 2, 3]

    def test_a_list_is_returned_once_over_all_pages(self, raw: Raw) -> None:
        """An entity with several matching values is on the first page that one of them is on."""
        raw.put(*(raw.entity(raw.key("T", n), l=[n, n + 10, n + 20]) for n in range(1, 6)))
        query, found = raw.query("T", ("l", ">", 0), limit=2), []
        while batch := raw.run(query).entity_results:
            found += [result.entity.key.path[0].id for result in batch]
            query.start_cursor = batch[-1].cursor
        assert found == [1, 2, 3, 4, 5]


class TestMetadata:
    def test_kinds_namespaces_and_properties(self, raw: Raw) -> None:
        """The metadata kinds list what is stored, and can be filtered by key."""
        raw.put(raw.entity(raw.key("A", 1), x=1, y=["a", 1.5]), raw.entity(raw.key("B", 1), z=None))
        raw.put(raw.entity(raw.key("A", 2), x="s", h=Excluded(1)))
        assert raw.names("__kind__") == ["A", "B"]
        assert raw.names("__kind__", ("__key__", ">", raw.key("__kind__", "A"))) == ["B"]
        assert raw.names("__namespace__") == [1]
        query = raw.query("__property__", ("__key__", "ancestor", raw.key("__kind__", "A")))
        found = {
            plain_key(result.entity.key)[-1][1]: [
                value.string_value
                for value in result.entity.properties["property_representation"].array_value.values
            ]
            for result in raw.run(query).entity_results
        }
        assert found == {"x": ["INT64", "STRING"], "y": ["DOUBLE", "STRING"]}


def test_allocated_ids(raw: Raw) -> None:
    """Incomplete keys get distinct ids; complete ones are refused, and are reserved instead."""
    allocated = raw.call("AllocateIds", keys=[raw.key("T")] * 501).keys
    assert len({key.path[0].id for key in allocated}) == 501
    assert raw.refusal("AllocateIds", keys=[raw.key("T", 1)])[0] == "INVALID_ARGUMENT"
    raw.call("ReserveIds", keys=[raw.key("T", 7), raw.key("T", "name")])
    assert raw.refusal("ReserveIds", keys=[raw.key("T")])[0] == "INVALID_ARGUMENT"


def test_a_request_without_a_project_is_refused(raw: Raw) -> None:
    """The project is required, and the default database has no name."""
    raw.project = ""
    assert raw.refusal("Lookup") == ("INVALID_ARGUMENT", "The project id is required.")
    raw.project, raw.database = "demo", "(default)"
    assert raw.refusal("Lookup")[0] == "INVALID_ARGUMENT"


def test_the_shortest_deadlines_pass(raw: Raw) -> None:
    """A call with a deadline that production cannot meet is never answered in time."""
    raw.put(raw.entity(raw.key("T", 1), x=1))
    for _ in range(20):
        with pytest.raises(grpc.RpcError) as caught:
            raw.call("Lookup", timeout=1e-9, keys=[raw.key("T", 1)])
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
