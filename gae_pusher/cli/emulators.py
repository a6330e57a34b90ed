"""`gae-pusher emulators`: the local stack without an app, for tests and other languages."""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import os
import signal
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from gae_pusher.cli import values
from gae_pusher.cli.emulated_datastore import (
    DatastoreEmulator,
    add_datastore_options,
    plan_datastore,
)
from gae_pusher.cli.emulated_tasks import TasksEmulator, add_tasks_options, plan_tasks
from gae_pusher.emulator.channels import options
from gae_pusher.emulator.channels.settings import DEVELOPMENT_APP, App, Settings
from gae_pusher.emulator.loopback import is_loopback
from gae_pusher.errors import ConfigurationError

if TYPE_CHECKING:
    from gae_pusher.emulator.channels.server import ChannelsServer

__all__ = ["Plan", "plan", "register", "run"]

T = TypeVar("T")

DEFAULT_PORT: Final = 6001
EMULATORS: Final = ("channels", "datastore", "tasks")

_EPILOG: Final = """\
examples:
  gae-pusher emulators
      an app for development: PUSHER_URL=http://local-key:local-secret@127.0.0.1:6001/apps/4242
  gae-pusher emulators --webhook http://localhost:8080/webhooks
      also send webhooks to your app
  gae-pusher emulators --channels-port 0 --datastore-port 0 --tasks-port 0 --json
      free ports, told in one line of JSON, for scripts
  gae-pusher emulators --only datastore --datastore-port 8081 --project my-project
      a Datastore alone: DATASTORE_EMULATOR_HOST=127.0.0.1:8081
  gae-pusher emulators --only tasks --queue-yaml queue.yaml --target http://localhost:8080
      Cloud Tasks alone, with your queues: CLOUD_TASKS_EMULATOR_HOST=127.0.0.1:8123
  PUSHER_URL=http://my-key:my-secret@localhost:6002/apps/7 gae-pusher emulators
      the app and the port that your own app is configured for
  gae-pusher emulators --disable client-events --set presence-members=5 --strict
      behave like a hosted app that is set up so

Without --app and --apps-file, a PUSHER_URL of this machine in the environment is the app; without
that it is the one of the first example. Open the address in a browser for the inspector. Secrets
in a command line can be read by other users: use PUSHER_URL or --apps-file where that matters.

names for --disable:{switches}
names for --set:{settings}
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What Channels serves and where. `shows_secret` only for the built-in development app."""

    apps: tuple[App, ...]
    settings: Settings
    host: str
    port: int
    shows_secret: bool


class Emulator(Protocol):
    """What the command starts, tells about and stops."""

    async def start(self) -> None:
        """Listen. Raises ConfigurationError for a port that is taken."""

    async def stop(self) -> None:
        """Stop listening."""

    @property
    def ready_line(self) -> str:
        """How to connect, for people."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """How to connect, for programs."""

    @property
    def environment(self) -> Mapping[str, str]:
        """How to connect, for clients that read variables."""


class ChannelsEmulator:
    """A Channels server to start and stop."""

    def __init__(self, planned: Plan) -> None:
        self._plan = planned
        self._server = _new_server(planned)

    async def start(self) -> None:
        try:
            await self._server.start(self._plan.host, self._plan.port)
        except OSError as error:
            raise _not_bound(self._plan, error) from None

    async def stop(self) -> None:
        await self._server.stop()

    @property
    def ready_line(self) -> str:
        return _ready_line(self._server, self._plan)

    @property
    def facts(self) -> Mapping[str, Any]:
        return _facts(self._server, self._plan)

    @property
    def environment(self) -> Mapping[str, str]:
        return {"PUSHER_URL": self._server.pusher_url(self._plan.apps[0])}


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "emulators",
        help="run the local Channels server, Datastore and Cloud Tasks",
        description="Run local servers that stand in for hosted services during development.",
        epilog=_wrapped_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    _add_address_options(parser)
    add_datastore_options(parser)
    add_tasks_options(parser)
    _add_app_options(parser)
    _add_behaviour_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; returns 0."""
    if not is_loopback(arguments.host):
        _say(
            f"warning: listening on {arguments.host}, not only for this machine; "
            "the emulators are for development and have no protection",
            sys.stderr,
        )
    emulators: list[Emulator] = []
    if "channels" in (arguments.only or EMULATORS):
        emulators.append(ChannelsEmulator(plan(arguments, os.environ)))
    if "datastore" in (arguments.only or EMULATORS):
        emulators.append(DatastoreEmulator(plan_datastore(arguments)))
    if "tasks" in (arguments.only or EMULATORS):
        emulators.append(TasksEmulator(plan_tasks(arguments)))
    asyncio.run(_serve(emulators, as_json=arguments.json, env_file=arguments.env_file))
    return 0


