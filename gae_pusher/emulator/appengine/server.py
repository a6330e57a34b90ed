"""The local App Engine: one public port, and the app behind it on a port of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from aiohttp import web
from watchfiles import DefaultFilter, awatch

from gae_pusher.emulator.activity import Tell
from gae_pusher.emulator.appengine.cron import Cron
from gae_pusher.emulator.appengine.cron_routes import CRON_PATH
from gae_pusher.emulator.appengine.cron_yaml import CRON
from gae_pusher.emulator.appengine.front import application
from gae_pusher.emulator.appengine.instance import Instance

__all__ = ["AppEngineServer"]


class AppEngineServer:
    """Serves the app of `directory` as App Engine standard would.

    `await listen(host, port)` binds the public port, 0 to a free one; requests wait until
    `await run(services)` has started the app. `await stop()` ends the app and everything it
    started. `app_port` is the app's own, for dispatchers that may set the headers of tasks.
    Raises ConfigurationError for a bad app.yaml or cron.yaml.
    """

    def __init__(
        self, directory: Path, project: str, inherited: Mapping[str, str], tell: Tell
    ) -> None:
        self.directory = directory.resolve()
        self.instance = Instance(self.directory, project, inherited, tell)
        self.cron = Cron(self.instance, tell)
        self.host = ""
        self.port = 0
        self._tell = tell
        self._runner: web.AppRunner | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def app_port(self) -> int:
        """The port of the app itself, on 127.0.0.1; it stays the same when the app restarts."""
        return self.instance.port

    @property
    def url(self) -> str:
        """The public address, as a browser on this machine needs it."""
        host = "localhost" if self.host in ("127.0.0.1", "0.0.0.0", "::", "::1") else self.host  # noqa: S104
        return f"http://{host}:{self.port}"

    @property
    def cron_url(self) -> str:
        """The page that shows the jobs of cron.yaml and runs them."""
        return self.url + CRON_PATH

    async def listen(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Bind the public port. Raises OSError when it is taken."""
        runner = web.AppRunner(
            application(self.instance, self.cron, self._tell), access_log=None, shutdown_timeout=1
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self.host, self.port = host, runner.addresses[0][1]

    async def run(self, services: Mapping[str, str], *, reload: bool = True) -> None:
        """Start the app with variables that lead it to local services, and follow its files."""
        await self.instance.proxy.start()
        if reload:
            self._watching = asyncio.create_task(self._watch())
        await self.instance.run(services)
        self.cron.start()

    async def stop(self) -> None:
        """End the app, release the port."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        await self.cron.stop()
        stopping = [self.instance.stop()]
        if self._runner is not None:
            stopping.append(self._runner.cleanup())
            self._runner = None
        await asyncio.gather(*stopping)

    def kill(self) -> None:
        """End the app at once."""
        self.instance.supervisor.kill()

    async def _watch(self) -> None:
        try:
            async for changes in awatch(
                self.directory, watch_filter=DefaultFilter(), recursive=True, step=50, debounce=400
            ):
                paths = {self._relative(path) for _, path in changes}
                if CRON in paths:
                    self.cron.reload()
                await self.instance.take_changes(paths - {CRON})
        except OSError as error:
            self.instance.note(f"changes are not followed: {error}; restart by hand")

    def _relative(self, path: str) -> str:
        with suppress(ValueError):
            return Path(path).relative_to(self.directory).as_posix()
        return path
