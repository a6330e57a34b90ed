"""A server with a data file in a process of its own, to be killed: tells its port, then serves."""

from __future__ import annotations

import sys
from pathlib import Path

from gae_pusher.emulator.datastore.server import DatastoreServer
from gae_pusher.emulator.datastore.settings import Settings

if __name__ == "__main__":
    with DatastoreServer(settings=Settings(data=Path(sys.argv[1]))) as server:
        print(server.port, flush=True)
        sys.stdin.read()
