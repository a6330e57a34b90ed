"""Ports of this machine: a free one, and the wait until somebody listens."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Final

__all__ = ["free_port", "is_open", "opened"]

POLL_SECONDS: Final = 0.05


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


async def is_open(host: str, port: int) -> bool:
    """Whether a connection is accepted."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


async def opened(host: str, port: int) -> None:
    """Wait until a connection is accepted; give it a time limit of your own."""
    while not await is_open(host, port):
        await asyncio.sleep(POLL_SECONDS)
