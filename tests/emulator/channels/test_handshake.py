"""Which connections are admitted, and the close codes of the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gae_pusher.emulator.channels import AppLimits, Features, Settings
from gae_pusher.emulator.channels.handshake import Rejection, admit
from gae_pusher.emulator.channels.service import Service

from .stage import APP, KEY

GOOD = {"protocol": "7", "client": "js", "version": "8.6.0", "flash": "false"}


def service(**app: Any) -> Service:
    return Service(replace(APP, **app), Settings())


def code(
    path: tuple[str, ...] = ("app", KEY), capacity: int = 9, query: Any = GOOD, **app: Any
) -> int:
    admitted = admit([service(**app)], path, query, capacity)
    return admitted.code if isinstance(admitted, Rejection) else 0


@pytest.mark.parametrize("protocol", ["4", "5", "6", "7"])
@pytest.mark.parametrize("version", ["8.6.0", "0.7.1-beta", "v1", "10"])
def test_admitted(protocol: str, version: str) -> None:
    """Protocols 4 to 7 of any client version are served."""
    assert code(query={"protocol": protocol, "version": version}) == 0


def test_minimal_query() -> None:
    """The protocol is all that has to be said."""
    assert code(query={"protocol": "7"}) == 0


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, 4008),
        ({"version": "8.6.0"}, 4008),
        ({"protocol": ""}, 4008),
        ({"protocol": "3"}, 4007),
        ({"protocol": "8"}, 4007),
        ({"protocol": "seven"}, 4007),
        ({"protocol": "\u0667"}, 4007),
        ({"protocol": "9" * 5000}, 4007),
        ({"protocol": "7", "version": "latest"}, 4006),
        ({"protocol": "7", "version": ""}, 4006),
    ],
)
def test_versions(query: dict[str, str], expected: int) -> None:
    """Missing, unsupported and malformed versions have their own codes."""
    assert code(query=query) == expected


@pytest.mark.parametrize("path", [(), ("",), ("app",), ("app", KEY, "x"), ("apps", KEY), (KEY,)])
def test_wrong_path(path: tuple[str, ...]) -> None:
    """Any other path is 4005."""
    assert code(path) == 4005


def test_refusals_of_the_app() -> None:
    """Unknown key, TLS only, disabled, over quota, over capacity."""
    assert code(("app", "nobody")) == 4001
    assert code(features=Features(tls_only=True)) == 4000
    assert code(enabled=False) == 4003
    assert code(limits=AppLimits(connections=0)) == 4004
    assert code(capacity=0) == 4100


def test_quota_counts_connections() -> None:
    """The quota is per app, the capacity of all apps together."""
    full = service(limits=AppLimits(connections=1))
    full.connect("1.1", 0)
    assert admit([full], ("app", KEY), GOOD, 9) == Rejection(
        4004, "Application is over connection quota (1)"
    )
    full.disconnect("1.1", 0)
    assert admit([full], ("app", KEY), GOOD, 9) is full


def test_unknown_key_is_not_repeated_at_length() -> None:
    """A reason fits into a close frame."""
    rejection = admit([service()], ("app", "x" * 500), GOOD, 9)
    assert isinstance(rejection, Rejection)
    assert len(rejection.reason) < 124
