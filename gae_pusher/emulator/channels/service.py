"""One app's Channels service without its sockets: what comes in, and what is to be done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from gae_pusher.emulator.channels import frames
from gae_pusher.emulator.channels.connection import Connection
from gae_pusher.emulator.channels.effects import (
    Arrived,
    Close,
    Effect,
    Effects,
    Left,
    Notify,
    Send,
    Triggered,
)
from gae_pusher.emulator.channels.hub import Hub
from gae_pusher.emulator.channels.settings import App, Settings
from gae_pusher.emulator.channels.timers import Timers
from gae_pusher.emulator.channels.watchlist import Users
from gae_pusher.emulator.channels.webhooks import Delivery, Webhooks
from gae_pusher.names import SERVER_TO_USER_PREFIX, ChannelKind

__all__ = ["Event", "Orders", "Service"]

# What is left for the rim once the webhooks have taken their part.
Orders: TypeAlias = list[Send | Close | Triggered]


@dataclass(frozen=True, slots=True)
class Event:
    """A checked event of the HTTP API for one channel; `socket_id` is the sender to leave out."""

    channel: str
    name: str
    data: str
    socket_id: str | None = None


class Service:
    """Connections, channels, users and webhooks of one app, all on a given clock."""

    def __init__(self, app: App, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.hub = Hub(app)
        self.users = Users(settings.offline_delay_seconds)
        self.connections: dict[str, Connection] = {}
        self._webhooks = Webhooks(app, settings.webhook_timing)
        self._unauthorized: Timers[str] = Timers()

    def connect(self, socket_id: str, now: float) -> Orders:
        """Take in an accepted connection and greet it."""
        self.connections[socket_id] = Connection(
            socket_id, self.app, self.hub, self.users, strict=self.settings.strict
        )
        if self.app.features.authorized_connections:
            self._unauthorized.set(socket_id, now + self.settings.authorization_timeout_seconds)
        timeout = self.settings.activity_timeout_seconds
        return [Send((socket_id,), frames.connection_established(socket_id, timeout))]

    def receive(self, socket_id: str, text: str, now: float) -> Orders:
        """Answer a frame of a connection."""
        connection = self.connections[socket_id]
        effects = connection.receive(text, now)
        if connection.authorized:
            self._unauthorized.cancel(socket_id)
        return self._settle(effects, now)

    def disconnect(self, socket_id: str, now: float) -> Orders:
        """Forget a connection that is gone or is being closed. Twice does no harm."""
        connection = self.connections.pop(socket_id, None)
        if connection is None:
            return []
        self._unauthorized.cancel(socket_id)
        return self._settle(connection.leave(now), now)

    def trigger(self, event: Event, now: float) -> Orders:
        """Deliver an event to a channel, and keep it if it is a cache channel."""
        frame = frames.event(event.channel, event.name, event.data)
        if event.channel.startswith(SERVER_TO_USER_PREFIX):
            user = event.channel.removeprefix(SERVER_TO_USER_PREFIX)
            effects = self._to_user(user, frame, event.socket_id)
        else:
            effects = self.hub.broadcast(event.channel, frame, event.socket_id)
        is_kept = ChannelKind.of(event.channel) & ChannelKind.CACHE
        if is_kept and self.app.features.cache_channels:
            self.hub.cache.store(event.channel, event.name, event.data, now)
        receivers = sum(len(effect.sockets) for effect in effects if isinstance(effect, Send))
        triggered = Triggered(event.channel, event.name, event.data, receivers)
        return self._settle([triggered, *effects], now)

    def terminate(self, user_id: str) -> Orders:
        """Close every connection that is signed in as a user."""
        sockets = self.users.sockets_of(user_id)
        reason = "Connections of this user were terminated"
        return [Close(sockets, self.settings.terminate_code, reason)] if sockets else []

    def next_due(self) -> float | None:
        """When `tick` or `deliveries` has something to do."""
        sources = (self.hub, self.users, self._webhooks, self._unauthorized)
        return min((due for s in sources if (due := s.next_due()) is not None), default=None)

    def tick(self, now: float) -> Orders:
        """Do what has become due, webhooks aside."""
        effects = [*self.hub.tick(now), *self.users.tick(now)]
        late = tuple(self._unauthorized.pop_due(now))
        if late:
            effects.append(Close(late, 4009, "Connection not authorized within timeout"))
        return self._settle(effects, now)

    def deliveries(self, now: float, time_ms: int) -> list[Delivery]:
        """The webhooks to send now."""
        return self._webhooks.pop_due(now, time_ms)

    def _to_user(self, user_id: str, frame: str, excluded: str | None) -> Effects:
        sockets = tuple(s for s in self.users.sockets_of(user_id) if s != excluded)
        return [Send(sockets, frame)] if sockets else []

    def _settle(self, effects: Iterable[Effect], now: float) -> Orders:
        """Give the webhooks what is theirs; the rest is the rim's."""
        orders: Orders = []
        for effect in effects:
            match effect:
                case Arrived(channel, user_id):
                    self._webhooks.arrived((channel, user_id), now)
                case Left(channel, user_id):
                    self._webhooks.left((channel, user_id), now)
                case Notify(event):
                    self._webhooks.notify(event, now)
                case Send() | Close() | Triggered():
                    orders.append(effect)
        return orders
