"""Google's Datastore emulator for synchronous tests, and the choice between it and ours."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gae_pusher.emulator.datastore import google
from gae_pusher.emulator.ports import free_port
from gae_pusher.errors import ConfigurationError
from gae_pusher.testing.datastore import running_datastore
from tests.conftest import missing

PROJECT = "demo-sample"


@contextmanager
def running_chosen_datastore(folder: Path) -> Iterator[dict[str, str]]:
    """Ours, or Google's where TEST_DATASTORE is google, for tests that can use one of them."""
    if os.environ.get("TEST_DATASTORE") == "google":
        with running_google_datastore(folder) as environment:
            yield environment
    else:
        with running_datastore(PROJECT) as server:
            yield server.environment()


@contextmanager
def running_google_datastore(folder: Path) -> Iterator[dict[str, str]]:
    """Run it with its data in `folder`; gives the environment that points Cloud NDB to it."""
    try:
        script = google.find()
    except ConfigurationError as error:
        missing(str(error))
    host, port = "127.0.0.1", free_port()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="google-datastore", daemon=True)
    thread.start()
    datastore = google.GoogleDatastore(script, host, port, folder)
    try:
        asyncio.run_coroutine_threadsafe(datastore.start(os.environ), loop).result()
        yield {"DATASTORE_EMULATOR_HOST": f"{host}:{port}", "GOOGLE_CLOUD_PROJECT": PROJECT}
    finally:
        asyncio.run_coroutine_threadsafe(datastore.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
