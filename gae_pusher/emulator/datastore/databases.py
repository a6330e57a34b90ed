"""All databases of all projects that one server holds."""

from __future__ import annotations

from gae_pusher.emulator.datastore.database import Database, Journal
from gae_pusher.emulator.datastore.refusals import invalid

__all__ = ["Databases"]


class Databases:
    """A database comes into being when it is first asked for.

    `salt` tells this run's transactions from another's.
    """

    def __init__(self, salt: bytes, journal: Journal | None = None) -> None:
        self._salt = salt
        self._journal = journal
        self._databases: dict[tuple[str, str], Database] = {}

    def get(self, project: str, name: str) -> Database:
        """A project's database; "" is the default one. Raises Refusal."""
        if not project:
            raise invalid("The project id is required.")
        if name == "(default)":
            raise invalid("'(default)' is not allowed; please use '' for the default database.")
        key = (project, name)
        if key not in self._databases:
            self._databases[key] = Database(project, name, self._salt, self._journal)
        return self._databases[key]

    def clear(self) -> None:
        """Forget all entities and transactions of all databases."""
        for database in self._databases.values():
            database.clear()
