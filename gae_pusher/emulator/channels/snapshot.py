"""What is connected and occupied right now, as JSON for people: no secret is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gae_pusher.emulator.channels.hub import OccupiedChannel
from gae_pusher.emulator.channels.service import Service

__all__ = ["snapshot"]

Clients = Mapping[str, Mapping[str, str]]


def snapshot(services: Mapping[str, Service], clients: Clients) -> list[dict[str, Any]]:
    """Every app with its connections and channels; `clients` says what each socket runs."""
    return [_app(service, clients) for service in services.values()]


def _app(service: Service, clients: Clients) -> dict[str, Any]:
    app = service.app
    return {
        "id": app.id,
        "keys": [credentials.key for credentials in app.credentials],
        "webhooks": [endpoint.url for endpoint in app.webhooks],
        "connections": [
            {
                "socket_id": connection.socket_id,
                "user_id": connection.user.user_id if connection.user else None,
                "channels": list(connection.channels),
                **clients.get(connection.socket_id, {}),
            }
            for connection in service.connections.values()
        ],
        "channels": [_channel(channel) for channel in service.hub],
    }


def _channel(channel: OccupiedChannel) -> dict[str, Any]:
    return {
        "name": channel.name,
        "subscription_count": len(channel.sockets),
        "members": [
            {"user_id": user_id, "user_info": user_info}
            for user_id, user_info in channel.members.infos().items()
        ],
    }
