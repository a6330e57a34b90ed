"""The local server against Google's two emulators: the same calls, the same answers.

Where they differ the comparison is narrowed, here and nowhere else, for these reasons:

* The Datastore emulator refuses IN, NOT IN, !=, OR, aggregations, several inequalities, and an
  inequality on another property than the first order: it is older than these. The Datastore and
  the Firestore emulator serve them, and so does the local server.
* The Datastore emulator finds an entity with an empty list as if the list were null. The Firestore
  emulator, like the local server, has no row for it. (Google documents neither.)
* The Firestore emulator returns an entity once for each of its values that matches. The
  documentation promises it once, and so do the Datastore emulator and the local server.
* An aggregation that sums up a list reads a row for each of its values, in the Firestore emulator
  and in the local server. With an equality on the same list it is one row in the local server and
  all of them in the Firestore emulator. (Google documents neither.)
* The Firestore emulator sorts equal results by key in the direction of the last order, the
  Datastore emulator and the local server always ascending. Either is allowed where no order by key
  is asked for.
* The Firestore emulator sorts by a list that has an equality filter; the Datastore emulator and the
  local server ignore such an order, as the documentation says.
* The Firestore emulator does not index the properties of entities in a list. The Datastore
  emulator and the local server do, and NDB needs it for repeated structured properties.
* The Firestore emulator locks what a transaction reads and lets writers wait; the Datastore
  emulator and the local server abort the one that commits later.
* The Datastore emulator aborts for any change in the entity group of what was read, the local
  server, like Firestore in Datastore mode, for changes of what was read.
* The Datastore emulator takes what a committed transaction read and wrote something else beside for
  changed as well, and aborts whoever read it before. The local server, like Firestore, does not.
* A commit that is both too late and wrong, since what it inserts or updates does or does not exist,
  is ABORTED by the local server, so that it is tried again, and refused by the Datastore emulator.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from gae_pusher.emulator.datastore.messages import (
    Aggregation,
    AggregationQuery,
    Mutation,
)
from gae_pusher.emulator.datastore.server import DatastoreServer
from tests.emulator.datastore.judges import DATASTORE, FIRESTORE, running_judge
from tests.emulator.datastore.raw import Excluded, Point, Raw, Time, plain_key, plain_value

EXAMPLES = 25
SLOW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def ours() -> Iterator[str]:
    with DatastoreServer() as server:
        yield f"127.0.0.1:{server.port}"


@pytest.fixture(scope="module")
def datastore_emulator() -> Iterator[str]:
    with running_judge(DATASTORE) as address:
        yield address


@pytest.fixture(scope="module")
def firestore_emulator() -> Iterator[str]:
    with running_judge(FIRESTORE) as address:
        yield address


def outcome(call: Any, *arguments: Any, **fields: Any) -> Any:
    """What a call gives, or its error's code: texts are compared where they matter, one by one."""
    try:
        return call(*arguments, **fields)
    except grpc.RpcError as error:
        return error.code().name


numbers = st.integers(-3, 3) | st.sampled_from([2**62, -(2**63), 2**63 - 1])
scalars = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    st.sampled_from([-math.inf, -1.5, -0.0, 0.0, 1.0, 2.5, math.inf, math.nan]),
    st.sampled_from(["", "a", "ab", "b", "\0", "a\0b", "é", "\U0001f600"]),
    st.sampled_from([b"", b"a", b"\0\xff", b"\xff"]),
    st.sampled_from([Time(-1), Time(0), Time(2), Time(10**15)]),
    st.sampled_from([Point((0.0, 0.0)), Point((-1.0, 5.0)), Point((1.0, -5.0))]),
)
small = st.integers(0, 3)
lists = st.lists(small | st.sampled_from(["a", None]), min_size=1, max_size=3)
entities = st.fixed_dictionaries(
    {"a": small, "b": small},
    optional={
        "v": scalars,
        "l": lists,
        "m": st.lists(small, min_size=1, max_size=2),
        "x": st.builds(Excluded, small),
        "e": st.fixed_dictionaries({"f": small}),
    },
)
paths = st.sampled_from(
    [
        *[("T", 1), ("T", 2), ("T", -1), ("T", "a"), ("T", "é")],
        *[("P", 1, "T", 1), ("P", 1, "T", "b"), ("P", "p", "T", 3)],
        *[("T", 1, "T", 7), ("T", 1, "T", 1, "T", 2)],
    ]
)
data = st.dictionaries(paths, entities, min_size=3, max_size=10)


