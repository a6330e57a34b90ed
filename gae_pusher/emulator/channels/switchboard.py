"""Where the core's orders are carried out: frames to sockets, closings, timers, the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gae_pusher.emulator.channels.clock import Clock
from gae_pusher.emulator.channels.effects import Close, Send, Triggered
from gae_pusher.emulator.channels.keepalive import Step
from gae_pusher.emulator.channels.link import PING, Link, text_frame
from gae_pusher.emulator.channels.log import Kind, Log
from gae_pusher.emulator.channels.sender import Sender
from gae_pusher.emulator.channels.service import Orders, Service
from gae_pusher.emulator.channels.settings import App, Settings

__all__ = ["Switchboard"]

LOGGED_RECEIVERS = 20


class Switchboard:
    """All services and all links of one server. Lives on one event loop, every method at once."""

    def __init__(
        self,
        apps: tuple[App, ...],
        settings: Settings,
        clock: Clock,
        new_socket_id: Callable[[], str],
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.log = Log(settings.log_entries)
        self.sender = Sender(settings.webhook_timing, clock, self.log)
        self.services = {app.id: Service(app, settings) for app in apps}
        self.sender.woken = self.set_timer
        self.links: dict[str, Link] = {}
        self.new_socket_id = new_socket_id
        self._timer: asyncio.TimerHandle | None = None
        self._closings: set[asyncio.Task[None]] = set()

    def connect(self, link: Link) -> None:
        """Take in an accepted link."""
        self.links[link.socket_id] = link
        self.note("connection", link, what="opened", **link.client)
        self.carry_out(link.service, link.service.connect(link.socket_id, self.clock.now()))
        self.watch_silence(link)

    def receive(self, link: Link, text: str) -> None:
        """Hand a client's frame to the core."""
        if link.closing:
            return
        self.note("frame", link, direction="in", text=text)
        now = self.clock.now()
        self.carry_out(link.service, link.service.receive(link.socket_id, text, now))

    def disconnect(self, link: Link, code: int | None, reason: str) -> None:
        """Forget a link that is gone. Twice does no harm."""
        if self.links.pop(link.socket_id, None) is None:
            return
        link.closing = True
        self.note("connection", link, what="closed", code=code, reason=reason)
        orders = link.service.disconnect(link.socket_id, self.clock.now())
        self.carry_out(link.service, orders)

    def close(self, link: Link, code: int, reason: str) -> None:
        """Close a link; from here on it gets nothing more and counts as gone."""
        if link.closing:
            return
        self.disconnect(link, code, reason)
        task = asyncio.get_running_loop().create_task(link.close(code, reason))
        self._closings.add(task)
        task.add_done_callback(self._closings.discard)

    async def close_all(self, code: int, reason: str) -> None:
        """Close every link, and come back when all are closed."""
        for link in tuple(self.links.values()):
            self.close(link, code, reason)
        await asyncio.gather(*self._closings)
        if self._timer is not None:
            self._timer.cancel()

    def carry_out(self, service: Service, orders: Orders) -> None:
        """Do what the core ordered, in its order, and set the timer for what it waits for."""
        for order in orders:
            match order:
                case Send(sockets, frame):
                    self._send(service, sockets, frame)
                case Close(sockets, code, reason):
                    for socket_id in sockets:
                        self.close(self.links[socket_id], code, reason)
                case Triggered():
                    self._note_event(service, order)
        self.set_timer()

    def tick(self) -> None:
        """Do what has become due."""
        now = self.clock.now()
        for service in self.services.values():
            self.carry_out(service, service.tick(now))
            for delivery in service.deliveries(now, int(self.clock.wall() * 1000)):
                self.sender.enqueue(delivery)
        self.sender.tick(now)
        self.set_timer()

    def set_timer(self) -> None:
        """Wake up when the earliest deadline comes."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        dues = [service.next_due() for service in self.services.values()]
        dues.append(self.sender.next_due())
        due = min((when for when in dues if when is not None), default=None)
        if due is not None:
            wait = max(0.0, due - self.clock.now())
            self._timer = asyncio.get_running_loop().call_later(wait, self.tick)

    def watch_silence(self, link: Link) -> None:
        """Ping a link that has gone silent, close one that stays so, and look again later."""
        if link.closing:
            return
        step = link.keepalive.check(self.clock.now())
        if step is Step.DROP:
            self.close(link, 4201, "Pong reply not received in time")
            return
        if step is Step.PING:
            link.write(PING)
        wait = max(0.0, link.keepalive.due() - self.clock.now())
        link.look_again(wait, self.watch_silence)

    def note(self, kind: Kind, link: Link, **facts: object) -> None:
        """Log something about one connection."""
        app = link.service.app.id
        self.log.add(kind, app, self.clock.wall(), socket_id=link.socket_id, **facts)

    def _send(self, service: Service, sockets: tuple[str, ...], frame: str) -> None:
        loop = asyncio.get_running_loop()
        encoded = text_frame(frame)
        for socket_id in sockets:
            link = self.links.get(socket_id)
            if link is None or link.closing:
                continue
            link.write(encoded)
            if link.unsent_bytes > self.settings.write_buffer_bytes:
                # Not at once: closing makes further broadcasts, whose receivers may be slow too.
                loop.call_soon(self.close, link, 4100, "Too slow: the write buffer is full")
        self.log.add(
            "frame",
            service.app.id,
            self.clock.wall(),
            direction="out",
            text=frame,
            socket_ids=list(sockets[:LOGGED_RECEIVERS]),
            receivers=len(sockets),
        )

    def _note_event(self, service: Service, event: Triggered) -> None:
        self.log.add(
            "event",
            service.app.id,
            self.clock.wall(),
            channel=event.channel,
            event=event.event,
            data=event.data,
            receivers=event.receivers,
            source="api" if event.socket_id is None else "client",
            socket_id=event.socket_id,
        )
