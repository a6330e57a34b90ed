"""Entities in an SQLite file: what was acknowledged is in it, whatever happens to the process."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from gae_pusher.emulator.datastore.refusals import Code, Refusal
from gae_pusher.emulator.datastore.store import Address, Record
from gae_pusher.errors import ConfigurationError

__all__ = ["SqliteJournal", "StoredIds", "StoredRecord"]

# "gaed", so that another program's database is not taken for one of ours.
_APPLICATION_ID: Final = 0x67616564
_VERSION: Final = 1

_TABLES: Final = f"""
begin;
create table if not exists entities (
    project text, base text, namespace text, path blob, key blob, properties blob,
    version integer, created integer, primary key (project, base, namespace, path)) without rowid;
create table if not exists ids (
    project text, base text, used integer, primary key (project, base)) without rowid;
create table if not exists reserved (
    project text, base text, number integer, primary key (project, base, number)) without rowid;
pragma application_id = {_APPLICATION_ID};
pragma user_version = {_VERSION};
commit;
"""


class StoredRecord(NamedTuple):
    """An entity of an earlier run, and where it belongs."""

    project: str
    database: str
    address: Address
    record: Record


class StoredIds(NamedTuple):
    """How many ids a database has given out in earlier runs, and which are reserved."""

    project: str
    database: str
    used: int
    reserved: frozenset[int]


class SqliteJournal:
    """Commits go to the file before they are acknowledged, and from it to the disk.

    One server at a time has the file. Raises ConfigurationError for a file that it cannot use.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._connection = self._open()
        except sqlite3.Error as error:
            busy = error.sqlite_errorname == "SQLITE_BUSY"
            hint = " (is another server using it?)" if busy else ""
            raise ConfigurationError(
                f"cannot keep a Datastore's data in {file}: {error}{hint}"
            ) from error

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._file, timeout=1, isolation_level=None, check_same_thread=False
        )
        (application,) = connection.execute("pragma application_id").fetchone()
        (version,) = connection.execute("pragma user_version").fetchone()
        if (application, version) not in ((0, 0), (_APPLICATION_ID, _VERSION)):
            connection.close()
            raise ConfigurationError(f"{self._file} is not a file of this version's Datastore")
        for pragma in ("locking_mode = exclusive", "journal_mode = wal", "synchronous = full"):
            connection.execute(f"pragma {pragma}")
        connection.executescript(_TABLES)
        return connection

    def records(self) -> Iterator[StoredRecord]:
        """All entities in the file."""
        rows = self._connection.execute(
            "select project, base, namespace, path, key, properties, version, created from entities"
        )
        for project, base, namespace, path, *record in rows:
            yield StoredRecord(project, base, Address(namespace, path), Record(*record))

    def ids(self) -> Iterator[StoredIds]:
        """The ids that were given out and reserved, of each database."""
        rows = self._connection.execute("select project, base, used from ids").fetchall()
        for project, base, used in rows:
            numbers = self._connection.execute(
                "select number from reserved where project = ? and base = ?", (project, base)
            )
            yield StoredIds(project, base, used, frozenset(number for (number,) in numbers))

    def write(
        self,
        project: str,
        database: str,
        after: Mapping[Address, Record | None],
        ids_used: int,
        reserved: Iterable[int] = (),
    ) -> None:
        """Keep what a commit left. Raises Refusal when the file cannot be written."""
        gone = [(project, database, *address) for address, r in after.items() if r is None]
        kept = [(project, database, *a, *r) for a, r in after.items() if r is not None]
        numbers = [(project, database, number) for number in reserved]
        with self._transaction() as execute:
            execute(
                "delete from entities where (project, base, namespace, path) = (?, ?, ?, ?)",
                gone,
            )
            execute("insert or replace into entities values (?, ?, ?, ?, ?, ?, ?, ?)", kept)
            execute("insert or replace into ids values (?, ?, ?)", [(project, database, ids_used)])
            execute("insert or replace into reserved values (?, ?, ?)", numbers)

    def clear(self) -> None:
        """Delete all entities; ids that were given out stay so."""
        with self._transaction() as execute:
            execute("delete from entities", [()])

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[Callable[[str, Iterable[tuple[object, ...]]], object]]:
        try:
            self._connection.execute("begin immediate")
            try:
                yield self._connection.executemany
                self._connection.execute("commit")
            except BaseException:
                self._connection.execute("rollback")
                raise
        except sqlite3.Error as error:
            raise Refusal(Code.INTERNAL, f"cannot write {self._file}: {error}") from error