@st.composite
def equalities(draw: st.DrawFn) -> Any:
    name = draw(st.sampled_from(["a", "b", "l", "m", "v", "e.f", "x"]))
    return (name, "=", draw(scalars if name == "v" else small))


@st.composite
def inequalities(draw: st.DrawFn, name: str) -> Any:
    return (
        name,
        draw(st.sampled_from(["<", "<=", ">", ">="])),
        draw(scalars if name == "v" else small),
    )


def conjunction(parts: list[Any]) -> Any:
    return None if not parts else parts[0] if len(parts) == 1 else ("and", *parts)


ORDERED = ("a", "b", "l", "m", "v")


@st.composite
def plain_queries(draw: st.DrawFn) -> dict[str, Any]:
    """Queries that both of Google's emulators serve."""
    equal = draw(st.lists(equalities(), max_size=2))
    fixed = {name for name, _, _ in equal}
    free = [name for name in ORDERED if name not in fixed]
    parts: list[Any] = list(equal)
    orders: list[str] = draw(st.lists(st.sampled_from(free), max_size=2, unique=True))
    if orders and draw(st.booleans()):
        parts += draw(st.lists(inequalities(orders[0]), min_size=1, max_size=2))
    elif not orders and draw(st.booleans()):
        name = draw(st.sampled_from(free))
        parts += draw(st.lists(inequalities(name), min_size=1, max_size=2))
    if draw(st.booleans()) and draw(st.booleans()):
        parts.append(("__key__", "ancestor", draw(st.sampled_from([("P", 1), ("T", 1), ("P", 9)]))))
    projection: list[str] = []
    if draw(st.booleans()):
        projection = draw(
            st.just(["__key__"])
            | st.lists(st.sampled_from(free), min_size=1, max_size=2, unique=True)
        )
    directed = [draw(st.sampled_from(["", "-"])) + name for name in orders]
    return {"where": conjunction(parts), "order": directed, "projection": projection}


@st.composite
def overlapping_queries(draw: st.DrawFn) -> dict[str, Any]:
    """An equality and an inequality on one property; only the Datastore emulator compares lists."""
    name = draw(st.sampled_from(ORDERED))
    parts = [(name, "=", draw(small)), *draw(st.lists(inequalities(name), min_size=1, max_size=2))]
    return {"where": ("and", *parts), "order": draw(st.sampled_from([[], [name], [f"-{name}"]]))}


@st.composite
def rich_queries(draw: st.DrawFn) -> dict[str, Any]:
    """Queries with what only the Firestore emulator serves."""
    values = st.lists(small, min_size=1, max_size=3)
    leaf = st.one_of(
        equalities(),
        inequalities("a"),
        inequalities("b"),
        st.tuples(st.sampled_from("ablm"), st.just("in"), values),
    )
    alternatives = st.lists(leaf, min_size=2, max_size=3).map(lambda parts: ("or", *parts))
    where = draw(
        st.one_of(
            leaf,
            alternatives,
            st.tuples(leaf, alternatives).map(lambda parts: ("and", *parts)),
            st.tuples(st.sampled_from("abm"), st.just("!="), small),
            st.tuples(st.sampled_from("abm"), st.just("not in"), values),
            st.tuples(leaf, inequalities("a"), inequalities("b")).map(lambda p: ("and", *p)),
        )
    )
    orders = draw(
        st.lists(st.sampled_from(["a", "b", "-a", "-b"]), max_size=2, unique_by=lambda n: n[-1])
    )
    return {"where": where, "order": orders}


def placed(raw: Raw, where: Any) -> Any:
    """The same filter with its keys in the partition of a server."""
    if where is None or where[0] in ("and", "or"):
        return where and (where[0], *(placed(raw, part) for part in where[1:]))
    name, operator, value = where
    return (name, operator, raw.key(*value)) if name == "__key__" else where


def filled(address: str, rows: dict[Any, Any]) -> Raw:
    """A namespace of its own with the entities."""
    raw = Raw(address, namespace=uuid.uuid4().hex)
    raw.put(*(raw.entity(raw.key(*path), **properties) for path, properties in rows.items()))
    return raw


def answer(raw: Raw, asked: dict[str, Any], *, pages: int | None = None) -> Any:
    """The results of a query in order: key, and what is projected of it."""
    fields = {**asked, "where": placed(raw, asked["where"])}
    if pages is None:
        return [shown(result) for result in raw.all_results(raw.query("T", **fields))]
    found: list[Any] = []
    cursor = b""
    while True:
        batch = raw.run(raw.query("T", **fields, limit=pages, start_cursor=cursor))
        found += map(shown, batch.entity_results)
        if not batch.entity_results:
            return found
        cursor = batch.end_cursor


