"""Google's Datastore emulator, where the Google Cloud SDK is installed: found, run, stopped."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from gae_pusher.emulator.ports import opened
from gae_pusher.emulator.process import Process
from gae_pusher.errors import ConfigurationError

__all__ = ["GoogleDatastore", "find", "start_command"]

_SCRIPT: Final = Path("platform", "cloud-datastore-emulator", "cloud_datastore_emulator")
_INSTALL: Final = (
    "`gcloud components install cloud-datastore-emulator` (or apt's "
    "google-cloud-cli-datastore-emulator)"
)
READY_SECONDS: Final = 60
STOP_SECONDS: Final = 8


def find(which: Callable[[str], str | None] = shutil.which) -> Path:
    """The emulator's script in the SDK. Raises ConfigurationError that says what to install."""
    gcloud = which("gcloud")
    if gcloud is None:
        raise ConfigurationError(f"no gcloud here: install the Google Cloud SDK, then {_INSTALL}")
    script = Path(gcloud).resolve().parent.parent / _SCRIPT
    if not script.is_file():
        raise ConfigurationError(f"the Google Cloud SDK has no Datastore emulator: {_INSTALL}")
    if which("java") is None:
        raise ConfigurationError("Google's Datastore emulator needs java: install a Java runtime")
    return script


def start_command(script: Path, host: str, port: int, data: Path) -> list[str]:
    """The command that serves the data of a folder as Firestore in Datastore mode does."""
    return [
        str(script),
        "start",
        f"--host={host}",
        f"--port={port}",
        "--store_on_disk=True",
        "--firestore_in_datastore_mode",
        str(data),
    ]


class GoogleDatastore:
    """One run of the emulator on `host:port`; what it stores is kept in the folder `data`."""

    def __init__(self, script: Path, host: str, port: int, data: Path) -> None:
        self._command = start_command(script, host, port, data)
        self._host = host
        self._port = port
        self._data = data
        self._process: Process | None = None

    async def start(self, environ: Mapping[str, str]) -> None:
        """Start it and wait until it listens. Raises ConfigurationError with its last words."""
        (self._data / "WEB-INF").mkdir(parents=True, exist_ok=True)
        self._process = await Process.start(self._command, self._data, environ)
        ended = asyncio.create_task(self._process.wait())
        listens = asyncio.create_task(opened(self._host, self._port))
        try:
            done, _ = await asyncio.wait(
                {ended, listens}, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            ended.cancel()
            listens.cancel()
        if listens not in done:
            words = next((line for line in reversed(self._process.tail) if line), "it said nothing")
            raise ConfigurationError(f"Google's Datastore emulator did not start: {words}")

    async def ended(self) -> int:
        """Wait until it ends; the exit code."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """Stop it; it writes what it stored to its folder first."""
        if self._process is not None:
            await self._process.stop(STOP_SECONDS)
            self._process = None

    def kill(self) -> None:
        """End it at once; what it has not written yet is lost."""
        if self._process is not None:
            self._process.kill()
