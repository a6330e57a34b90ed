"""Several clients at once: threads, processes that were forked, and transactions that expire."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading

import pytest

from gae_pusher.emulator.datastore import limits
from gae_pusher.emulator.datastore.messages import TransactionOptions
from gae_pusher.emulator.datastore.refusals import Refusal
from gae_pusher.emulator.datastore.server import DatastoreServer
from gae_pusher.emulator.datastore.transactions import Transactions
from tests.emulator.datastore.raw import Raw

SECOND = 1_000_000

FORKING = """
    import os
    from google.cloud import ndb

    class Counter(ndb.Model):
        count = ndb.IntegerProperty(default=0)

    def increment():
        counter = Counter.get_by_id(1) or Counter(id=1)
        counter.count += 1
        counter.put()

    def work():
        client = ndb.Client()
        for _ in range(5):
            with client.context(cache_policy=False):
                ndb.transaction(increment, retries=100)

    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            work()
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    with ndb.Client().context():
        print(Counter.get_by_id(1).count)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_forked_workers(server: DatastoreServer) -> None:
    """Workers that were forked, each with a client of its own, do not lose each other's work."""
    command = [sys.executable, "-c", textwrap.dedent(FORKING)]
    environ = {**os.environ, **server.environment()}
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "15", done.stderr


def test_threads_and_clients(server: DatastoreServer) -> None:
    """Several clients that write, read and query at the same time see whole commits only."""
    address = f"127.0.0.1:{server.port}"
    broken: list[str] = []

    def write(client: int) -> None:
        raw = Raw(address)
        for number in range(30):
            pair = [raw.entity(raw.key(kind, client + 1), x=number) for kind in ("A", "B")]
            raw.put(*pair)
        raw.close()

    def read() -> None:
        raw = Raw(address)
        for _ in range(60):
            transaction = raw.begin(read_only={})
            keys = [raw.key(kind, 1) for kind in ("A", "B")]
            found = raw.lookup(*keys, transaction=transaction).found
            values = {result.entity.properties["x"].integer_value for result in found}
            if len(found) == 1 or len(values) > 1:
                broken.append(str(found))
        raw.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    threads += [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not broken
    raw = Raw(address)
    assert raw.names("A", ("x", "=", 29)) == [1, 2, 3, 4]
    raw.close()


class TestExpiry:
    def test_unused(self) -> None:
        """A transaction that is not used for a minute is gone, one that is used stays."""
        transactions = Transactions(b"salt")
        used, unused = (transactions.begin(TransactionOptions(), 0) for _ in range(2))
        transactions.get(used, 50 * SECOND)
        later = (limits.TRANSACTION_IDLE_SECONDS + 1) * SECOND
        transactions.get(used, later)
        with pytest.raises(Refusal, match="expired"):
            transactions.get(unused, later)

    def test_too_long(self) -> None:
        """No transaction stays open for longer than the Datastore lets it."""
        transactions = Transactions(b"salt")
        name = transactions.begin(TransactionOptions(), 0)
        for second in range(0, limits.TRANSACTION_SECONDS, 30):
            transactions.get(name, second * SECOND)
        with pytest.raises(Refusal, match="expired"):
            transactions.get(name, (limits.TRANSACTION_SECONDS + 1) * SECOND)

    def test_of_another_run(self) -> None:
        """A transaction of an earlier run of the server is not one of this run's."""
        name = Transactions(b"before").begin(TransactionOptions(), 0)
        now = Transactions(b"behind")
        now.begin(TransactionOptions(), 0)
        with pytest.raises(Refusal, match=r"Invalid transaction\."):
            now.get(name, 0)
