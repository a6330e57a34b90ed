"""A child process with its children."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from gae_pusher.emulator.process import LINE_BYTES, TAIL_LINES, Process
from tests.emulator.appengine.site import wait_until_gone

Shell = Callable[[str], Coroutine[Any, Any, Process]]


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def shell(tmp_path: Path, lines: list[str]) -> Shell:
    """Start a shell command whose output goes to `lines`."""

    def start(command: str) -> Coroutine[Any, Any, Process]:
        return Process.start(["/bin/sh", "-c", command], tmp_path, os.environ, lines.append)

    return start


def test_output_arrives_line_by_line(shell: Shell, lines: list[str]) -> None:
    """Both streams in one order, the last line without its end, bytes that are no UTF-8."""

    async def scenario() -> int:
        return await (await shell(r"echo one; echo two >&2; printf 'thr\377ee'; exit 3")).wait()

    assert asyncio.run(scenario()) == 3
    assert lines == ["one", "two", "thr\N{REPLACEMENT CHARACTER}ee"]


def test_endless_lines_and_much_output_are_bounded(shell: Shell, lines: list[str]) -> None:
    """A line without an end is cut into pieces, and only the newest ones are kept."""

    async def scenario() -> Process:
        process = await shell("head -c 100000 /dev/zero | tr '\\0' x; seq 1000")
        await process.wait()
        return process

    process = asyncio.run(scenario())
    assert max(map(len, lines)) == LINE_BYTES
    assert list(process.tail) == [str(n) for n in range(1001 - TAIL_LINES, 1001)]


def test_stop_ends_children_and_grandchildren(shell: Shell) -> None:
    """Those too that ignore SIGTERM, when the grace period is over."""

    async def scenario() -> tuple[int, float]:
        process = await shell("trap '' TERM; (echo ready; sleep 100) & sleep 100 & wait; wait")
        while "ready" not in process.tail:
            await asyncio.sleep(0.01)
        started = time.monotonic()
        await process.stop(0.3)
        return process.group, time.monotonic() - started

    group, took = asyncio.run(scenario())
    wait_until_gone(group)
    assert 0.3 <= took < 5


def test_stop_lets_a_child_finish_after_its_parent(shell: Shell, tmp_path: Path) -> None:
    """A script's SIGTERM kills the script at once; what it started may still write its data."""
    saving = "trap 'sleep 0.3; touch saved; exit' TERM; echo ready; while :; do sleep 0.01; done"

    async def scenario() -> None:
        process = await shell(f'sh -c "{saving}" & wait $!')
        while "ready" not in process.tail:
            await asyncio.sleep(0.01)
        await process.stop(10)

    asyncio.run(scenario())
    assert (tmp_path / "saved").exists()


def test_wait_does_not_wait_for_a_grandchild(shell: Shell, lines: list[str]) -> None:
    """The command has ended when it has ended, whoever still holds its output."""

    async def scenario() -> tuple[int, float]:
        process = await shell("sleep 100 & echo done")
        started = time.monotonic()
        code = await process.wait()
        took = time.monotonic() - started
        await process.stop(0)
        return code, took

    code, took = asyncio.run(scenario())
    assert (code, lines) == (0, ["done"])
    assert took < 10


def test_a_command_that_is_not_there_raises(tmp_path: Path) -> None:
    """The error names the program."""
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        asyncio.run(Process.start(["no-such-program"], tmp_path, os.environ))
