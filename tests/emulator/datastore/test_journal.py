"""Data in a file: what was acknowledged survives, also a process that is killed."""

from __future__ import annotations

import itertools
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from gae_pusher.emulator.datastore.messages import Mutation
from gae_pusher.emulator.datastore.server import DatastoreServer
from gae_pusher.emulator.datastore.settings import Settings
from gae_pusher.errors import ConfigurationError
from tests.emulator.datastore.raw import Raw


@contextmanager
def running(file: Path) -> Iterator[Raw]:
    with DatastoreServer(settings=Settings(data=file)) as server:
        raw = Raw(f"127.0.0.1:{server.port}")
        yield raw
        raw.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data.sqlite3"


def test_the_next_run_has_it_all(file: Path) -> None:
    """Entities of all databases and namespaces, their versions, and deletions survive a stop."""
    with running(file) as raw:
        raw.put(raw.entity(raw.key("T", 1), x=1), raw.entity(raw.key("T", 2), x=2))
        raw.delete(raw.key("T", 2))
        (before,) = raw.lookup(raw.key("T", 1)).found
        raw.database, raw.namespace = "other", "space"
        raw.put(raw.entity(raw.key("T", 1), x=3))
    with running(file) as raw:
        (after,) = raw.lookup(raw.key("T", 1), raw.key("T", 2)).found
        assert after == before
        assert raw.names("T", ("x", ">", 0)) == [1]
        raw.database, raw.namespace = "other", "space"
        assert raw.properties(raw.key("T", 1))["x"][1] == "3"


def test_ids_are_not_given_out_again(file: Path) -> None:
    """Ids that were allocated or reserved in one run are nobody else's in the next."""
    with running(file) as raw:
        allocated = [
            key.path[0].id for key in raw.call("AllocateIds", keys=[raw.key("T")] * 3).keys
        ]
    with running(file) as raw:
        upcoming = raw.call("AllocateIds", keys=[raw.key("T")] * 3).keys
        allocated += [key.path[0].id for key in upcoming]
    assert len(set(allocated)) == 6


def test_reserved_ids_are_remembered(file: Path, tmp_path: Path) -> None:
    """An id that was reserved in an earlier run is skipped when its turn comes."""
    with running(tmp_path / "probe.sqlite3") as raw:
        (first,) = raw.call("AllocateIds", keys=[raw.key("T")]).keys
    with running(file) as raw:
        raw.call("ReserveIds", keys=[first])
    with running(file) as raw:
        (next_one,) = raw.call("AllocateIds", keys=[raw.key("T")]).keys
    assert next_one.path[0].id != first.path[0].id


def commit_until_it_fails(raw: Raw, working: threading.Event) -> int:
    """How many commits were acknowledged; tells when 20 were."""
    for number in itertools.count(1):
        mutations = [
            Mutation(upsert=raw.entity(raw.key("T", number), x=number)),
            Mutation(upsert=raw.entity(raw.key("Last", 1), x=number)),
        ]
        try:
            raw.commit(raw.begin(), *mutations)
        except grpc.RpcError:
            return number - 1
        if number == 20:
            working.set()
    raise AssertionError("counting does not end")


def test_a_kill_loses_nothing_that_was_acknowledged(file: Path) -> None:
    """Every commit that was answered is there after the process was killed at its work."""
    command = [sys.executable, "-m", "tests.emulator.datastore.crashing", str(file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        raw = Raw(f"127.0.0.1:{int(process.stdout.readline())}")
        working = threading.Event()
        killer = threading.Thread(target=lambda: working.wait(30) and process.kill())
        killer.start()
        acknowledged = commit_until_it_fails(raw, working)
        killer.join()
        raw.close()
    with running(file) as raw:
        stored = raw.names("T")
        assert stored[:acknowledged] == list(range(1, acknowledged + 1))
        assert acknowledged >= 20
        # Both entities of a commit or none.
        assert raw.properties(raw.key("Last", 1))["x"][1] == str(stored[-1])


def test_one_server_at_a_time_has_the_file(file: Path) -> None:
    """A second server on the same file is refused with the reason."""
    with running(file), pytest.raises(ConfigurationError, match="is another server using it"):
        DatastoreServer(settings=Settings(data=file)).start()


def test_other_files_are_left_alone(file: Path) -> None:
    """A file that is no data file, or another program's database, is refused and not touched."""
    file.write_text("hello, I am no database at all")
    with pytest.raises(ConfigurationError, match=r"file is not a database$"):
        DatastoreServer(settings=Settings(data=file)).start()
    assert file.read_text().startswith("hello")
    file.unlink()
    with sqlite3.connect(file) as connection:
        connection.execute("pragma user_version = 7")
    connection.close()
    with pytest.raises(ConfigurationError, match="is not a file of this version's Datastore"):
        DatastoreServer(settings=Settings(data=file)).start()


def test_clearing_clears_the_file(file: Path) -> None:
    """After clear() the next run is empty too."""
    with DatastoreServer(settings=Settings(data=file)) as server:
        raw = Raw(f"127.0.0.1:{server.port}")
        raw.put(raw.entity(raw.key("T", 1), x=1))
        server.clear()
        assert raw.names("T") == []
        raw.close()
    with running(file) as raw:
        assert raw.names("T") == []
