"""What programs do with google-cloud-ndb, unmodified, against the local server."""

from __future__ import annotations

import datetime
import threading

import pytest
from google.api_core import exceptions
from google.cloud import ndb


class Card(ndb.Model):
    title = ndb.StringProperty()
    position = ndb.IntegerProperty()
    tags = ndb.StringProperty(repeated=True)
    moved = ndb.DateTimeProperty()
    weight = ndb.FloatProperty()
    notes = ndb.TextProperty()


def titles(query: ndb.Query) -> list[str]:
    return [card.title for card in query.fetch()]


@pytest.mark.usefixtures("context")
class TestEntities:
    def test_an_entity_comes_back_as_it_was_put(self) -> None:
        """A put entity is got by its key with every property as it was."""
        moved = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456)
        card = Card(
            title="é", position=-1, tags=["b", "a"], moved=moved, weight=1.5, notes="x" * 5000
        )
        got = card.put().get()
        assert (got.title, got.position, got.tags, got.moved) == ("é", -1, ["b", "a"], moved)
        assert (got.weight, got.notes) == (1.5, "x" * 5000)

    def test_a_deleted_entity_is_gone(self) -> None:
        """After a delete, getting by key and querying find nothing."""
        key = Card(title="a").put()
        key.delete()
        assert key.get() is None
        assert Card.query().fetch() == []

    def test_ids_differ(self) -> None:
        """Entities without an id get distinct ones, also when a thousand are put at once."""
        keys = ndb.put_multi([Card() for _ in range(1_001)])
        assert len({key.id() for key in keys}) == 1_001

    def test_a_thousand_and_one_keys_in_one_call(self) -> None:
        """More keys than one lookup of NDB holds are all answered, in order."""
        keys = ndb.put_multi([Card(id=number, position=number) for number in range(1, 1_002)])
        assert [card.position for card in ndb.get_multi(keys)] == list(range(1, 1_002))

    def test_messages_of_more_than_four_megabytes(self) -> None:
        """Entities of nearly one megabyte each are put, got and queried together."""
        cards = [Card(id=number, notes="n" * 900_000) for number in range(1, 8)]
        keys = ndb.put_multi(cards)
        assert [len(card.notes) for card in ndb.get_multi(keys)] == [900_000] * 7
        assert [len(card.notes) for card in Card.query().fetch()] == [900_000] * 7

    def test_allocated_ids_are_nobody_elses(self) -> None:
        """Ids that were allocated are not given to entities that are put without one."""
        allocated = {key.id() for key in Card.allocate_ids(size=50)}
        assert len(allocated) == 50
        assert allocated.isdisjoint(Card().put().id() for _ in range(50))


class TestQueries:
    @pytest.fixture(autouse=True)
    def cards(self, context: ndb.context.Context) -> None:
        ndb.put_multi(
            [
                Card(id=1, title="one", position=1, tags=["red"]),
                Card(id=2, title="two", position=2, tags=["red", "blue"]),
                Card(id=3, title="three", position=3, tags=[]),
                Card(id=4, title="four", position=2, tags=["green"]),
            ]
        )

    def test_filters_and_orders(self) -> None:
        """Equality, inequality and orders select and sort."""
        assert titles(Card.query(Card.position == 2)) == ["two", "four"]
        assert titles(Card.query(Card.position > 1).order(-Card.position)) == [
            "three",
            "two",
            "four",
        ]
        assert titles(Card.query(Card.position == 2).order(Card.title)) == ["four", "two"]

    def test_server_side_operators(self) -> None:
        """IN, NOT IN, != and OR are answered by the server as NDB sends them."""
        assert titles(Card.query(Card.position.IN([3, 1], server_op=True))) == ["one", "three"]
        assert titles(Card.query(Card.position.NOT_IN([2]))) == ["one", "three"]
        assert titles(Card.query(Card.position != 2)) == ["one", "three"]
        both = ndb.OR(Card.position == 3, Card.tags == "blue")
        assert {card.title for card in Card.query(both)} == {"two", "three"}

    def test_a_list_is_found_by_each_of_its_values(self) -> None:
        """An entity with several values is found by each, and once."""
        assert titles(Card.query(Card.tags == "blue")) == ["two"]
        assert titles(Card.query(Card.tags >= "a")) == ["two", "four", "one"]

    def test_projections(self) -> None:
        """A projection has a result for each value of a list, and distinct ones for each value."""
        rows = Card.query(projection=[Card.tags]).fetch()
        assert [(row.key.id(), row.tags) for row in rows] == [
            (2, ["blue"]),
            (4, ["green"]),
            (1, ["red"]),
            (2, ["red"]),
        ]
        distinct = Card.query(projection=[Card.position], distinct_on=[Card.position]).fetch()
        assert [row.position for row in distinct] == [1, 2, 3]

    def test_pages(self) -> None:
        """Cursors lead from page to page until there is no more."""
        query = Card.query().order(Card.title)
        first, cursor, more = query.fetch_page(3)
        assert [card.title for card in first] == ["four", "one", "three"]
        assert more
        rest, _, more = query.fetch_page(3, start_cursor=cursor)
        assert [card.title for card in rest] == ["two"]
        assert not more

    def test_more_results_than_a_batch(self) -> None:
        """A query of several batches has every result once, also behind an offset."""
        ndb.put_multi([Card(id=number, position=number) for number in range(100, 2_600)])
        found = Card.query(Card.position >= 100).fetch(keys_only=True)
        assert [key.id() for key in found] == list(range(100, 2_600))
        assert (
            Card.query(Card.position >= 100).fetch(2, offset=2_000, keys_only=True)[0].id() == 2_100
        )
        assert Card.query(Card.position >= 100).count() == 2_500

    def test_gql(self) -> None:
        """NDB's GQL queries are answered."""
        assert [card.title for card in ndb.gql("SELECT * FROM Card WHERE position = 3")] == [
            "three"
        ]


