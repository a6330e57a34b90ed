"""Whether a new WebSocket is served, decided after the upgrade (protocol sections 3.1 and 3.11)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gae_pusher.emulator.channels.service import Service

__all__ = ["Rejection", "admit"]

_VERSION: Final = re.compile(r"v?[0-9]+[0-9A-Za-z.+_-]*")
_PROTOCOLS: Final = range(4, 8)


@dataclass(frozen=True, slots=True)
class Rejection:
    """The close code and reason that a connection is turned away with."""

    code: int
    reason: str


def admit(
    services: Iterable[Service], path: tuple[str, ...], query: Mapping[str, str], capacity: int
) -> Service | Rejection:
    """The service that a path and query of a WebSocket connect to, or why none."""
    services = tuple(services)
    if len(path) != 2 or path[0] != "app":
        return Rejection(4005, "Path not found")
    service = next((s for s in services if s.app.secret_of(path[1]) is not None), None)
    if service is None:
        return Rejection(
            4001,
            f"App key {path[1][:40]} not in this cluster. Did you forget to specify the cluster?",
        )
    return _unspoken(query) or _unwelcome(service) or _full(services, capacity) or service


def _unspoken(query: Mapping[str, str]) -> Rejection | None:
    version = query.get("version")
    if version is not None and not _VERSION.fullmatch(version):
        return Rejection(4006, "Invalid version string format")
    protocol = query.get("protocol")
    if not protocol:
        return Rejection(4008, "No protocol version supplied")
    if not (protocol.isascii() and protocol.isdecimal() and int(protocol[:9]) in _PROTOCOLS):
        return Rejection(4007, "Unsupported protocol version")
    return None


def _unwelcome(service: Service) -> Rejection | None:
    if service.app.features.tls_only:
        return Rejection(4000, "Application only accepts SSL connections, reconnect using wss://")
    if not service.app.enabled:
        return Rejection(4003, "Application disabled")
    quota = service.app.limits.connections
    if quota is not None and len(service.connections) >= quota:
        return Rejection(4004, f"Application is over connection quota ({quota})")
    return None


def _full(services: Iterable[Service], capacity: int) -> Rejection | None:
    if sum(len(service.connections) for service in services) >= capacity:
        return Rejection(4100, f"Over capacity ({capacity} connections)")
    return None
