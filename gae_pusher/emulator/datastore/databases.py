"""All databases of all projects that one server holds."""

from __future__ import annotations

from gae_pusher.emulator.datastore.composite import CompositeIndexes
from gae_pusher.emulator.datastore.database import Database
from gae_pusher.emulator.datastore.journal import SqliteJournal
from gae_pusher.emulator.datastore.refusals import invalid
from gae_pusher.emulator.datastore.settings import Settings

__all__ = ["Databases"]


class Databases:
    """A database comes into being when it is first asked for, or was there in an earlier run.

    `salt` tells this run's transactions from another's. Raises ConfigurationError for a data file
    that cannot be used.
    """

    def __init__(self, settings: Settings, salt: bytes) -> None:
        self._settings = settings
        self._salt = salt
        self._databases: dict[tuple[str, str], Database] = {}
        self._journal = SqliteJournal(settings.data) if settings.data is not None else None
        self.composite = CompositeIndexes(settings.indexes)
        if self._journal is not None:
            self._load(self._journal)

    def get(self, project: str, name: str) -> Database:
        """A project's database; "" is the default one. Raises Refusal."""
        if not project:
            raise invalid("The project id is required.")
        if name == "(default)":
            raise invalid("'(default)' is not allowed; please use '' for the default database.")
        return self._database(project, name)

    def clear(self) -> None:
        """Forget all entities and transactions of all databases."""
        if self._journal is not None:
            self._journal.clear()
        for database in self._databases.values():
            database.clear()

    def close(self) -> None:
        """Release the data file."""
        if self._journal is not None:
            self._journal.close()

    def _database(self, project: str, name: str) -> Database:
        key = (project, name)
        if key not in self._databases:
            delay_micros = int(self._settings.query_delay_seconds * 1_000_000)
            self._databases[key] = Database(
                project, name, self._salt, self._journal, self.composite, delay_micros
            )
        return self._databases[key]

    def _load(self, journal: SqliteJournal) -> None:
        for project, name, address, record in journal.records():
            self._database(project, name).store.load(address, record)
        for project, name, used, reserved in journal.ids():
            ids = self._database(project, name).ids
            ids.used = used
            ids.reserve(reserved)
