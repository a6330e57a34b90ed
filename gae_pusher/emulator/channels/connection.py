"""One connection's side of the protocol: a client's frame in, effects out (protocol section 3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from gae_pusher.emulator.channels import frames
from gae_pusher.emulator.channels.effects import Effects, Notify, Send, Triggered, WebhookEvent
from gae_pusher.emulator.channels.hub import Hub, OccupiedChannel
from gae_pusher.emulator.channels.incoming import Frame, parse_frame, parse_user_data
from gae_pusher.emulator.channels.json_text import utf8_length
from gae_pusher.emulator.channels.presence import Member, parse_member
from gae_pusher.emulator.channels.refusal import Refusal
from gae_pusher.emulator.channels.rules import check_channel_name
from gae_pusher.emulator.channels.settings import App
from gae_pusher.emulator.channels.tokens import check_channel_token, check_user_token
from gae_pusher.emulator.channels.watchlist import Users
from gae_pusher.errors import InvalidRequest
from gae_pusher.names import (
    CLIENT_EVENT_PREFIX,
    SERVER_TO_USER_PREFIX,
    ChannelKind,
)

__all__ = ["Connection"]

RATE_LIMITED: Final = 4301
WATCHLIST_TOO_LONG: Final = 4302


class Connection:
    """What the server knows of one socket: its subscriptions, its user, its pace."""

    def __init__(self, socket_id: str, app: App, hub: Hub, users: Users, *, strict: bool) -> None:
        self.socket_id = socket_id
        self.channels: dict[str, None] = {}
        self.user: Member | None = None
        self.authorized = False
        self._app = app
        self._hub = hub
        self._users = users
        self._strict = strict
        self._client_events: deque[float] = deque(maxlen=app.limits.client_events_per_second)

    def receive(self, text: str, now: float) -> Effects:
        """Answer one frame. A refused one is answered with `pusher:error` and changes nothing."""
        try:
            frame = parse_frame(text)
            handler = _HANDLERS.get(frame.event)
            if handler is None:
                handler = Connection._trigger
            return handler(self, frame, now)
        except Refusal as refusal:
            return self._send(frames.error(refusal.message, refusal.code))

    def leave(self, now: float) -> Effects:
        """The socket is gone: end its subscriptions and its sign-in."""
        effects: Effects = []
        for channel in self.channels:
            effects += self._hub.unsubscribe(self.socket_id, channel, now)
        self.channels.clear()
        return effects + self._users.sign_out(self.socket_id, now)

    def _subscribe(self, frame: Frame, now: float) -> Effects:
        channel = self._channel_name(frame.required("channel"))
        if channel in self.channels:
            raise Refusal(f"Existing subscription to channel {channel}")
        member = self._admit(frame, channel)
        effects = self._hub.subscribe(self.socket_id, channel, member, now)
        self.channels[channel] = None
        self.authorized = self.authorized or ChannelKind.of(channel).needs_authorization
        return effects

    def _unsubscribe(self, frame: Frame, now: float) -> Effects:
        channel = frame.required("channel")
        if channel not in self.channels:
            raise Refusal(
                f"No current subscription to channel {channel}, or subscription in progress"
            )
        del self.channels[channel]
        return self._hub.unsubscribe(self.socket_id, channel, now)

    def _sign_in(self, frame: Frame, now: float) -> Effects:
        if not self._app.features.user_authentication:
            raise Refusal("To sign in users, you must enable user authentication for this app.")
        user_data = frame.required("user_data")
        check_user_token(self._app, frame.required("auth"), self.socket_id, user_data)
        user = parse_user_data(user_data)
        if self.user is not None and self.user.user_id != user.member.user_id:
            raise Refusal(f"Connection is already signed in as user {self.user.user_id}")
        self.user = user.member
        self.authorized = True
        limit = self._app.limits.watchlist_length
        watchlist = user.watchlist if self._app.features.watchlist else ()
        effects = self._send(frames.signin_success(user_data))
        effects += self._users.sign_in(self.socket_id, self.user.user_id, watchlist[:limit])
        if len(watchlist) > limit:
            message = f"The watchlist has {len(watchlist)} users, the first {limit} count"
            effects += self._send(frames.error(message, WATCHLIST_TOO_LONG))
        return effects

    def _ping(self, frame: Frame, now: float) -> Effects:
        return self._send(frames.pong())

    def _pong(self, frame: Frame, now: float) -> Effects:
        return []

    def _trigger(self, frame: Frame, now: float) -> Effects:
        channel = self._check_client_event(frame)
        data = frame.data_text()
        self._check_size(data)
        self._check_pace(now)
        user_id = channel.members.user_of(self.socket_id)
        relayed = frames.client_event(channel.name, frame.event, data, user_id)
        receivers = channel.others(self.socket_id)
        event: WebhookEvent = {
            "name": "client_event",
            "channel": channel.name,
            "event": frame.event,
            "data": data or "",
            "socket_id": self.socket_id,
            **({} if user_id is None else {"user_id": user_id}),
        }
        return [
            Triggered(channel.name, frame.event, data, len(receivers), self.socket_id),
            *([Send(receivers, relayed)] if receivers else []),
            Notify(event),
        ]

    def _admit(self, frame: Frame, channel: str) -> Member | None:
        """Check whether this socket may subscribe; the member it brings to a presence channel."""
        if channel.startswith(SERVER_TO_USER_PREFIX):
            self._check_own_channel(channel)
        kind = ChannelKind.of(channel)
        if not kind.needs_authorization:
            return None
        channel_data = frame.text("channel_data")
        auth = frame.text("auth") or ""
        check_channel_token(self._app, auth, self.socket_id, channel, channel_data)
        member = None
        if kind & ChannelKind.PRESENCE:
            member = self.user if channel_data is None else self._member(channel_data)
            if member is None:
                raise Refusal(f"Presence channel {channel} needs channel_data or a signed-in user")
        return member

    def _member(self, channel_data: str) -> Member:
        return parse_member(channel_data, self._app.limits)

    def _check_own_channel(self, channel: str) -> None:
        user_id = channel.removeprefix(SERVER_TO_USER_PREFIX)
        if self.user is None or self.user.user_id != user_id:
            raise Refusal(f"Not signed in as user {user_id}: cannot subscribe to {channel}")

    def _check_client_event(self, frame: Frame) -> OccupiedChannel:
        if not frame.event.startswith(CLIENT_EVENT_PREFIX):
            raise Refusal(
                f"Client event rejected - the name {frame.event[:40]!r} does not start with "
                f"{CLIENT_EVENT_PREFIX!r}"
            )
        if not self._app.features.client_events:
            raise Refusal(
                "To send client events, you must enable this feature in the Settings page of "
                "your dashboard."
            )
        name = frame.channel if isinstance(frame.channel, str) else ""
        if not ChannelKind.of(name).needs_authorization:
            raise Refusal("Client event rejected - only supported on private and presence channels")
        channel = self._hub.get(name) if name in self.channels else None
        if channel is None:
            raise Refusal(f"Client event rejected - not subscribed to channel {name}")
        return channel

    def _check_size(self, data: str | None) -> None:
        limit = self._app.limits.client_event_data_bytes
        size = utf8_length(data or "")
        if size > limit:
            raise Refusal(f"Client event rejected - data has {size} bytes, the limit is {limit}")

    def _check_pace(self, now: float) -> None:
        sent = self._client_events
        if len(sent) == sent.maxlen and (not sent or now - sent[0] < 1):
            raise Refusal(
                f"Client event rejected - more than {sent.maxlen} per second", RATE_LIMITED
            )
        sent.append(now)

    def _channel_name(self, name: str) -> str:
        try:
            return check_channel_name(name, strict=self._strict)
        except InvalidRequest as error:
            raise Refusal(f"Invalid channel: {error}") from None

    def _send(self, frame: str) -> Effects:
        return [Send((self.socket_id,), frame)]


_Handler: TypeAlias = Callable[[Connection, Frame, float], Effects]

_HANDLERS: Final[Mapping[str, _Handler]] = {
    "pusher:subscribe": Connection._subscribe,
    "pusher:unsubscribe": Connection._unsubscribe,
    "pusher:signin": Connection._sign_in,
    "pusher:ping": Connection._ping,
    "pusher:pong": Connection._pong,
}
