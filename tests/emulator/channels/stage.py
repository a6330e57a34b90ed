"""The core without sockets: clients that send frames, and what each of them has got."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from typing import Any

from gae_pusher.emulator.channels import App, Settings, WebhookEndpoint
from gae_pusher.emulator.channels.effects import Close, Send
from gae_pusher.emulator.channels.service import Event, Orders, Service
from gae_pusher.sansio.signing import Credentials, sign

# The credentials and the socket id of the protocol's worked examples.
KEY, SECRET, SOCKET = "9c1e7f0a2b3d4e5f6071", "0f1e2d3c4b5a69788796", "5120.77341"
APP = App("4242", (Credentials(KEY, SECRET),))
HOOKED = replace(APP, webhooks=(WebhookEndpoint("http://localhost/hooks"),))


def auth(text: str, secret: str = SECRET) -> str:
    return f"{KEY}:{sign(secret, text)}"


def member_data(user_id: Any, **more: Any) -> str:
    return json.dumps({"user_id": user_id, **more})


class Stage:
    """Drives one Service on a clock that stands still unless it is moved."""

    def __init__(self, app: App = APP, settings: Settings | None = None) -> None:
        self.service = Service(app, settings or Settings())
        self.now = 1000.0
        self.got: dict[str, list[Any]] = defaultdict(list)
        self.closed: dict[str, tuple[int, str]] = {}

    def connect(self, *sockets: str) -> None:
        for socket in sockets:
            self._do(self.service.connect(socket, self.now))
            self.got[socket].clear()

    def send(self, socket: str, event: str, data: Any = None, channel: str | None = None) -> None:
        frame = {"event": event, "data": data}
        self.send_text(
            socket, json.dumps(frame if channel is None else frame | {"channel": channel})
        )

    def send_text(self, socket: str, text: str) -> None:
        self._do(self.service.receive(socket, text, self.now))

    def subscribe(self, socket: str, channel: str, member: str | None = None) -> None:
        text = f"{socket}:{channel}" if member is None else f"{socket}:{channel}:{member}"
        data = {"channel": channel, "auth": auth(text)}
        self.send(
            socket, "pusher:subscribe", data if member is None else data | {"channel_data": member}
        )

    def unsubscribe(self, socket: str, channel: str) -> None:
        self.send(socket, "pusher:unsubscribe", {"channel": channel})

    def sign_in(self, socket: str, user_id: Any, **more: Any) -> None:
        user_data = json.dumps({"id": user_id, **more})
        data = {"auth": auth(f"{socket}::user::{user_data}"), "user_data": user_data}
        self.send(socket, "pusher:signin", data)

    def disconnect(self, socket: str) -> None:
        self._do(self.service.disconnect(socket, self.now))

    def trigger(
        self, channel: str, name: str, data: str = "{}", socket_id: str | None = None
    ) -> None:
        self._do(self.service.trigger(Event(channel, name, data, socket_id), self.now))

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self._do(self.service.tick(self.now))

    def webhook_events(self) -> list[Any]:
        """The webhook events of the deliveries that are due now."""
        deliveries = self.service.deliveries(self.now, 1767225600123)
        return [event for delivery in deliveries for event in json.loads(delivery.body)["events"]]

    def take(self, socket: str) -> list[Any]:
        """What a client has got since it was last asked, decoded."""
        frames = list(self.got[socket])
        self.got[socket].clear()
        return frames

    def names(self, socket: str) -> list[str]:
        return [frame["event"] for frame in self.take(socket)]

    def error(self, socket: str) -> tuple[int | None, str]:
        """The code and message of the one `pusher:error` that the client has got."""
        (frame,) = self.take(socket)
        assert frame["event"] == "pusher:error"
        return frame["data"]["code"], frame["data"]["message"]

    def _do(self, orders: Orders) -> None:
        for order in orders:
            if isinstance(order, Send):
                for socket in order.sockets:
                    self.got[socket].append(json.loads(order.frame))
            elif isinstance(order, Close):
                for socket in order.sockets:
                    self.closed[socket] = (order.code, order.reason)
                    self.disconnect(socket)
