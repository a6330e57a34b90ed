"""Statistics about what is stored, as google.cloud.ndb.stats reads them."""

from __future__ import annotations

import datetime

import pytest
from google.cloud import ndb
from google.cloud.ndb import stats

from gae_pusher.emulator.datastore.messages import Key
from gae_pusher.emulator.datastore.sizes import entity_bytes, index_entry_bytes, key_bytes
from tests.emulator.datastore.raw import Excluded, Point, Raw, Time


class Task(ndb.Model):
    title = ndb.StringProperty()
    notes = ndb.TextProperty()
    tags = ndb.StringProperty(repeated=True)


def counts(query: ndb.Query) -> dict[str | int, int]:
    return {statistic.key.id(): statistic.count for statistic in query}


class TestSizes:
    def test_the_documented_examples(self) -> None:
        """Keys and entities take what the Datastore's page on storage sizes says."""
        raw = Raw("127.0.0.1:1")
        assert key_bytes(raw.key("Task", 5730082031140864)) == 29
        assert key_bytes(raw.key("Task", "my_task_id")) == 32
        nested = Raw("127.0.0.1:1", namespace="my_name_space").key("TaskList", 1, "Task", 2)
        assert key_bytes(nested) == 60
        task = raw.entity(
            raw.key("Task", 1),
            type="Personal",
            done=False,
            priority=1,
            description="Learn Cloud Datastore",
        )
        assert entity_bytes(task) == 132
        assert index_entry_bytes(task.key) == 29 + 5 + 32


class TestStatistics:
    @pytest.fixture(autouse=True)
    def tasks(self, client: ndb.Client) -> None:
        with client.context():
            Task(id=1, title="a", notes="long", tags=["x", "y"]).put()
            Task(id=2, title="b", parent=ndb.Key("List", 1)).put()

    def test_the_whole(self, context: ndb.context.Context) -> None:
        """The one statistic of everything counts entities and adds up, and is found by its key."""
        (total,) = stats.GlobalStat.query()
        assert total == stats.GlobalStat.get_by_id("total_entity_usage")
        assert total.count == 2
        assert total.bytes == total.entity_bytes + total.builtin_index_bytes
        # For each entity the index of its kind, and two for each value that is indexed.
        assert total.builtin_index_count == 2 + 2 * 4

    def test_kinds(self, context: ndb.context.Context) -> None:
        """Entities are counted by kind, and apart where they have ancestors."""
        assert counts(stats.KindStat.query()) == {"Task": 2}
        assert counts(stats.KindRootEntityStat.query()) == {"Task": 1}
        assert counts(stats.KindNonRootEntityStat.query()) == {"Task": 1}

    def test_properties(self, context: ndb.context.Context) -> None:
        """Values are counted by type and name, those that are not indexed by types of their own."""
        assert counts(stats.PropertyTypeStat.query()) == {"String": 4, "Text": 1, "NULL": 1}
        assert counts(stats.KindPropertyTypeStat.query())["Text_Task"] == 1
        of_tags = stats.KindPropertyNameStat.query(
            stats.KindPropertyNameStat.property_name == "tags"
        ).get()
        assert (of_tags.key.id(), of_tags.count) == ("tags_Task", 2)
        by_all = counts(stats.KindPropertyNamePropertyTypeStat.query())
        assert by_all["String_title_Task"] == 2
        assert by_all["Text_notes_Task"] == 1

    def test_a_consistent_set(self, context: ndb.context.Context) -> None:
        """The time of one statistic finds the others that were made of the same entities."""
        time = stats.GlobalStat.query().get().timestamp
        assert stats.KindStat.query(stats.KindStat.timestamp == time).count() == 1
        assert stats.KindStat.query(stats.KindStat.timestamp > time).count() == 0
        assert isinstance(time, datetime.datetime)

    def test_namespaces(self, client: ndb.Client) -> None:
        """A namespace has statistics of its own once there is one that is not the default one."""
        with client.context(namespace="other"):
            assert counts(stats.NamespaceKindStat.query()) == {}
            Task(id=1).put()
            assert counts(stats.NamespaceKindStat.query()) == {"Task": 1}
            assert stats.NamespaceGlobalStat.get_by_id("total_entity_usage").count == 1
            assert counts(stats.GlobalStat.query()) == {}
        with client.context():
            assert counts(stats.NamespaceKindStat.query()) == {"Task": 2}
            assert counts(stats.KindStat.query()) == {"Task": 3}
            assert counts(stats.NamespaceStat.query()) == {1: 2, "other": 1}


def test_every_type_of_value_is_counted(client: ndb.Client) -> None:
    """A statistic has a name for each type of value, in lists as well."""
    raw = Raw(client.host)
    key: Key = raw.key("T", 1)
    values: list[object] = [True, 1, 1.5, b"b", "s", {"a": 1}, raw.key("T", 2), None, Time(1)]
    raw.put(raw.entity(key, x=values, b=Excluded(b"b"), p=Point((1.0, 2.0))))
    with client.context():
        found = counts(stats.PropertyTypeStat.query())
    names = {"Boolean", "Integer", "Float", "ShortBlob", "String", "EmbeddedEntity", "Key", "NULL"}
    assert found == dict.fromkeys(names | {"Date/Time", "Blob", "GeoPt"}, 1)
    raw.close()


def test_an_empty_database_has_none(client: ndb.Client) -> None:
    """Before anything is stored there is nothing to count."""
    with client.context():
        assert stats.GlobalStat.query().get() is None
