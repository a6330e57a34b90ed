"""A real local Datastore for tests, on threads of its own.

with running_datastore() as datastore:
    os.environ.update(datastore.environment())
    with ndb.Client().context():
        ...
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gae_pusher.emulator.datastore.server import DatastoreServer

__all__ = ["DatastoreServer", "running_datastore"]


@contextmanager
def running_datastore(
    project: str = "demo", *, host: str = "127.0.0.1", port: int = 0
) -> Iterator[DatastoreServer]:
    """Run a local Datastore in memory for the duration of a `with` block.

    Port 0 takes a free one. `datastore.environment()` has the variables that clients read when
    they are made, `datastore.clear()` forgets all entities. Raises OSError when the port is taken.
    """
    with DatastoreServer(project, host, port) as server:
        yield server
