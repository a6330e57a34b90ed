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
LAST_WORDS_SECONDS: Final = 1


class Process:
    """A running command, leader of its own process group, so that nothing of it outlives `stop`.

    `tail` holds its newest lines. Signals of the terminal do not reach it.
    """

    def __init__(
        self,
        child: asyncio.subprocess.Process,
        output: tuple[asyncio.StreamReader, asyncio.ReadTransport],
        on_line: Callable[[str], None] | None,
    ) -> None:
        self._child = child
        self._on_line = on_line
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._pipe = output[1]
        self._reader = asyncio.create_task(self._read(output[0]))

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        cwd: Path,
        environ: Mapping[str, str],
        on_line: Callable[[str], None] | None = None,
    ) -> Process:
        """Start a command. Raises OSError when it cannot be started."""
        # A pipe of our own: asyncio's would let a grandchild that holds it open delay `wait`.
        reading, writing = os.pipe()
        output = await _stream(reading)
        try:
            child = await asyncio.create_subprocess_exec(
                *command,
                cwd=cwd,
                env=environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
            )
        except BaseException:
            output[1].close()
            raise
        finally:
            os.close(writing)
        return cls(child, output, on_line)

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
        await asyncio.wait({self._reader}, timeout=LAST_WORDS_SECONDS)
        return code

    async def stop(self, grace_seconds: float = 5) -> None:
        """SIGTERM to the group, and SIGKILL to what is left of it after the grace period.

        The group is taken to be gone when nobody holds its output open any more: its dead members
        may stay zombies for as long as it pleases their parent.
        """
        self._signal(signal.SIGTERM)
        ended = asyncio.create_task(self._child.wait())
        await asyncio.wait({ended, self._reader}, timeout=grace_seconds)
        self._signal(signal.SIGKILL)
        await ended
        self._reader.cancel()
        self._pipe.close()

    def kill(self) -> None:
        """End the group at once, for when there is no time to wait."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.group, number)

    async def _read(self, output: asyncio.StreamReader) -> None:
        rest = b""
        while data := await output.read(READ_BYTES):
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


async def _stream(reading: int) -> tuple[asyncio.StreamReader, asyncio.ReadTransport]:
    """What comes out of a pipe, and how to close it before its end."""
    stream = asyncio.StreamReader()
    pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(reading, "rb", buffering=0)
    )
    return stream, pipe
