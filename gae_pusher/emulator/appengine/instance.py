"""The app of one folder: its app.yaml, its process, and what is told about them."""

from __future__ import annotations

import secrets
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from gae_pusher.emulator.activity import Activity, Tell
from gae_pusher.emulator.appengine.entrypoint import first_word, local_command
from gae_pusher.emulator.appengine.environment import Identity, environment
from gae_pusher.emulator.appengine.manifest import MANIFEST, Manifest, parse
from gae_pusher.emulator.appengine.proxy import Proxy
from gae_pusher.emulator.appengine.supervisor import Crashed, State, Supervisor
from gae_pusher.emulator.appengine.watch import restarting
from gae_pusher.emulator.ports import free_port
from gae_pusher.emulator.process import Process
from gae_pusher.errors import ConfigurationError

__all__ = ["Instance", "read_manifest"]

_SHOWN_CHANGES: Final = 3


def read_manifest(directory: Path) -> Manifest:
    """The Manifest of a folder. Raises ConfigurationError."""
    try:
        text = (directory / MANIFEST).read_text("utf-8")
    except FileNotFoundError:
        raise ConfigurationError(
            f"there is no {MANIFEST} in {directory}: name the folder of your app, or write one "
            "with the line `runtime: python313`"
        ) from None

    def include(name: str) -> str | None:
        path = directory / name
        return path.read_text("utf-8") if path.is_file() else None

    return parse(text, include)


class Instance:
    """Runs an app as its app.yaml says, on a port of this machine that it keeps.

    `inherited` is the environment to start from. Raises ConfigurationError for a bad app.yaml.
    """

    def __init__(
        self, directory: Path, project: str, inherited: Mapping[str, str], tell: Tell
    ) -> None:
        self.directory = directory
        self.manifest = read_manifest(directory)
        self.port = free_port()
        self._project = project
        self._inherited = inherited
        self._tell = tell
        self._services: Mapping[str, str] = {}
        self.supervisor = Supervisor(
            self._start, self._warm_up, self.port, self._changed, self._late
        )
        self.proxy = Proxy(self.supervisor, self.port)

    @property
    def command(self) -> str:
        """What is run, in a shell."""
        return local_command(self.manifest.entrypoint)

    async def run(self, services: Mapping[str, str]) -> None:
        """Start the app; `services` are the variables that lead it to the local services."""
        self._services = services
        for note in self.manifest.notes:
            self.note(note)
        await self.supervisor.restart()

    async def stop(self) -> None:
        """End the app."""
        await self.supervisor.stop()
        await self.proxy.stop()

    async def take_changes(self, paths: Iterable[str]) -> None:
        """React to changed files: a new app.yaml, a new process, or nothing."""
        changed = restarting(self.manifest, paths)
        if not changed:
            return
        more = len(changed) - _SHOWN_CHANGES
        shown = ", ".join(changed[:_SHOWN_CHANGES]) + (f" and {more} more" if more > 0 else "")
        self.note(f"{shown} changed: restarting the app")
        try:
            self.manifest = read_manifest(self.directory)
        except ConfigurationError as error:
            self._say("problem", text=f"{error}; the former app.yaml stays in force")
        await self.supervisor.restart()

    def note(self, text: str) -> None:
        """Tell the console something that is worth a line."""
        self._say("note", text=text)

    async def _start(self) -> Process:
        now = time.time()
        identity = Identity(
            self._project,
            time.strftime("%Y%m%dt%H%M%S", time.gmtime(now)),
            str(int(now * 1_000_000_000)),
            secrets.token_hex(32),
        )
        bin_directory = Path(sys.executable).parent
        environ = environment(
            self._inherited, self.manifest, self._services, identity, self.port, bin_directory
        )
        _check_program(self.command, environ["PATH"])
        shell = ["/bin/sh", "-c", self.command]
        return await Process.start(shell, self.directory, environ, self._print)

    async def _warm_up(self) -> None:
        if self.manifest.warmup:
            status = await self.proxy.warm_up()
            if status == 404:
                self.note("app.yaml asks for warmup, the app has no route /_ah/warmup (404)")

    def _changed(self, state: State, crash: Crashed | None) -> None:
        if crash is not None:
            self._say("problem", text=f"{crash}; it starts again when a file changes")
        elif state is State.SERVING:
            self.note("the app listens")

    def _late(self) -> None:
        self.note(f"the app does not listen on $PORT ({self.port}) yet: requests wait")

    def _print(self, line: str) -> None:
        self._say("output", source="app", text=line)

    def _say(self, kind: str, **facts: str) -> None:
        self._tell(Activity(kind, time.time(), facts))


def _check_program(command: str, path: str) -> None:
    program = first_word(command)
    if program is not None and "/" not in program and shutil.which(program, path=path) is None:
        raise FileNotFoundError(
            f"{program} is not installed: pip install {program}, or pip install -r requirements.txt"
        )
