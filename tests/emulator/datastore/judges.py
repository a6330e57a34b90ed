"""Google's two emulators, which the local server is compared with."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import missing, require

__all__ = ["DATASTORE", "FIRESTORE", "running_judge"]

DATASTORE = (
    *("beta", "emulators", "datastore", "start"),
    *("--consistency=1.0", "--no-store-on-disk", "--project=demo"),
)
FIRESTORE = ("emulators", "firestore", "start", "--database-mode=datastore-mode")
READY_SECONDS = 90


@contextmanager
def running_judge(command: tuple[str, ...]) -> Iterator[str]:
    """Run an emulator of the Google Cloud SDK; gives HOST:PORT."""
    gcloud = require("gcloud", "install the Google Cloud SDK with its emulators")
    require("java", "Google's emulators are Java programs: install a JRE")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    process = subprocess.Popen(
        [gcloud, *command, f"--host-port={address}", "--quiet"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_until_ready(process, address)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], address: str) -> None:
    host, port = address.split(":")
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            missing(f"gcloud could not start an emulator (exit code {process.returncode})")
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            # A process elsewhere gives no event to wait for; it is asked until it listens.
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"no emulator at {address} within {READY_SECONDS} s")
