"""The local stack around one app: Channels, Datastore, Cloud Tasks and App Engine, wired up."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Awaitable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from gae_pusher.emulator.activity import Activity, Tell
from gae_pusher.emulator.appengine.server import AppEngineServer
from gae_pusher.emulator.channels.log import Entry as ChannelsEntry
from gae_pusher.emulator.channels.server import ChannelsServer
from gae_pusher.emulator.channels.settings import DEVELOPMENT_APP, App, WebhookEndpoint
from gae_pusher.emulator.datastore.google import GoogleDatastore
from gae_pusher.emulator.datastore.server import DatastoreServer
from gae_pusher.emulator.datastore.settings import Settings as DatastoreSettings
from gae_pusher.emulator.ports import free_port
from gae_pusher.emulator.tasks.log import Entry as TasksEntry
from gae_pusher.emulator.tasks.queue_yaml import parse_queue_yaml
from gae_pusher.emulator.tasks.server import TasksServer
from gae_pusher.emulator.tasks.settings import Settings as TasksSettings
from gae_pusher.errors import ConfigurationError

__all__ = ["Datastore", "Embedded", "Google", "NoDatastore", "Running", "Stack", "StackPlan"]

LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Embedded:
    """Start the Datastore of this package."""

    settings: DatastoreSettings


@dataclass(frozen=True, slots=True)
class Google:
    """Start Google's emulator from `script`, with its data in the folder `data`."""

    script: Path
    data: Path


@dataclass(frozen=True, slots=True)
class Running:
    """Use what already runs at `address`, HOST:PORT."""

    address: str


@dataclass(frozen=True, slots=True)
class NoDatastore:
    """Run without one."""


Datastore: TypeAlias = Embedded | Google | Running | NoDatastore


@dataclass(frozen=True, slots=True)
class StackPlan:
    """What to run and where. Port 0 is a free one; `webhook` is a path of the app, or None."""

    directory: Path
    host: str
    port: int
    channels_port: int
    datastore: Datastore
    webhook: str | None
    project: str
    reload: bool


