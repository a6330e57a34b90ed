"""Acceptance: every verb against a whole Channels service, seen from the other end.

The local Channels server by default; with PUSHER_URL in the environment the service that it names,
the hosted one for example. Nothing is cleaned up there, and names are new for each run.
"""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest

import gae_pusher
from gae_pusher import Pusher
from gae_pusher.sansio.encryption import open_envelope
from gae_pusher.testing import running_server
from tests.acceptance.listener import Listener, listening

MASTER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OPTIONS: dict[str, Any] = {"encryption_master_key_base64": MASTER_KEY, "timeout": 15}
Scene = Callable[[Listener], Coroutine[Any, Any, None]]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    if given := os.environ.get("PUSHER_URL"):
        yield given
        return
    with running_server() as server:
        yield server.pusher_url


@pytest.fixture(params=["RequestsChannel", "GoogleAppEngineChannel"])
def pusher(url: str, request: pytest.FixtureRequest) -> Pusher:
    return Pusher.from_url(url, channel_type=getattr(gae_pusher, request.param), **OPTIONS)


@pytest.fixture
def unique() -> str:
    """A part of names that no other run has."""
    return uuid.uuid4().hex[:12]


def play(pusher: Pusher, scene: Scene) -> None:
    """Run a scene with a connected listener."""

    async def run() -> None:
        async with listening(pusher) as listener:
            await scene(listener)

    asyncio.run(run())


def test_trigger(pusher: Pusher, unique: str) -> None:
    """An event arrives at a subscriber with its data to the letter."""
    data = {"some": "data", "who": "zoë"}

    async def scene(listener: Listener) -> None:
        await listener.subscribe(unique)
        assert pusher[unique].trigger("an_event", data) is True
        frame = await listener.event("an_event")
        assert frame["channel"] == unique
        assert json.loads(frame["data"]) == data

    play(pusher, scene)


def test_trigger_leaves_out_the_sender(pusher: Pusher, unique: str) -> None:
    """The connection whose socket id is given does not get the event, only the next one."""

    async def scene(listener: Listener) -> None:
        await listener.subscribe(unique)
        pusher.trigger([unique, f"{unique}-2"], "an_event", "first", listener.socket_id)
        pusher.trigger(unique, "an_event", "second")
        assert (await listener.event("an_event"))["data"] == "second"

    play(pusher, scene)


def test_a_batch_arrives_in_order(pusher: Pusher, unique: str) -> None:
    """Twelve events, two requests, one order."""

    async def scene(listener: Listener) -> None:
        await listener.subscribe(unique)
        pusher.trigger_batch(
            {"channel": unique, "name": "tick", "data": str(index)} for index in range(12)
        )
        got = [(await listener.event("tick"))["data"] for _ in range(12)]
        assert got == [str(index) for index in range(12)]

    play(pusher, scene)


def test_trigger_to_a_hundred_and_one_channels(pusher: Pusher, unique: str) -> None:
    """The last channel, which travels in a second request, has the event too."""
    channels = [f"{unique}-{index}" for index in range(101)]

    async def scene(listener: Listener) -> None:
        await listener.subscribe(channels[-1])
        pusher.trigger(channels, "an_event", {})
        assert (await listener.event("an_event"))["channel"] == channels[-1]

    play(pusher, scene)


def test_a_private_channel(pusher: Pusher, unique: str) -> None:
    """The service accepts our token."""
    channel = f"private-{unique}"

    async def scene(listener: Listener) -> None:
        await listener.subscribe(channel, pusher.authenticate(channel, listener.socket_id))
        pusher[channel].trigger("an_event", {})
        await listener.event("an_event")

    play(pusher, scene)


def test_a_presence_channel_and_its_users(pusher: Pusher, unique: str) -> None:
    """The member that we signed is counted and listed."""
    channel = f"presence-{unique}"
    member = {"user_id": "u-19", "user_info": {"name": "Zoë"}}

    async def scene(listener: Listener) -> None:
        token = pusher[channel].authenticate(listener.socket_id, member)
        await listener.subscribe(channel, token)
        assert pusher.users_info(channel) == {"users": [{"id": "u-19"}]}
        assert pusher.channel_info(channel, ["user_count"])["user_count"] == 1
        occupied = pusher.channels_info(f"presence-{unique}", ["user_count"])
        assert occupied == {"channels": {channel: {"user_count": 1}}}
        assert pusher[channel].trigger("an_event", {}, info="user_count")["user_count"] == 1

    play(pusher, scene)


def test_what_nobody_listens_to_is_vacant(pusher: Pusher, unique: str) -> None:
    """A channel without subscribers is no error and is not listed."""
    assert pusher.channel_info(unique)["occupied"] is False
    assert pusher.channels_info(unique) == {"channels": {}}