class TestTransactions:
    def test_a_transaction_commits_all_or_nothing(self, context: ndb.context.Context) -> None:
        """A transaction that raises leaves nothing behind."""

        def fail() -> None:
            Card(id=1).put()
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            ndb.transaction(fail)
        assert Card.get_by_id(1) is None
        ndb.transaction(lambda: ndb.put_multi([Card(id=1), Card(id=2)]))
        assert len(Card.query().fetch()) == 2

    def test_a_read_that_was_overtaken_aborts(self, client: ndb.Client) -> None:
        """A commit is aborted when what it read was changed, and nothing of it is kept."""
        with client.context(cache_policy=False):
            key = Card(id=1, position=0).put()

        def overtake() -> None:
            with client.context(cache_policy=False):
                Card(id=1, position=100).put()

        def increment() -> None:
            card = key.get()
            thread = threading.Thread(target=overtake)
            thread.start()
            thread.join()
            card.position += 1
            card.put()

        with client.context(cache_policy=False):
            with pytest.raises(exceptions.Aborted):
                ndb.transaction(increment, retries=0)
            assert key.get().position == 100

    def test_counters_do_not_lose_increments(self, client: ndb.Client) -> None:
        """Threads that increment one counter in transactions are all counted."""
        with client.context():
            key = Card(id=1, position=0).put()

        def increment() -> None:
            card = key.get()
            card.position += 1
            card.put()

        def work() -> None:
            for _ in range(5):
                with client.context(cache_policy=False):
                    ndb.transaction(increment, retries=50)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with client.context():
            assert key.get().position == 20

    def test_queries_see_the_snapshot(self, client: ndb.Client) -> None:
        """A transaction's queries see the entities as they were at its first read."""
        with client.context():
            ndb.put_multi([Card(id=1, position=1), Card(id=2, position=2)])

        def change() -> None:
            with client.context():
                Card(id=1, position=9).put()
                ndb.Key(Card, 2).delete()
                Card(id=3, position=3).put()

        def read() -> list[int]:
            ndb.Key(Card, 7).get()
            thread = threading.Thread(target=change)
            thread.start()
            thread.join()
            return [card.position for card in Card.query().order(Card.position)]

        with client.context(cache_policy=False):
            assert ndb.transaction(read, read_only=True) == [1, 2]
            assert [card.position for card in Card.query().order(Card.position)] == [3, 9]


def test_namespaces_and_databases_are_apart(client: ndb.Client) -> None:
    """An entity of one namespace or database is not in another."""
    with client.context(namespace="a"):
        Card(id=1, title="a").put()
    with client.context(namespace="b"):
        assert Card.get_by_id(1) is None
        assert Card.query().fetch() == []
    with ndb.Client(database="other").context(namespace="a"):
        assert Card.get_by_id(1) is None
    with client.context(namespace="a"):
        assert Card.get_by_id(1).title == "a"