class Stack:
    """One run of all of it. `tell` hears of everything that happens, on the event loop."""

    def __init__(self, plan: StackPlan, inherited: Mapping[str, str], tell: Tell) -> None:
        self.plan = plan
        self._inherited = inherited
        self._tell = tell
        self.front = AppEngineServer(plan.directory, plan.project, inherited, self._front)
        self.tasks = TasksServer(
            f"http://{LOOPBACK}:{self.front.app_port}", _tasks_settings(plan.directory)
        )
        self.tasks.log.watch(self._task)
        self.datastore_address: str | None = None
        self._channels: ChannelsServer | None = None
        self._datastore: GoogleDatastore | None = None
        self._embedded: DatastoreServer | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def channels(self) -> ChannelsServer:
        """The Channels server; there is one after `start`."""
        assert self._channels is not None
        return self._channels

    @property
    def channels_app(self) -> App:
        """The Channels app that the app is configured for."""
        return self.channels.apps[0]

    async def start(self) -> None:
        """Start everything, side by side where it can be, and the app last.

        Raises ConfigurationError that names the port that is taken, or what did not start.
        Whatever has been started by then must still be stopped.
        """
        plan = self.plan
        await _bound(self.front.listen(plan.host, plan.port), plan.host, plan.port, "--port")
        self._channels = ChannelsServer([self._development_app()])
        self._channels.log.watch(self._channels_entry)
        listening = self._channels.start(plan.host, plan.channels_port)
        await _together(
            _bound(listening, plan.host, plan.channels_port, "--channels-port"),
            self.tasks.start(LOOPBACK),
            self._start_datastore(),
        )
        await self.front.run(self.services(), reload=plan.reload)

    async def stop(self) -> None:
        """Stop everything; the app first, since it uses the rest."""
        await self.front.stop()
        if self._watching is not None:
            self._watching.cancel()
        stopping: list[Awaitable[None]] = [self.tasks.stop()]
        if self._channels is not None:
            stopping.append(self._channels.stop())
        if self._datastore is not None:
            stopping.append(self._datastore.stop())
        if self._embedded is not None:
            stopping.append(asyncio.to_thread(self._embedded.stop))
        await asyncio.gather(*stopping)

    def kill(self) -> None:
        """End every process at once, for when stopping takes too long."""
        self.front.kill()
        if self._datastore is not None:
            self._datastore.kill()

    def services(self) -> dict[str, str]:
        """The variables that lead the app to the local services, whatever app.yaml says."""
        app, channels = self.channels_app, self.channels
        host, secret = _reachable(channels.host), app.credentials[0].secret
        return {
            "PUSHER_URL": f"http://{app.key}:{secret}@{host}:{channels.port}/apps/{app.id}",
            "PUSHER_APP_ID": app.id,
            "PUSHER_KEY": app.key,
            "PUSHER_SECRET": secret,
            "PUSHER_CLUSTER": "",
            "PUSHER_HOST": host,
            "PUSHER_PORT": str(channels.port),
            "PUSHER_SCHEME": "http",
            "CLOUD_TASKS_EMULATOR_HOST": self.tasks.address,
            **_datastore_variables(self.datastore_address, self.plan.project),
        }

    def _development_app(self) -> App:
        app, webhook = DEVELOPMENT_APP, self.plan.webhook
        if webhook is None:
            return app
        url = f"http://{_reachable(self.plan.host)}:{self.front.port}{webhook}"
        return App(app.id, app.credentials, (WebhookEndpoint(url),))

    async def _start_datastore(self) -> None:
        match self.plan.datastore:
            case Running(address):
                self.datastore_address = address
            case Embedded(settings):
                self._embedded = DatastoreServer(self.plan.project, LOOPBACK, settings=settings)
                await asyncio.to_thread(self._embedded.start)
                self.datastore_address = self._embedded.address
            case Google(script, data):
                port = free_port()
                self._datastore = GoogleDatastore(script, LOOPBACK, port, data)
                await self._datastore.start(self._inherited)
                self.datastore_address = f"{LOOPBACK}:{port}"
                self._watching = asyncio.create_task(self._watch(self._datastore))

    async def _watch(self, datastore: GoogleDatastore) -> None:
        code = await datastore.ended()
        self._say("problem", f"Google's Datastore emulator has ended with exit code {code}")

    def _channels_entry(self, entry: ChannelsEntry) -> None:
        """Frames are the inspector's; calls of the HTTP API are not the app's requests."""
        if entry.kind != "frame":
            kind = "api" if entry.kind == "request" else entry.kind
            self._tell(Activity(kind, entry.time, entry.facts))

    def _task(self, entry: TasksEntry) -> None:
        """The inspector shows attempts beside the events that they trigger."""
        if entry.kind == "attempt":
            app = self.channels_app.id
            self.channels.log.add("task", app, entry.time, queue=entry.queue, **entry.facts)

    def _front(self, activity: Activity) -> None:
        """The inspector shows runs of cron, too, and tells of them in its turn."""
        if activity.kind == "cron":
            self.channels.log.add("cron", self.channels_app.id, activity.time, **activity.facts)
        else:
            self._tell(activity)

    def _say(self, kind: str, text: str) -> None:
        self._tell(Activity(kind, time.time(), {"text": text}))


def _tasks_settings(directory: Path) -> TasksSettings | None:
    """The queues of the app's queue.yaml; without one there is App Engine's default queue."""
    file = directory / "queue.yaml"
    if not file.is_file():
        return None
    return TasksSettings(queues=parse_queue_yaml(file.read_text("utf-8")))


def _reachable(host: str) -> str:
    """The host of a URL for what listens on `host`: every address includes the loopback one."""
    host = {"0.0.0.0": LOOPBACK, "": LOOPBACK, "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{host}]" if ":" in host else host


async def _together(*starts: Coroutine[Any, Any, None]) -> None:
    """Run them side by side; the first error ends the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for start in starts:
                group.create_task(start)
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _bound(listening: Awaitable[None], host: str, port: int, option: str) -> None:
    try:
        await listening
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"port {port} of {host} is taken: stop what listens there, "
                f"or choose another with {option}"
            ) from None
        raise ConfigurationError(f"cannot listen on {host} port {port}: {error}") from None


def _datastore_variables(address: str | None, project: str) -> dict[str, str]:
    if address is None:
        return {}
    return {
        "DATASTORE_EMULATOR_HOST": address,
        "DATASTORE_PROJECT_ID": project,
        "DATASTORE_DATASET": project,
    }
