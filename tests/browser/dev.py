"""`gae-pusher dev` as a child process, told to stop and start again on the same ports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

ROOT = Path(__file__).parents[2]
READY_SECONDS = 60.0
STOP_SECONDS = 20.0


class Dev:
    """The sample app with its local stack. `lines` has what the command printed so far."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._ports = {"--port": 0, "--channels-port": 0}
        self._process: subprocess.Popen[str] | None = None
        self._changed = threading.Condition()
        self.url = self._channels_url = ""
        self.lines: list[dict[str, Any]] = []

    def start(self) -> None:
        """Start it, the first time on free ports, later on the same."""
        ports = [text for option, port in self._ports.items() for text in (option, str(port))]
        options = ["--json", "--no-reload", "--data", str(self._data), *ports]
        self.lines.clear()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gae_pusher", "dev", str(ROOT), *options],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        ready = self.wait_for(READY_SECONDS, kind="ready")
        self.url, self._channels_url = ready["app"], ready["inspector"].rstrip("/")
        self._ports = {
            "--port": urlsplit(self.url).port or 0,
            "--channels-port": urlsplit(ready["websocket"]).port or 0,
        }

    def stop(self) -> None:
        """Stop it as Ctrl-C does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(STOP_SECONDS)
            self._reader.join()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def fail_triggers(self, count: int) -> None:
        """Let the next `count` calls of the Channels API answer 500; 0 ends it."""
        self._control("faults", {"count": count, "status": 500})

    def trigger(self, channel: str, event: str, data: Any) -> None:
        """Trigger an event, in the place of a task whose time has come."""
        self._control("trigger", {"channel": channel, "name": event, "data": json.dumps(data)})

    def _control(self, what: str, fields: dict[str, Any]) -> None:
        url = f"{self._channels_url}/_emulator/{what}"
        requests.post(url, json=fields, timeout=10).raise_for_status()

    def wait_for(self, timeout: float = 10, **facts: Any) -> dict[str, Any]:
        """Wait for a line with these facts and give it. Raises TimeoutError with what came."""
        found: list[dict[str, Any]] = []

        def there() -> bool:
            found[:] = [line for line in self.lines if facts.items() <= line.items()]
            return bool(found)

        with self._changed:
            if not self._changed.wait_for(there, timeout):
                raise TimeoutError(f"no line with {facts} within {timeout:g} s: {self.lines}")
        return found[0]

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for text in process.stdout:
            with self._changed:
                self.lines.append(json.loads(text))
                self._changed.notify_all()
