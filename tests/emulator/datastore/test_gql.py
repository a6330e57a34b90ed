"""GQL texts against the query messages that say the same."""

from __future__ import annotations

from typing import Any

import pytest

from gae_pusher.emulator.datastore.gql import parse_aggregation, parse_query
from gae_pusher.emulator.datastore.keys import Partition
from gae_pusher.emulator.datastore.messages import GqlQuery, GqlQueryParameter
from gae_pusher.emulator.datastore.refusals import Refusal
from tests.emulator.datastore.raw import Raw, Time, message_value

PARTITION = Partition("demo", "", "space")
raw = Raw("127.0.0.1:1", namespace="space")


def gql(text: str, *positional: Any, literals: bool = True, **named: Any) -> GqlQuery:
    query = GqlQuery(query_string=text, allow_literals=literals)
    for value in positional:
        query.positional_bindings.append(GqlQueryParameter(value=message_value(value)))
    for name, value in named.items():
        query.named_bindings[name].CopyFrom(GqlQueryParameter(value=message_value(value)))
    return query


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("SELECT * FROM T", raw.query("T")),
        ("select __key__ from `T T`", raw.query("T T", projection=["__key__"])),
        (
            "SELECT a, b FROM T WHERE n > 5 ORDER BY n DESC, m LIMIT 3 OFFSET 2",
            raw.query("T", ("n", ">", 5), ["-n", "m"], projection=["a", "b"], limit=3, offset=2),
        ),
        ("SELECT DISTINCT a FROM T", raw.query("T", projection=["a"], distinct=["a"])),
        (
            "SELECT DISTINCT ON (a) a, b FROM T",
            raw.query("T", projection=["a", "b"], distinct=["a"]),
        ),
        ("SELECT * FROM T WHERE n IN ARRAY(1, 2)", raw.query("T", ("n", "in", [1, 2]))),
        ("SELECT * FROM T WHERE n NOT IN ARRAY(1)", raw.query("T", ("n", "not in", [1]))),
        ("SELECT * FROM T WHERE n IS NULL", raw.query("T", ("n", "=", None))),
        ("SELECT * FROM T WHERE n CONTAINS 1", raw.query("T", ("n", "=", 1))),
        ("SELECT * FROM T WHERE 1 IN n", raw.query("T", ("n", "=", 1))),
        ("SELECT * FROM T WHERE 5 < n", raw.query("T", ("n", ">", 5))),
        (
            "SELECT * FROM T WHERE a = 1 AND b = 'it''s' OR c = \"x\\n\"",
            raw.query("T", ("or", ("and", ("a", "=", 1), ("b", "=", "it's")), ("c", "=", "x\n"))),
        ),
        (
            "SELECT * FROM T WHERE a = 1.5e3 AND (b = true OR c != FALSE)",
            raw.query(
                "T", ("and", ("a", "=", 1500.0), ("or", ("b", "=", True), ("c", "!=", False)))
            ),
        ),
        (
            "SELECT * WHERE __key__ HAS ANCESTOR KEY(P, 1, C, 'x')",
            raw.query(None, ("__key__", "ancestor", raw.key("P", 1, "C", "x"))),
        ),
        (
            "SELECT * FROM T WHERE KEY(P, 1) HAS DESCENDANT __key__",
            raw.query("T", ("__key__", "ancestor", raw.key("P", 1))),
        ),
        (
            "SELECT * FROM T WHERE t = DATETIME('2013-09-29T09:30:20.00002-08:00')",
            raw.query("T", ("t", "=", Time(1_380_475_820_000_020))),
        ),
        ("SELECT * FROM T WHERE b = BLOB('_-8')", raw.query("T", ("b", "=", b"\xff\xef"))),
        ("SELECT a.b FROM T", raw.query("T", projection=["a.b"])),
    ],
)
def test_a_text_stands_for_a_query(text: str, query: Any) -> None:
    """Each form of GQL's reference means the query message that it is documented to mean."""
    assert parse_query(gql(text), PARTITION) == query


def test_bindings_stand_for_values_and_cursors() -> None:
    """Positional and named bindings are put in, cursors as where results begin and end."""
    query = gql("SELECT * FROM T WHERE n = @1 AND m = @m LIMIT @end OFFSET @2 + 5", 1, m="x")
    query.positional_bindings.append(GqlQueryParameter(cursor=b"start"))
    query.named_bindings["end"].CopyFrom(GqlQueryParameter(cursor=b"end"))
    expected = raw.query(
        "T",
        ("and", ("n", "=", 1), ("m", "=", "x")),
        start_cursor=b"start",
        end_cursor=b"end",
        offset=5,
    )
    assert parse_query(query, PARTITION) == expected


def test_aggregations() -> None:
    """Both forms of an aggregation have the same meaning."""
    parts = "COUNT(*) AS n, COUNT_UP_TO(5), SUM(a) AS s, AVG(a)"
    first = parse_aggregation(gql(f"SELECT {parts} FROM T WHERE a > 1"), PARTITION)
    second = parse_aggregation(
        gql(f"AGGREGATE {parts} OVER (SELECT * FROM T WHERE a > 1)"), PARTITION
    )
    assert first == second
    assert first.nested_query == raw.query("T", ("a", ">", 1))
    assert [one.alias for one in first.aggregations] == ["n", "", "s", ""]
    assert first.aggregations[1].count.up_to.value == 5
    assert first.aggregations[2].sum.property.name == "a"


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        (gql("SELECT"), 'encountered "<EOF>" at line 1, column 7'),
        (gql("SELECT *\nFROM T WHERE n IN (1)"), r'encountered "\(" at line 2, column 19'),
        (gql("SELECT * FROM T WHERE n = ;"), 'encountered ";"'),
        (gql("SELECT * FROM T WHERE n = @1"), "Absent positional binding: 1"),
        (gql("SELECT * FROM T WHERE n = @x"), "Absent named binding: x"),
        (gql("SELECT * FROM T", 1), "Unused positional binding: 1"),
        (gql("SELECT * FROM T", x=1), "Unused named binding: x"),
        (gql("SELECT * FROM T WHERE n = 1", literals=False), "Disallowed literal: 1"),
        (gql("SELECT * FROM T WHERE n = BLOB('YQ==')"), 'Invalid blob text: "YQ=="'),
        (gql("SELECT * FROM T WHERE n = DATETIME('today')"), "RFC 3339"),
        (gql("SELECT * FROM T WHERE n = 9223372036854775808"), "64 bits"),
    ],
)
def test_what_is_wrong_is_said(query: GqlQuery, complaint: str) -> None:
    """A text that is no GQL is refused with what and where."""
    with pytest.raises(Refusal, match=complaint):
        parse_query(query, PARTITION)
