"""What all channel types have from their base."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

import gae_pusher
from gae_pusher import InvalidRequest, Pusher

CHANNEL_TYPES = ["RequestsChannel", "GoogleAppEngineChannel", "GaeNdbChannel", "AsyncioChannel"]
CHANNEL_TYPES += ["TornadoChannel"]


@pytest.mark.parametrize("channel_type", CHANNEL_TYPES)
@pytest.mark.parametrize("timeout", [0, -1, math.inf, math.nan, "5", True])
def test_a_timeout_is_a_positive_number(channel_type: str, timeout: Any) -> None:
    """What is no number of seconds is refused in our words, before anything is sent."""
    kind = getattr(gae_pusher, channel_type)
    pusher = Pusher("1", "k", "s", host="127.0.0.1", port=1, ssl=False, channel_type=kind)

    async def trigger() -> None:
        answer = pusher["shop"].trigger("event", {}, timeout=timeout)
        if hasattr(answer, "__await__"):
            await answer

    with pytest.raises(InvalidRequest, match="positive number of seconds"):
        asyncio.run(trigger())
