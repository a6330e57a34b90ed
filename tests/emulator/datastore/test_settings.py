"""What can be set: composite indexes that are required, and queries that lag behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gae_pusher.emulator.datastore.composite import parse_index_yaml, render_index_yaml
from gae_pusher.emulator.datastore.messages import ReadOptions
from gae_pusher.emulator.datastore.server import DatastoreServer
from gae_pusher.emulator.datastore.settings import Settings
from gae_pusher.errors import ConfigurationError
from tests.emulator.datastore.raw import Raw

INDEX_YAML = """\
indexes:

- kind: Item
  properties:
  - name: b
  - name: a
  - name: n
    direction: desc

- kind: Item
  ancestor: yes
  properties:
  - name: n
"""


@contextmanager
def running(settings: Settings) -> Iterator[tuple[DatastoreServer, Raw]]:
    with DatastoreServer(settings=settings) as server:
        raw = Raw(f"127.0.0.1:{server.port}")
        yield server, raw
        raw.close()


class TestIndexes:
    @pytest.mark.parametrize(
        "query",
        [
            {"where": ("and", ("a", "=", 1), ("b", "=", 1)), "order": ["-n"]},
            {"where": ("and", ("a", "=", 1), ("b", "=", 1))},
            {"where": ("n", ">", 1), "order": ["-n"]},
            {"order": ["n"]},
            {"projection": ["n"]},
            {},
        ],
    )
    def test_served(self, query: dict[str, Any]) -> None:
        """Declared indexes, and those that every property has, serve their queries."""
        with running(Settings(indexes=tuple(parse_index_yaml(INDEX_YAML)))) as (_, raw):
            raw.put(raw.entity(raw.key("Item", 1), a=1, b=1, n=2))
            assert raw.names("Item", **query) == [1]

    @pytest.mark.parametrize(
        ("query", "recommended"),
        [
            (
                {"where": ("a", "=", 1), "order": ["-n"]},
                "- name: a\n  - name: n\n    direction: desc",
            ),
            ({"order": ["a", "n"]}, "- name: a\n  - name: n"),
            ({"projection": ["n", "a"]}, "- name: a\n  - name: n"),
            ({"order": ["-__key__"]}, "- name: __key__\n    direction: desc"),
            (
                {"where": ("and", ("a", "=", 1), ("a", "<", 2), ("n", "<", 3))},
                "properties:\n  - name: a\n  - name: n\n",
            ),
        ],
    )
    def test_refused(self, query: dict[str, Any], recommended: str) -> None:
        """A query without its composite index is refused with the index that it needs."""
        with running(Settings(indexes=tuple(parse_index_yaml(INDEX_YAML)))) as (_, raw):
            code, text = raw.refusal("RunQuery", query=raw.query("Item", **query))
            assert code == "FAILED_PRECONDITION"
            assert text.startswith("no matching index found. recommended index is:\n- kind: Item")
            assert recommended in text

    def test_ancestor(self) -> None:
        """An index with ancestors serves queries with one, and no others."""
        with running(Settings(indexes=tuple(parse_index_yaml(INDEX_YAML)))) as (_, raw):
            raw.put(raw.entity(raw.key("P", 1, "Item", 1), n=2))
            where = ("__key__", "ancestor", raw.key("P", 1))
            assert raw.names("Item", where, ["n"]) == [1]
            code, _ = raw.refusal("RunQuery", query=raw.query("Item", where, ["-n"]))
            assert code == "FAILED_PRECONDITION"

    def test_suggested(self) -> None:
        """The queries seen give an index.yaml with which they are all served."""
        queries: list[dict[str, Any]] = [
            {"where": ("and", ("b", "=", 1), ("a", "=", 1)), "order": ["-n"]},
            {"order": ["a", "n"]},
            {"where": ("or", ("a", "=", 1), ("b", "=", 2)), "order": ["n"]},
            {"where": ("a", "=", 1)},
        ]
        with running(Settings()) as (server, raw):
            for query in queries:
                raw.names("Item", **query)
            suggested = server.suggested_indexes()
        # The second query's index serves half of the third.
        assert suggested.count("- kind: Item") == 3
        with running(Settings(indexes=tuple(parse_index_yaml(suggested)))) as (_, raw):
            for query in queries:
                assert raw.names("Item", **query) == []

    def test_nothing_to_suggest(self) -> None:
        """Queries that need no composite index lead to no index.yaml."""
        with running(Settings()) as (server, raw):
            raw.names("Item", ("a", "=", 1))
            raw.names("Item", ("and", ("a", "=", 1), ("a", "<", 2)))
            assert server.suggested_indexes() == ""

    def test_rendering_and_reading(self) -> None:
        """What is written as index.yaml is read back as the same."""
        specs = parse_index_yaml(INDEX_YAML)
        assert sorted(parse_index_yaml(render_index_yaml(specs)), key=repr) == sorted(
            specs, key=repr
        )

    @pytest.mark.parametrize(
        "text",
        [
            "indexes: [",
            "- a",
            "indexes:\n- kind: T",
            "indexes:\n- kind: T\n  properties: [{direction: asc}]",
            "indexes:\n- kind: T\n  properties: [{name: a, direction: up}]",
        ],
    )
    def test_bad_files(self, text: str) -> None:
        """An index.yaml that cannot be read is a configuration error."""
        with pytest.raises(ConfigurationError, match=r"index\.yaml cannot be read"):
            parse_index_yaml(text)


def test_queries_that_lag() -> None:
    """With a delay, queries without an ancestor miss what is new unless they ask not to."""
    with running(Settings(query_delay_seconds=3_600)) as (_, raw):
        raw.put(raw.entity(raw.key("P", 1, "Item", 1), n=1))
        assert raw.names("Item") == []
        assert raw.names("Item", ("__key__", "ancestor", raw.key("P", 1))) == [1]
        assert len(raw.lookup(raw.key("P", 1, "Item", 1)).found) == 1
        strong = ReadOptions(read_consistency=ReadOptions.ReadConsistency.Value("STRONG"))
        assert len(raw.run(raw.query("Item"), read_options=strong).entity_results) == 1
        transaction = ReadOptions(transaction=raw.begin())
        assert len(raw.run(raw.query("Item"), read_options=transaction).entity_results) == 1