def shown(result: Any) -> Any:
    properties = result.entity.properties
    return plain_key(result.entity.key), sorted((n, plain_value(v)) for n, v in properties.items())


def once(results: Any) -> Any:
    """Without the repeats of the Firestore emulator, and NaN that differs from itself."""
    if isinstance(results, str):
        return results
    return list({repr(result): None for result in results})


def tied(asked: dict[str, Any]) -> bool:
    """Whether results that sort as equal may stand in either order, or an order is ignored."""
    return any(name.startswith("-") for name in asked["order"])


class TestQueries:
    @SLOW
    @given(
        rows=data, asked=st.lists(plain_queries() | overlapping_queries(), min_size=3, max_size=6)
    )
    def test_datastore_emulator(
        self, ours: str, datastore_emulator: str, rows: Any, asked: list[dict[str, Any]]
    ) -> None:
        """Filters, orders, projections and ancestors give what the Datastore emulator gives."""
        mine, theirs = filled(ours, rows), filled(datastore_emulator, rows)
        for query in asked:
            expected = repr(outcome(answer, theirs, query))
            assert repr(outcome(answer, mine, query)) == expected, query
            assert repr(outcome(answer, mine, query, pages=2)) == expected, query
        mine.close()
        theirs.close()

    @SLOW
    @given(rows=data, asked=st.lists(plain_queries() | rich_queries(), min_size=3, max_size=6))
    def test_firestore_emulator(
        self, ours: str, firestore_emulator: str, rows: Any, asked: list[dict[str, Any]]
    ) -> None:
        """IN, NOT IN, !=, OR and several inequalities give what the Firestore emulator gives."""
        mine, theirs = filled(ours, rows), filled(firestore_emulator, rows)
        for query in asked:
            expected = once(outcome(answer, theirs, query))
            got = once(outcome(answer, mine, query))
            paged = once(outcome(answer, mine, query, pages=2))
            assert paged == got
            if tied(query):
                assert sorted(got) == sorted(expected), query
            else:
                assert got == expected, query
        mine.close()
        theirs.close()

    @SLOW
    @given(rows=data, where=st.none() | equalities(), name=st.sampled_from(["a", "v", "m", "zz"]))
    def test_aggregations(
        self, ours: str, firestore_emulator: str, rows: Any, where: Any, name: str
    ) -> None:
        """Counts, sums and averages are those of the Firestore emulator."""
        assume(name != "m" or where is None or where[0] != "m")
        mine, theirs = filled(ours, rows), filled(firestore_emulator, rows)
        assert aggregated(mine, where, name) == aggregated(theirs, where, name)
        mine.close()
        theirs.close()


def aggregated(raw: Raw, where: Any, name: str) -> Any:
    parts = [
        Aggregation(alias="n", count={}),
        Aggregation(alias="most", count={"up_to": {"value": 2}}),
    ]
    for alias in ("sum", "avg"):
        parts.append(Aggregation(**{alias: {"property": {"name": name}}, "alias": alias}))
    query = AggregationQuery(nested_query=raw.query("T", where), aggregations=parts)
    fields = {"partition_id": raw.partition(), "aggregation_query": query}
    response = outcome(raw.call, "RunAggregationQuery", **fields)
    if isinstance(response, str):
        return response
    (result,) = response.batch.aggregation_results
    return {n: plain_value(v) for n, v in result.aggregate_properties.items()}