def test_an_encrypted_event(pusher: Pusher, unique: str) -> None:
    """The service carries what it cannot read, and the subscriber's key opens it."""
    channel = f"private-encrypted-{unique}"

    async def scene(listener: Listener) -> None:
        await listener.subscribe(channel, pusher.authenticate(channel, listener.socket_id))
        pusher.trigger(channel, "opened", {"pin": "0042"})
        data = (await listener.event("opened"))["data"]
        assert "0042" not in data
        text = open_envelope(channel, data, pusher.config.encryption_master_key)
        assert json.loads(text) == {"pin": "0042"}

    play(pusher, scene)


def test_a_user_signs_in_is_reached_and_terminated(pusher: Pusher, unique: str) -> None:
    """Sign-in, an event for the user alone, and the end of the connection."""

    async def scene(listener: Listener) -> None:
        answer = pusher.authenticate_user(listener.socket_id, {"id": unique})
        await listener.sign_in(answer, unique)
        pusher.send_to_user(unique, "hello", {"a": 1})
        assert json.loads((await listener.event("hello"))["data"]) == {"a": 1}
        pusher.terminate_user_connections(unique)
        assert await listener.closed() > 0

    play(pusher, scene)


def test_a_cache_channel_keeps_the_last_event(pusher: Pusher, unique: str) -> None:
    """Whoever subscribes later gets the event that was triggered before."""
    channel = f"cache-{unique}"

    async def scene(listener: Listener) -> None:
        pusher.trigger(channel, "an_event", "kept")
        await listener.subscribe(channel)
        assert (await listener.event("an_event"))["data"] == "kept"
        assert pusher.channel_info(channel, "cache")["cache"]["data"] == "kept"

    play(pusher, scene)


@pytest.mark.parametrize("size", [10_240, 10_241])
def test_the_limit_of_an_event(pusher: Pusher, unique: str, size: int) -> None:
    """10,240 bytes are accepted; a byte more is refused here, and by the service if we let it."""
    if size == 10_240:
        assert pusher.trigger(unique, "an_event", "é" * (size // 2)) == {}
        return
    with pytest.raises(gae_pusher.PayloadTooLarge):
        pusher.trigger(unique, "an_event", "x" * size)
    config = replace(pusher.config.limits, event_data_bytes=20_000)
    unchecked = same_app(pusher, limits=config)
    with pytest.raises(gae_pusher.RequestTooLarge) as caught:
        unchecked.trigger(unique, "an_event", "x" * size)
    assert caught.value.status == 413


def test_a_wrong_secret(pusher: Pusher, unique: str) -> None:
    """401 is AuthenticationError, by its older name too, and says what to check."""
    wrong = same_app(pusher, secret="not-the-secret")
    with pytest.raises(gae_pusher.PusherBadAuth, match="check the secret") as caught:
        wrong[unique].trigger("an_event", {})
    assert isinstance(caught.value, gae_pusher.AuthenticationError)


def test_a_key_that_does_not_exist(pusher: Pusher, unique: str) -> None:
    """An unknown key is 400, the service's way to say wrong key or wrong cluster."""
    with pytest.raises(gae_pusher.BadRequest, match="Unknown auth_key"):
        same_app(pusher, key="no-such-key").trigger(unique, "an_event", {})


def test_an_attribute_that_does_not_apply(pusher: Pusher, unique: str) -> None:
    """The user count of a channel without users is 400."""
    with pytest.raises(gae_pusher.BadRequest):
        pusher.channel_info(unique, "user_count")


def test_a_path_that_does_not_exist(pusher: Pusher, unique: str) -> None:
    """A wrong path prefix gives 404, not silence."""
    with pytest.raises(gae_pusher.NotFoundError):
        same_app(pusher, path_prefix="/nowhere").trigger(unique, "an_event", {})


def test_names_with_every_character_of_the_alphabet(pusher: Pusher, unique: str) -> None:
    """What may stand in a name arrives, in a body and in a path, signed as it was sent."""
    channel = f"{unique}_-=@,.;"

    async def scene(listener: Listener) -> None:
        await listener.subscribe(channel)
        pusher[channel].trigger("Ünï cödé: \\Event", "")
        await listener.event("Ünï cödé: \\Event")
        assert pusher.channel_info(channel)["occupied"] is True
        assert channel in pusher.channels_info(channel)["channels"]

    play(pusher, scene)


def same_app(pusher: Pusher, **changes: Any) -> Pusher:
    """Another Pusher for the same app, with some settings changed."""
    config = pusher.config
    names = ("app_id", "key", "secret", "host", "port", "ssl", "timeout")
    options = {name: getattr(config, name) for name in names}
    return Pusher(channel_type=pusher.channel_type, **(options | changes))
