"""One run of `gae-pusher dev`: starts the stack, prints what happens, stops all of it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TextIO

from gae_pusher.cli.console import paint, render, render_json
from gae_pusher.emulator.activity import Activity
from gae_pusher.emulator.datastore.settings import Settings
from gae_pusher.emulator.loopback import is_loopback
from gae_pusher.emulator.stack import Embedded, Google, Running, Stack, StackPlan

__all__ = ["Session", "addresses"]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Session:
    """Serves until a signal comes; a second one while stopping ends everything at once."""

    def __init__(
        self,
        plan: StackPlan,
        environ: Mapping[str, str],
        *,
        as_json: bool,
        stream: TextIO = sys.stdout,
    ) -> None:
        self._plan = plan
        self._stream = stream
        self._as_json = as_json
        self._colours = wants_colours(environ, stream)
        self._held: list[Activity] | None = []
        self._stack = Stack(plan, environ, self._tell)
        self._stopped = asyncio.Event()

    async def serve(self) -> int:
        """Start, say where everything is, wait for a signal, stop. Raises ConfigurationError."""
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._stop)
        self._say_starting()
        _keep_out_of_git(self._plan)
        waiting = asyncio.create_task(self._stopped.wait())
        starting = asyncio.create_task(self._stack.start())
        try:
            await asyncio.wait({waiting, starting}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                await starting
                self._say_ready()
                await waiting
        finally:
            starting.cancel()
            waiting.cancel()
            await asyncio.wait({starting})
            await self._stack.stop()
        return 0

    def _stop(self) -> None:
        if self._stopped.is_set():
            self._stack.kill()
            os._exit(130)
        self._stopped.set()
        if not self._as_json:
            self._print(paint("\nstopping…", "dim", self._colours))

    def _tell(self, activity: Activity) -> None:
        """Print an activity; before the table of addresses stands, keep it for later."""
        if self._held is not None:
            self._held.append(activity)
        elif self._as_json:
            self._print(render_json(activity))
        else:
            width = shutil.get_terminal_size().columns if self._stream.isatty() else None
            line = render(activity, colours=self._colours, width=width)
            if line is not None:
                self._print(line)

    def _say_starting(self) -> None:
        if not is_loopback(self._plan.host):
            self._warn(
                f"warning: listening on {self._plan.host}, not only for this machine; "
                "this is for development and has no protection"
            )
        if not self._as_json:
            what = "Channels, Cloud Tasks and the app"
            if isinstance(self._plan.datastore, Google):
                what = "Google's Datastore emulator, " + what
            self._print(paint(f"starting {what}…", "dim", self._colours))

    def _say_ready(self) -> None:
        if self._as_json:
            self._print(
                json.dumps({"time": time.time(), "kind": "ready", **addresses(self._stack)})
            )
        else:
            for line in _table(self._stack, self._colours):
                self._print(line)
        held, self._held = self._held or [], None
        for activity in held:
            self._tell(activity)

    def _print(self, line: str) -> None:
        """Print a line. Where nobody reads any more, all of it stops."""
        try:
            print(line, file=self._stream, flush=True)
        except OSError:
            self._stopped.set()

    def _warn(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)  # noqa: T201


def wants_colours(environ: Mapping[str, str], stream: TextIO) -> bool:
    """Whether to paint: on a terminal that can, unless NO_COLOR is set."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def addresses(stack: Stack) -> dict[str, Any]:
    """Where everything is, for programs."""
    app = stack.channels_app
    channels = stack.channels.http_url
    return {
        "app": stack.front.url,
        "inspector": channels,
        "websocket": f"{channels.replace('http', 'ws', 1)}/app/{app.key}",
        "datastore": stack.datastore_address,
        "tasks": stack.tasks.address,
        "cron": stack.front.cron_url if stack.front.cron.agenda.jobs else None,
        "app_id": app.id,
        "key": app.key,
    }


def _table(stack: Stack, colours: bool) -> list[str]:
    where = addresses(stack)
    rows = [
        ("App", where["app"], "open this one"),
        ("Inspector", where["inspector"], "connections, channels and events, live"),
        ("WebSocket", where["websocket"], f"app {where['app_id']}"),
        ("Datastore", where["datastore"] or "none", _about_datastore(stack.plan)),
        ("Tasks", where["tasks"], "Cloud Tasks, dispatched to the app"),
    ]
    if where["cron"]:
        rows.append(("Cron", where["cron"], "the jobs of cron.yaml, to run now, too"))
    size = max(len(address) for _, address, _ in rows)
    lines = [
        f"  {label:<10} {paint(f'{address:<{size}}', _row_colour(label), colours)}  "
        f"{paint(about, 'dim', colours)}"
        for label, address, about in rows
    ]
    webhook = stack.plan.webhook
    ending = f"Webhooks go to {webhook}. " if webhook else "Webhooks are off. "
    return ["", *lines, "", f"  {paint(ending + 'Ctrl-C stops everything.', 'dim', colours)}", ""]


def _row_colour(label: str) -> str | None:
    return {"App": "bold", "Inspector": "cyan"}.get(label)


def _about_datastore(plan: StackPlan) -> str:
    match plan.datastore:
        case Embedded(settings) if settings.data is not None:
            return f"embedded, kept in {_shortened(settings.data)}"
        case Google(_, data):
            return f"Google's emulator, kept in {_shortened(data)}"
        case Running():
            return "was running already"
    return "the app runs without one"


def _shortened(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _keep_out_of_git(plan: StackPlan) -> None:
    """The folder of what is kept between runs ignores itself, as caches of other tools do."""
    match plan.datastore:
        case Embedded(Settings(data=Path() as data)) | Google(_, data):
            data.parent.mkdir(parents=True, exist_ok=True)
            ignore = data.parent / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", "utf-8")