class Commits(RuleBasedStateMachine):
    """Commits, reads and transactions on a few entities, on two servers side by side."""

    addresses: tuple[str, str]
    conflicts: bool

    keys = st.sampled_from([("T", 1), ("T", 2), ("T", "a"), ("U", 1)])
    operations = st.sampled_from(["insert", "update", "upsert", "delete"])
    bad_keys = st.sampled_from([("T",), ("T", ""), ("", 1), ("__T__", 1), ("T", "__a__"), ("T", 0)])
    bad_values = st.sampled_from(["x" * 1501, [[1]], Point((91.0, 0.0)), {"": 1}])

    @initialize()
    def start(self) -> None:
        namespace = uuid.uuid4().hex
        self.servers = [Raw(address, namespace=namespace) for address in self.addresses]
        self.transactions: list[tuple[list[bytes], set[Any]]] = []

    def teardown(self) -> None:
        for raw in getattr(self, "servers", ()):
            raw.close()

    def same(self, call: Any) -> Any:
        """Make a call on both; their answers must not differ."""
        first, second = (outcome(call, raw) for raw in self.servers)
        too_late = self.conflicts and first == "ABORTED"
        assert first == second or (too_late and second in ("NOT_FOUND", "ALREADY_EXISTS"))
        return first

    def _free(self, key: Any) -> bool:
        """Whether a write may be made: the Firestore emulator would wait for a reader."""
        return self.conflicts or not any(key in read for _, read in self.transactions)

    @rule(operation=operations, key=keys, properties=entities)
    def mutate(self, operation: str, key: Any, properties: Any) -> None:
        if self._free(key):
            self.same(lambda raw: committed(raw, None, [(operation, key, properties)]))

    @rule(operation=operations, key=bad_keys, properties=entities)
    def refuse_key(self, operation: str, key: Any, properties: Any) -> None:
        if operation not in ("insert", "upsert") or key != ("T",):
            self.same(lambda raw: committed(raw, None, [(operation, key, properties)]))

    @rule(operation=st.sampled_from(["insert", "upsert"]), key=keys, value=bad_values)
    def refuse_value(self, operation: str, key: Any, value: Any) -> None:
        if self._free(key):
            self.same(lambda raw: committed(raw, None, [(operation, key, {"v": value})]))

    @rule(chosen=st.lists(keys, unique=True, min_size=1))
    def look_up(self, chosen: list[Any]) -> None:
        self.same(lambda raw: looked_up(raw, chosen))

    @rule(chosen=st.lists(keys, unique=True, min_size=1))
    def begin(self, chosen: list[Any]) -> None:
        begun = [raw.begin() for raw in self.servers]
        for raw, name in zip(self.servers, begun, strict=True):
            looked_up(raw, chosen, name)
        self.transactions.append((begun, set(chosen)))

    @rule(
        position=st.integers(0, 5),
        written=st.lists(
            st.tuples(operations, keys, entities), max_size=2, unique_by=lambda w: w[1]
        ),
    )
    def commit(self, position: int, written: list[Any]) -> None:
        if not self.transactions:
            return
        begun, read = self.transactions.pop(position % len(self.transactions))
        names = dict(zip(map(id, self.servers), begun, strict=True))
        written = [one for one in written if self._free(one[1]) or one[1] in read]
        if not self.conflicts:
            others = {key for _, keys in self.transactions for key in keys}
            written = [one for one in written if one[1] not in others]
        elif written:
            only_read = read - {key for _, key, _ in written}
            self.transactions = [each for each in self.transactions if not each[1] & only_read]
        self.same(lambda raw: committed(raw, names[id(raw)], written))
        self.look_up([("T", 1), ("T", 2), ("T", "a"), ("U", 1)])


def committed(raw: Raw, transaction: bytes | None, written: list[Any]) -> str:
    mutations = []
    for operation, path, properties in written:
        key = raw.key(*path)
        value = key if operation == "delete" else raw.entity(key, **properties)
        mutations.append(Mutation(**{operation: value}))
    if transaction is None:
        raw.call("Commit", mode=2, mutations=mutations)
    else:
        raw.commit(transaction, *mutations)
    return "OK"


def looked_up(raw: Raw, chosen: list[Any], transaction: bytes | None = None) -> Any:
    response = raw.lookup(*(raw.key(*path) for path in chosen), transaction=transaction)
    missing = sorted(repr(plain_key(result.entity.key)) for result in response.missing)
    return sorted(repr(shown(result)) for result in response.found), missing


MACHINE = settings(max_examples=20, stateful_step_count=15, deadline=None)


def test_commits_and_the_datastore_emulator(ours: str, datastore_emulator: str) -> None:
    """Mutations, refusals and conflicting transactions end as in the Datastore emulator."""
    machine = type(
        "Machine", (Commits,), {"addresses": (ours, datastore_emulator), "conflicts": True}
    )
    run_state_machine_as_test(machine, settings=MACHINE)


def test_commits_and_the_firestore_emulator(ours: str, firestore_emulator: str) -> None:
    """Mutations, refusals and transactions end as in the Firestore emulator."""
    machine = type(
        "Machine", (Commits,), {"addresses": (ours, firestore_emulator), "conflicts": False}
    )
    run_state_machine_as_test(machine, settings=MACHINE)