def plan(arguments: argparse.Namespace, environ: Any) -> Plan:
    """What Channels is to do, from options and environment. Raises ConfigurationError, OSError."""
    apps = [*arguments.app, *_apps_of_files(arguments.apps_file)]
    from_env = None if apps else options.app_from_env(environ)
    port = arguments.channels_port
    if from_env is not None:
        apps = [from_env[0]]
        port = from_env[1] if port is None else port
    settings = Settings(strict=arguments.strict)
    values = dict(arguments.set)
    united = []
    for app in options.unite(apps or [DEVELOPMENT_APP]):
        features = replace(app.features, authorized_connections=arguments.authorized_connections)
        app = replace(app, webhooks=tuple(arguments.webhook), features=features)
        app, changed = options.with_settings(app, settings, values)
        united.append(options.with_switches(app, arguments.disable))
    return Plan(
        tuple(united),
        changed,
        arguments.host,
        DEFAULT_PORT if port is None else port,
        shows_secret=not apps,
    )


async def _serve(emulators: Sequence[Emulator], *, as_json: bool, env_file: Path | None) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        for emulator in emulators:
            await emulator.start()
            stack.push_async_callback(emulator.stop)
        if env_file is not None:
            _write_private(env_file, [e.environment for e in emulators])
        if as_json:
            _say(json.dumps({k: v for emulator in emulators for k, v in emulator.facts.items()}))
        else:
            _say("\n".join(emulator.ready_line for emulator in emulators))
        await stopped.wait()


def _write_private(file: Path, environments: Iterable[Mapping[str, str]]) -> None:
    """Variables as shells and dotenv read them; nobody else may read the app's secret."""
    lines = [f"{name}={value}\n" for variables in environments for name, value in variables.items()]
    file.touch(0o600)
    file.chmod(0o600)
    file.write_text("".join(lines), "utf-8")


def _new_server(planned: Plan) -> ChannelsServer:
    try:
        from gae_pusher.emulator.channels.server import ChannelsServer
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the emulators need {error.name}: pip install 'gae-pusher[emulators]'"
        ) from None
    return ChannelsServer(planned.apps, planned.settings)


def _not_bound(planned: Plan, error: OSError) -> Exception:
    if error.errno == errno.EADDRINUSE:
        return ConfigurationError(
            f"port {planned.port} of {planned.host} is taken: stop what listens there, "
            "or choose another with --channels-port"
        )
    return error


def _ready_line(server: ChannelsServer, planned: Plan) -> str:
    urls = " ".join(f"PUSHER_URL={_shown_url(server, planned, app)}" for app in planned.apps)
    return f"Channels and its inspector are at {server.http_url} {urls}"


def _facts(server: ChannelsServer, planned: Plan) -> dict[str, Any]:
    apps = []
    for app in planned.apps:
        shown: dict[str, str] = {"id": app.id, "key": app.key}
        if planned.shows_secret:
            shown["pusher_url"] = server.pusher_url(app)
        apps.append(shown)
    return {"url": server.http_url, "host": server.host, "port": server.port, "apps": apps}


def _shown_url(server: ChannelsServer, planned: Plan, app: App) -> str:
    if planned.shows_secret:
        return server.pusher_url(app)
    return f"{server.http_url.replace('://', f'://{app.key}:<secret>@')}/apps/{app.id}"


def _apps_of_files(paths: Iterable[Path]) -> list[App]:
    return [app for path in paths for app in options.parse_apps_file(path.read_text("utf-8"))]


def _add_address_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only",
        action="append",
        choices=EMULATORS,
        help="start only this emulator (repeatable)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--channels-port",
        type=values.port,
        metavar="PORT",
        help=f"port of the Channels server, 0 for a free one ({DEFAULT_PORT})",
    )
    parser.add_argument("--json", action="store_true", help="say in one line of JSON what is ready")
    parser.add_argument(
        "--env-file", type=Path, metavar="FILE", help="write the variables for clients to this file"
    )


def _add_app_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--app",
        action="append",
        default=[],
        type=_type(options.parse_app),
        metavar="ID:KEY:SECRET",
        help="an app to serve (repeatable; the same ID again adds a key pair)",
    )
    add(
        "--apps-file",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="read apps from a file, one ID:KEY:SECRET a line",
    )
    add(
        "--webhook",
        action="append",
        default=[],
        type=_type(options.parse_endpoint),
        metavar="URL",
        help="send webhooks to this URL (repeatable)",
    )


def _add_behaviour_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--disable",
        action="append",
        default=[],
        choices=options.SWITCHES,
        metavar="NAME",
        help="switch a feature or a type of webhook off (repeatable)",
    )
    add(
        "--authorized-connections",
        action="store_true",
        help="close connections that neither sign in nor join a private or presence channel",
    )
    add(
        "--set",
        action="append",
        default=[],
        type=_type(options.parse_setting),
        metavar="NAME=VALUE",
        help="change a limit or a duration (repeatable)",
    )
    add(
        "--strict",
        action="store_true",
        help="refuse what the service's documentation does not promise",
    )


def _type(parse: Callable[[str], T]) -> Callable[[str], T]:
    """A parser for argparse: its error is a usage error."""

    def convert(text: str) -> T:
        try:
            return parse(text)
        except ConfigurationError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def _wrapped_epilog() -> str:
    def wrap(names: Iterable[str]) -> str:
        text = textwrap.fill(", ".join(names), 92, break_on_hyphens=False)
        return "\n" + textwrap.indent(text, "  ")

    return _EPILOG.format(switches=wrap(options.SWITCHES), settings=wrap(options.SETTING_NAMES))


def _say(line: str, stream: Any = None) -> None:
    print(line, file=stream or sys.stdout, flush=True)
