"""One child process with all its children: its output line by line, its end for certain."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["Process"]

TAIL_LINES: Final = 200
LINE_BYTES: Final = 8_192
READ_BYTES: Final = 65_536


class Process:
    """A running command, leader of its own process group, so that nothing of it outlives `stop`.

    `tail` holds its newest lines. Signals of the terminal do not reach it.
    """

    def __init__(
        self, child: asyncio.subprocess.Process, on_line: Callable[[str], None] | None
    ) -> None:
        self._child = child
        self._on_line = on_line
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        cwd: Path,
        environ: Mapping[str, str],
        on_line: Callable[[str], None] | None = None,
    ) -> Process:
        """Start a command. Raises OSError when it cannot be started."""
        child = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env=environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        return cls(child, on_line)

    @property
    def group(self) -> int:
        """The id of the process group."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the command itself has not ended yet."""
        return self._child.returncode is None

    async def wait(self) -> int:
        """Wait for the end and the last line; the exit code, negative for a signal."""
        code = await self._child.wait()
        # A grandchild may hold the pipe open for longer than its parent lives.
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._reader), 1)
        return code

    async def stop(self, grace_seconds: float = 5) -> None:
        """SIGTERM to the group, and SIGKILL to what is left of it after the grace period."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_seconds):
                await self._child.wait()
                while self._signal(0):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._child.wait()
        finally:
            self._reader.cancel()

    def kill(self) -> None:
        """End the group at once, for when there is no time to wait."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> bool:
        """Send a signal; False when nobody is left to get it."""
        try:
            os.killpg(self.group, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    async def _read(self) -> None:
        assert self._child.stdout is not None
        rest = b""
        while data := await self._child.stdout.read(READ_BYTES):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._take(line)
            while len(rest) > LINE_BYTES:
                self._take(rest[:LINE_BYTES])
                rest = rest[LINE_BYTES:]
        if rest:
            self._take(rest)

    def _take(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip()
        self.tail.append(text)
        if self._on_line is not None:
            self._on_line(text)
