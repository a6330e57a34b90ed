"""The Datastore part of `gae-pusher emulators`: its options, its plan, its server."""

from __future__ import annotations

import argparse
import asyncio
import errno
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gae_pusher.cli import values
from gae_pusher.errors import ConfigurationError

if TYPE_CHECKING:
    from gae_pusher.emulator.datastore.server import DatastoreServer

__all__ = ["DatastoreEmulator", "DatastorePlan", "add_datastore_options", "plan_datastore"]

DEFAULT_PORT: Final = 8081
DEFAULT_PROJECT: Final = "demo-local"


@dataclass(frozen=True, slots=True)
class DatastorePlan:
    """Where to listen, which project to name, and what is set; `index_yaml` is a file's text."""

    host: str
    port: int
    project: str
    data: Path | None
    index_yaml: str | None
    suggestions: Path | None
    query_delay_seconds: float


def add_datastore_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add = parser.add_argument
    add(
        "--datastore-port",
        type=values.port,
        default=DEFAULT_PORT,
        metavar="PORT",
        help="port of the Datastore, 0 for a free one (%(default)s)",
    )
    add(
        "--project",
        default=DEFAULT_PROJECT,
        metavar="ID",
        help="the project that the environment for clients names (%(default)s)",
    )
    add("--data", type=Path, metavar="FILE", help="keep the Datastore's entities in this file")
    add(
        "--require-indexes",
        type=Path,
        metavar="INDEX_YAML",
        help="refuse queries that need a composite index which this file lacks",
    )
    add(
        "--suggest-indexes",
        type=Path,
        metavar="FILE",
        help="at the end, write the index.yaml that the queries need",
    )
    add(
        "--query-delay",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="let queries without an ancestor see what was stored so long ago (%(default)g)",
    )


def plan_datastore(arguments: argparse.Namespace) -> DatastorePlan:
    """Decide from the options. Raises OSError for a file that cannot be read."""
    if not 0 <= arguments.query_delay <= 3_600:
        raise ConfigurationError(
            f"--query-delay is {arguments.query_delay:g}, it must be from 0 to 3600 seconds"
        )
    declared = arguments.require_indexes
    return DatastorePlan(
        arguments.host,
        arguments.datastore_port,
        arguments.project,
        arguments.data,
        None if declared is None else declared.read_text("utf-8"),
        arguments.suggest_indexes,
        arguments.query_delay,
    )


class DatastoreEmulator:
    """A local Datastore to start and stop. Raises ConfigurationError for an impossible plan."""

    def __init__(self, plan: DatastorePlan) -> None:
        self._plan = plan
        self._server = _new_server(plan)

    async def start(self) -> None:
        """Listen. Raises ConfigurationError for a port that is taken."""
        plan = self._plan
        try:
            await asyncio.to_thread(self._server.start)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise ConfigurationError(
                f"port {plan.port} of {plan.host} is taken: stop what listens there, "
                "or choose another with --datastore-port"
            ) from None

    async def stop(self) -> None:
        """Stop listening; what is not in a file is forgotten."""
        await asyncio.to_thread(self._server.stop)

    @property
    def ready_line(self) -> str:
        """What to set."""
        variables = " ".join(f"{name}={value}" for name, value in self.environment.items())
        kept = "in memory" if self._plan.data is None else f"in {self._plan.data}"
        return f"Datastore, {kept}, is at {variables}"

    @property
    def facts(self) -> Mapping[str, Any]:
        """The same for programs."""
        return {"datastore": {"address": self._server.address, "environment": self.environment}}

    @property
    def environment(self) -> dict[str, str]:
        """The same for clients."""
        return self._server.environment()


def _new_server(plan: DatastorePlan) -> DatastoreServer:
    try:
        from gae_pusher.emulator.datastore.composite import parse_index_yaml
        from gae_pusher.emulator.datastore.server import DatastoreServer
        from gae_pusher.emulator.datastore.settings import Settings
    except ImportError as error:
        raise ConfigurationError(
            f"the emulators need {error.name or 'google-cloud-datastore'}: "
            "pip install 'gae-pusher[emulators]'"
        ) from None
    indexes = None if plan.index_yaml is None else tuple(parse_index_yaml(plan.index_yaml))
    settings = Settings(plan.data, indexes, plan.suggestions, plan.query_delay_seconds)
    return DatastoreServer(plan.project, plan.host, plan.port, settings)
