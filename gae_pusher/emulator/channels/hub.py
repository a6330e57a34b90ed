"""Channels and their subscriptions: who joins, who leaves, and who is told what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gae_pusher.emulator.channels import frames
from gae_pusher.emulator.channels.cache import EventCache
from gae_pusher.emulator.channels.counts import CountThrottle
from gae_pusher.emulator.channels.effects import Arrived, Effects, Left, Notify, Send, WebhookEvent
from gae_pusher.emulator.channels.presence import Member, Members
from gae_pusher.emulator.channels.refusal import Refusal
from gae_pusher.emulator.channels.settings import App
from gae_pusher.names import ChannelKind

__all__ = ["Hub", "OccupiedChannel"]


@dataclass(slots=True)
class OccupiedChannel:
    """A channel with at least one subscription."""

    name: str
    kind: ChannelKind
    sockets: dict[str, None] = field(default_factory=dict)
    members: Members = field(default_factory=Members)

    def others(self, socket_id: str) -> tuple[str, ...]:
        """Every subscription but this connection's."""
        return tuple(socket for socket in self.sockets if socket != socket_id)


class Hub:
    """The occupied channels of one app. A channel that empties is forgotten, its cache is not."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._channels: dict[str, OccupiedChannel] = {}
        self._counts = CountThrottle()
        self.cache = EventCache(app.limits.cache_seconds)

    def __iter__(self) -> Iterator[OccupiedChannel]:
        return iter(self._channels.values())

    def get(self, channel: str) -> OccupiedChannel | None:
        """A channel, when it is occupied."""
        return self._channels.get(channel)

    def subscribe(self, socket_id: str, name: str, member: Member | None, now: float) -> Effects:
        """Add a verified subscription; `member` on presence channels. Raises Refusal when full.

        The state is changed before the success is told, so nothing triggered after it is lost.
        """
        channel = self._channels.get(name) or OccupiedChannel(name, ChannelKind.of(name))
        if member is not None:
            self._check_room(channel, member)
        self._channels[name] = channel
        channel.sockets[socket_id] = None
        arrivals = self._arrivals(channel, socket_id, member)
        return [
            Send((socket_id,), _succeeded(channel)),
            *self._cached(channel, socket_id, now),
            *arrivals,
            *self._counted(channel, now),
        ]

    def unsubscribe(self, socket_id: str, name: str, now: float) -> Effects:
        """Remove a subscription that exists."""
        channel = self._channels[name]
        del channel.sockets[socket_id]
        effects: Effects = []
        gone = channel.members.leave(socket_id)
        if gone is not None:
            effects += _sent(channel.sockets, frames.member_removed(name, gone))
            effects.append(Left(name, gone))
        if not channel.sockets:
            del self._channels[name]
            if not _is_hidden(channel):
                effects.append(Left(name))
        return effects + self._counted(channel, now)

    def broadcast(self, name: str, frame: str, excluded: str | None = None) -> Effects:
        """One frame for every subscription but an excluded connection's."""
        channel = self._channels.get(name)
        if channel is None:
            return []
        sockets = channel.sockets if excluded is None else channel.others(excluded)
        return _sent(sockets, frame)

    def next_due(self) -> float | None:
        """When a subscription count that was held back is to be told."""
        return self._counts.next_due()

    def tick(self, now: float) -> Effects:
        """Tell the subscription counts that are due."""
        channels = (self._channels.get(name) for name in self._counts.pop_due(now))
        return [effect for channel in channels if channel for effect in _count(channel)]

    def _check_room(self, channel: OccupiedChannel, member: Member) -> None:
        limit = self._app.limits.presence_members
        if member.user_id not in channel.members and len(channel.members) >= limit:
            raise Refusal(f"Channel {channel.name} is full: it has {limit} members, the limit")

    def _arrivals(self, channel: OccupiedChannel, socket_id: str, member: Member | None) -> Effects:
        effects: Effects = []
        if len(channel.sockets) == 1 and not _is_hidden(channel):
            effects.append(Arrived(channel.name))
        if member is not None and channel.members.join(socket_id, member):
            frame = frames.member_added(channel.name, member.user_id, member.user_info)
            effects += _sent(channel.others(socket_id), frame)
            effects.append(Arrived(channel.name, member.user_id))
        return effects

    def _cached(self, channel: OccupiedChannel, socket_id: str, now: float) -> Effects:
        if not (channel.kind & ChannelKind.CACHE and self._app.features.cache_channels):
            return []
        event = self.cache.get(channel.name, now)
        if event is not None:
            return [Send((socket_id,), frames.event(channel.name, event.name, event.data))]
        effects: Effects = [Send((socket_id,), frames.cache_miss(channel.name))]
        if self.cache.miss(channel.name, now):
            effects.append(Notify({"name": "cache_miss", "channel": channel.name}))
        return effects

    def _counted(self, channel: OccupiedChannel, now: float) -> Effects:
        if not self._app.features.subscription_counting:
            return []
        if channel.kind & (ChannelKind.PRESENCE | ChannelKind.SERVER_TO_USER):
            return []
        if not self._counts.changed(channel.name, len(channel.sockets), now):
            return []
        return _count(channel)


def _is_hidden(channel: OccupiedChannel) -> bool:
    # Whether the service reports server-to-user channels is not documented; listing a
    # channel that no application may name helps nobody.
    return bool(channel.kind & ChannelKind.SERVER_TO_USER)


def _succeeded(channel: OccupiedChannel) -> str:
    if channel.kind & ChannelKind.PRESENCE:
        return frames.presence_succeeded(channel.name, channel.members.infos())
    return frames.subscription_succeeded(channel.name)


def _count(channel: OccupiedChannel) -> Effects:
    count = len(channel.sockets)
    event: WebhookEvent = {
        "name": "subscription_count",
        "channel": channel.name,
        "subscription_count": count,
    }
    return [
        *_sent(channel.sockets, frames.subscription_count(channel.name, count)),
        Notify(event),
    ]


def _sent(sockets: Iterable[str], frame: str) -> Effects:
    recipients = tuple(sockets)
    return [Send(recipients, frame)] if recipients else []
