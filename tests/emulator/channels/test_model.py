"""Whatever clients do, in any order: counts, members and webhooks agree with a naive model."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gae_pusher.emulator.channels import AppLimits

from .stage import HOOKED, Stage, member_data

GRACE = 3
SOCKETS = st.sampled_from([f"1.{number}" for number in range(4)])
CHANNELS = st.sampled_from(["presence-a", "presence-cache-b", "cache-c"])
USERS = st.sampled_from(["ada", "bo", "cy"])


class Model(RuleBasedStateMachine):
    """`joined` is who is where; `spans` is when each channel and member was there."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(replace(HOOKED, limits=AppLimits(presence_members=2)))
        self.joined: dict[str, dict[str, str]] = {}
        self.spans: dict[tuple[str, str | None], list[list[float]]] = defaultdict(list)
        self.told: list[dict[str, object]] = []
        self.views: dict[tuple[str, str], set[str]] = {}
        self.counts: dict[tuple[str, str], int] = {}

    @rule(socket=SOCKETS)
    def disconnect(self, socket: str) -> None:
        before = self.subjects()
        self.joined.pop(socket, None)
        self.stage.disconnect(socket)
        self.forget(socket)
        self.record(before)

    @rule(socket=SOCKETS, channel=CHANNELS, user=USERS)
    def subscribe(self, socket: str, channel: str, user: str) -> None:
        if socket not in self.joined:
            self.joined[socket] = {}
            self.stage.connect(socket)
        if channel in self.joined[socket]:
            return
        before = self.subjects()
        members = self.members(channel)
        full = channel.startswith("presence-") and user not in members and len(members) == 2
        if not full:
            self.joined[socket][channel] = user
        is_presence = channel.startswith("presence-")
        self.stage.subscribe(socket, channel, member_data(user) if is_presence else None)
        self.record(before)

    @precondition(lambda self: self.joined)
    @rule(socket=SOCKETS, channel=CHANNELS)
    def unsubscribe(self, socket: str, channel: str) -> None:
        if socket not in self.joined:
            return
        before = self.subjects()
        self.joined[socket].pop(channel, None)
        self.stage.unsubscribe(socket, channel)
        self.forget(socket, channel)
        self.record(before)

    @rule(seconds=st.sampled_from([1, 2, 3, 5]))
    def wait(self, seconds: float) -> None:
        self.stage.pass_time(seconds)
        self.told += self.stage.webhook_events()

    @invariant()
    def channels_agree(self) -> None:
        """The hub has exactly the joined sockets and members."""
        hub = {c.name: (set(c.sockets), set(c.members.infos())) for c in self.stage.service.hub}
        names = {name for channels in self.joined.values() for name in channels}
        assert hub == {
            name: (
                {socket for socket, channels in self.joined.items() if name in channels},
                self.members(name),
            )
            for name in names
        }

    @invariant()
    def clients_agree(self) -> None:
        """Members and counts, as every client knows them from its frames, are true."""
        for socket in list(self.stage.got):
            for frame in self.stage.take(socket):
                self.read(socket, frame)
        for (_, channel), view in self.views.items():
            assert view == self.members(channel)
        for (_, channel), count in self.counts.items():
            assert count == sum(channel in channels for channels in self.joined.values())

    def teardown(self) -> None:
        """When all grace periods are over, webhooks have told every span once, gaps closed."""
        self.wait(10)
        self.wait(10)
        for (channel, user), spans in self.spans.items():
            names = ("channel_occupied", "channel_vacated")
            if user is not None:
                names = ("member_added", "member_removed")
            told = [
                event["name"]
                for event in self.told
                if event["name"] in names
                and (event["channel"], event.get("user_id")) == (channel, user)
            ]
            merged: list[list[float]] = []
            for span in spans:
                if merged and span[0] - merged[-1][1] < GRACE:
                    merged[-1] = [merged[-1][0], *span[1:]]
                else:
                    merged.append(list(span))
            assert told == [name for span in merged for name in names[: len(span)]]
        assert self.stage.service.next_due() is None

    def members(self, channel: str) -> set[str]:
        if not channel.startswith("presence-"):
            return set()
        return {chs[channel] for chs in self.joined.values() if channel in chs}

    def subjects(self) -> set[tuple[str, str | None]]:
        names = {name for channels in self.joined.values() for name in channels}
        return {(name, None) for name in names} | {
            (name, user) for name in names for user in self.members(name)
        }

    def record(self, before: set[tuple[str, str | None]]) -> None:
        after = self.subjects()
        for subject in after - before:
            self.spans[subject].append([self.stage.now])
        for subject in before - after:
            self.spans[subject][-1].append(self.stage.now)

    def forget(self, socket: str, channel: str | None = None) -> None:
        self.stage.take(socket)
        for table in (self.views, self.counts):
            for key in [k for k in table if k[0] == socket and channel in (None, k[1])]:
                del table[key]

    def read(self, socket: str, frame: dict[str, str]) -> None:
        event, key = frame["event"], (socket, frame.get("channel", ""))
        data = json.loads(frame["data"]) if isinstance(frame["data"], str) else frame["data"]
        if event == "pusher_internal:subscription_succeeded" and "presence" in data:
            assert data["presence"]["ids"] == list(data["presence"]["hash"])
            assert data["presence"]["count"] == len(data["presence"]["ids"])
            self.views[key] = set(data["presence"]["ids"])
        elif event == "pusher_internal:member_added":
            assert data["user_id"] not in self.views[key]
            self.views[key].add(data["user_id"])
        elif event == "pusher_internal:member_removed":
            self.views[key].remove(data["user_id"])
        elif event == "pusher_internal:subscription_count":
            self.counts[key] = data["subscription_count"]


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
