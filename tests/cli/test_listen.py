"""`gae-pusher listen` against the local Channels server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from gae_pusher import ChannelAuthorizationApp, Pusher
from gae_pusher.cli.listen import render
from gae_pusher.client import Disconnected, Event, Problem, Subscribed
from gae_pusher.testing.channels import RunningServer
from tests.serving import serving

MASTER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@contextmanager
def listening(url: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command as a process of its own, with its output line by line."""
    command = [sys.executable, "-m", "gae_pusher", "listen", "--json", *arguments]
    environ = {"PUSHER_URL": url, "PUSHER_ENCRYPTION_MASTER_KEY_BASE64": MASTER_KEY}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def next_of(process: subprocess.Popen[str], kind: str) -> dict[str, object]:
    assert process.stdout is not None
    for line in process.stdout:
        row: dict[str, object] = json.loads(line)
        if row["kind"] == kind:
            return row
    raise AssertionError(process.stderr and process.stderr.read())


def test_every_kind_of_channel(channels_server: RunningServer) -> None:
    """Public, private, presence and encrypted channels are heard; the count ends it with 0."""
    url = channels_server.pusher_url
    pusher = Pusher.from_url(url, encryption_master_key_base64=MASTER_KEY)
    names = ["shop", "private-desk", "presence-room", "private-encrypted-vault"]
    with listening(url, *names, "--user-id", "me", "--count", "4") as process:
        subscribed = [next_of(process, "subscribed") for _ in names]
        members = {row["channel"]: row["members"] for row in subscribed}
        assert members == dict.fromkeys(names) | {"presence-room": ["me"]}
        for name in names:
            pusher.trigger(name, "tick", {"on": name})
        ticks = []
        while len(ticks) < len(names):
            row = next_of(process, "event")
            ticks += [(row["channel"], row["data"])] if row["event"] == "tick" else []
        assert ticks == [(name, {"on": name}) for name in names]
        assert process.wait(10) == 0


def test_it_comes_back_after_an_accident(channels_server: RunningServer) -> None:
    """A connection that the server ends with 4200 is opened again and subscribed again."""
    with listening(channels_server.pusher_url, "shop") as process:
        socket_id = str(next_of(process, "connected")["socket_id"])
        next_of(process, "subscribed")
        channels_server.close_connection(socket_id, 4200)
        assert next_of(process, "disconnected")["retry_seconds"] == 0
        assert next_of(process, "connected")["socket_id"] != socket_id
        assert next_of(process, "subscribed")["channel"] == "shop"


def test_a_refusal_ends_it(channels_server: RunningServer) -> None:
    """A wrong key is not tried again: exit code 1."""
    url = channels_server.pusher_url.replace(channels_server.app.key, "wrong-key")
    with listening(url, "shop") as process:
        row = next_of(process, "disconnected")
        assert (row["code"], row["retry_seconds"]) == (4001, None)
        assert process.wait(10) == 1


def test_only_the_named_events_count(channels_server: RunningServer) -> None:
    """--event filters what is printed and counted."""
    pusher = Pusher.from_url(channels_server.pusher_url)
    with listening(channels_server.pusher_url, "shop", "--event", "b", "--count", "1") as process:
        next_of(process, "subscribed")
        pusher.trigger("shop", "a", {})
        pusher.trigger("shop", "b", {})
        assert next_of(process, "event")["event"] == "b"
        assert process.wait(10) == 0


def test_the_app_may_authorize(channels_server: RunningServer) -> None:
    """With --auth-endpoint the app decides, by the headers it is given."""
    application = ChannelAuthorizationApp(Pusher.from_url(channels_server.pusher_url))

    @application.authorize("private-{name}")
    def may_join(request, name):  # type: ignore[no-untyped-def]
        return request.header("X-Role") == name

    with serving(application) as app_url:
        endpoint = f"{app_url}/pusher/auth"
        options = ("--auth-endpoint", endpoint, "--auth-header", "X-Role: desk")
        with listening(
            channels_server.pusher_url, "private-vault", "private-desk", *options
        ) as process:
            assert "answered 403" in str(next_of(process, "problem")["message"])
            assert next_of(process, "subscribed")["channel"] == "private-desk"


def test_no_event_steers_the_terminal() -> None:
    """Control characters in names, data and messages are shown, not obeyed."""
    evil = "a\x1b[2Jb\n12:00:00  forged"
    for happening in (
        Event("shop", evil, evil, evil),
        Problem(evil),
        Subscribed("presence-x", (evil,)),
        Disconnected(4001, evil, None),
    ):
        line = render(happening)
        assert line.isprintable()
        assert "\\u001b[2J" in line
    assert render(Event("shop", "e", {"name": "Žanis"})).endswith('{"name": "Žanis"}')
