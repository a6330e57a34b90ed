"""Differences between an app.yaml and the version that serves."""

from __future__ import annotations

from typing import Any

import pytest

from gae_pusher.deploy.changes import changes_against
from gae_pusher.deploy.check.yaml_source import parse

CASES: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("runtime: python313", {"runtime": "python313", "instanceClass": "F1"}, ()),
    ("instance_class: F2", {}, ("instance_class: F1 becomes F2",)),
    ("{}", {"instanceClass": "F4"}, ("instance_class: F4 becomes F1",)),
    (
        "automatic_scaling: {max_instances: 5}",
        {"automaticScaling": {"standardSchedulerSettings": {"maxInstances": 2}}},
        ("automatic_scaling.max_instances: 2 becomes 5",),
    ),
    ("basic_scaling: {idle_timeout: 10m}", {"basicScaling": {"idleTimeout": "600s"}}, ()),
    (
        "manual_scaling: {instances: 3}",
        {},
        ("manual_scaling.instances: nothing becomes 3",),
    ),
    ("basic_scaling: {}", {"instanceClass": "B2"}, ()),
    (
        "handlers: [{url: /a}, {url: /b}]",
        {"handlers": [{"urlRegex": "/a"}]},
        ("handlers: 1 become 2",),
    ),
    (
        "inbound_services: [warmup]",
        {"inboundServices": ["INBOUND_SERVICE_MAIL"]},
        ("inbound service mail is gone", "inbound service warmup is new"),
    ),
]


@pytest.mark.parametrize(("text", "config", "expected"), CASES)
def test_changes(text: str, config: dict[str, Any], expected: tuple[str, ...]) -> None:
    """What differs is told; what Google fills in by itself, or spells otherwise, is not."""
    assert changes_against(config, parse(text)) == expected
