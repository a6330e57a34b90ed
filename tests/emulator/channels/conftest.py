"""A running server, the official clients, and a taker of webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gae_pusher.emulator.channels import (
    DEVELOPMENT_APP,
    App,
    Settings,
    WebhookEndpoint,
    WebhookTiming,
)
from gae_pusher.testing.channels import RunningServer, running_server

from .peer import Peer, peer
from .receiver import Receiver, receiving

QUICK = Settings(webhook_timing=WebhookTiming(batch_seconds=0.05))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def app(receiver: Receiver) -> App:
    return replace(DEVELOPMENT_APP, webhooks=(WebhookEndpoint(receiver.url),))


@pytest.fixture
def server(app: App) -> Iterator[RunningServer]:
    with running_server([app], QUICK) as running:
        yield running


@pytest.fixture
def peers(node: str, server: RunningServer) -> Iterator[Peer]:
    with peer(node, server) as running:
        yield running
