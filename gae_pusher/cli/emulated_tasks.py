"""The Cloud Tasks part of `gae-pusher emulators`: its options, its plan, its server."""

from __future__ import annotations

import argparse
import errno
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gae_pusher.cli import values
from gae_pusher.errors import ConfigurationError

if TYPE_CHECKING:
    from gae_pusher.emulator.tasks.server import TasksServer

__all__ = ["TasksEmulator", "TasksPlan", "add_tasks_options", "plan_tasks"]

DEFAULT_PORT: Final = 8123
DEFAULT_TARGET: Final = "http://127.0.0.1:8080"


@dataclass(frozen=True, slots=True)
class TasksPlan:
    """Where to listen, where App Engine tasks go, and the text of a queue.yaml if one is given."""

    host: str
    port: int
    target: str
    queue_yaml: str | None


def add_tasks_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--tasks-port",
        type=values.port,
        default=DEFAULT_PORT,
        metavar="PORT",
        help="port of Cloud Tasks, 0 for a free one (%(default)s)",
    )
    parser.add_argument(
        "--target",
        default=DEFAULT_TARGET,
        metavar="URL",
        help="the app that App Engine tasks are sent to (%(default)s)",
    )
    parser.add_argument(
        "--queue-yaml",
        type=Path,
        metavar="FILE",
        help="declare the queues of this queue.yaml; without it there is the queue default",
    )


def plan_tasks(arguments: argparse.Namespace) -> TasksPlan:
    """Decide from the options. Raises OSError for a file that cannot be read."""
    file = arguments.queue_yaml
    text = None if file is None else file.read_text("utf-8")
    return TasksPlan(arguments.host, arguments.tasks_port, arguments.target, text)


class TasksEmulator:
    """A local Cloud Tasks to start and stop. Raises ConfigurationError for an impossible plan."""

    def __init__(self, plan: TasksPlan) -> None:
        self._plan = plan
        self._server = _new_server(plan)

    async def start(self) -> None:
        """Listen. Raises ConfigurationError for a port that is taken."""
        plan = self._plan
        try:
            await self._server.start(plan.host, plan.port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise ConfigurationError(
                f"port {plan.port} of {plan.host} is taken: stop what listens there, "
                "or choose another with --tasks-port"
            ) from None

    async def stop(self) -> None:
        """Stop listening and forget all tasks."""
        await self._server.stop()

    @property
    def ready_line(self) -> str:
        """What to set, and where tasks go."""
        address = self._server.address
        return f"Cloud Tasks is at CLOUD_TASKS_EMULATOR_HOST={address} for {self._server.target}"

    @property
    def facts(self) -> Mapping[str, Any]:
        """The same for programs."""
        return {"tasks": {"address": self._server.address, "target": self._server.target}}

    @property
    def environment(self) -> Mapping[str, str]:
        """The same for clients."""
        return {"CLOUD_TASKS_EMULATOR_HOST": self._server.address}


def _new_server(plan: TasksPlan) -> TasksServer:
    try:
        from gae_pusher.emulator.tasks.queue_yaml import parse_queue_yaml
        from gae_pusher.emulator.tasks.server import TasksServer
        from gae_pusher.emulator.tasks.settings import Settings
    except ImportError as error:
        raise ConfigurationError(
            f"the emulators need {error.name or 'google-cloud-tasks'}: "
            "pip install 'gae-pusher[emulators]'"
        ) from None
    if plan.queue_yaml is None:
        return TasksServer(plan.target)
    return TasksServer(plan.target, Settings(queues=parse_queue_yaml(plan.queue_yaml)))
