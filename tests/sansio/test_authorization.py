"""Tokens for browsers: what is signed, what the answer holds, what is never signed."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher import errors
from gae_pusher.config import Config
from gae_pusher.limits import Limits
from gae_pusher.sansio.authorization import authenticate_user, authorize_channel

SOCKET = "5120.77341"
CONFIG = Config(app_id="1", key="k", secret="s", encryption_master_key=bytes(32))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def token(text: str) -> str:
    return "k:" + hmac.new(b"s", text.encode(), hashlib.sha256).hexdigest()


def test_a_private_channel() -> None:
    """A private channel's answer is the token alone."""
    answer = authorize_channel(CONFIG, "private-desk", SOCKET)
    assert answer == {"auth": token(f"{SOCKET}:private-desk")}


@given(user_id=TEXT.filter(bool), name=TEXT)
def test_a_presence_channel(user_id: str, name: str) -> None:
    """The text that was signed is the text in the answer, and holds the member."""
    member = {"user_id": user_id, "user_info": {"name": name}}
    answer = authorize_channel(CONFIG, "presence-room", SOCKET, member)
    assert answer["auth"] == token(f"{SOCKET}:presence-room:{answer['channel_data']}")
    assert json.loads(answer["channel_data"]) == member


def test_a_signed_in_member_needs_no_data() -> None:
    """Without custom data a presence token covers socket and channel alone."""
    answer = authorize_channel(CONFIG, "presence-room", SOCKET)
    assert answer == {"auth": token(f"{SOCKET}:presence-room")}


def test_an_encrypted_channels_answer_is_json() -> None:
    """Every value is a str, the shared secret too, so json.dumps accepts the answer."""
    answer = authorize_channel(CONFIG, "private-encrypted-vault", SOCKET)
    assert set(json.loads(json.dumps(answer))) == {"auth", "shared_secret"}
    assert all(isinstance(value, str) for value in answer.values())


def test_an_encrypted_channel_without_a_master_key_is_refused() -> None:
    """The missing setting is named instead of an answer that the page cannot use."""
    with pytest.raises(errors.MissingMasterKey):
        authorize_channel(Config(app_id="1", key="k", secret="s"), "private-encrypted-x", SOCKET)


def test_custom_data_of_a_private_channel_is_signed_too() -> None:
    """The older modules did so, and pusher-js sends what it was given; falsy data counts."""
    answer = authorize_channel(CONFIG, "private-desk", SOCKET, {})
    assert answer == {"auth": token(f"{SOCKET}:private-desk:{{}}"), "channel_data": "{}"}


def test_a_text_is_signed_as_it_stands() -> None:
    """A caller who has JSON already keeps it to the letter."""
    text = '{ "user_id": "u-19" }'
    answer = authorize_channel(CONFIG, "presence-room", SOCKET, text)
    assert answer["channel_data"] == text
    assert authenticate_user(CONFIG, SOCKET, '{"id": "u"}')["user_data"] == '{"id": "u"}'


def test_a_number_as_id_becomes_text() -> None:
    """A Datastore id signs as the str that every client library expects; the dict is untouched."""
    member, user = {"user_id": 19}, {"id": 19}
    before = copy.deepcopy((member, user))
    answer = authorize_channel(CONFIG, "presence-room", SOCKET, member)
    assert answer["channel_data"] == '{"user_id":"19"}'
    assert authenticate_user(CONFIG, SOCKET, user)["user_data"] == '{"id":"19"}'
    assert (member, user) == before


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({}, errors.InvalidUserId),
        ({"user_info": {}}, errors.InvalidUserId),
        ({"user_id": ""}, errors.InvalidUserId),
        ({"user_id": None}, errors.InvalidUserId),
        ({"user_id": True}, errors.InvalidUserId),
        ({"user_id": "u" * 129}, errors.InvalidUserId),
        ("[]", errors.InvalidUserId),
        ('{"user_id": 19}', errors.InvalidUserId),
        ("no json", errors.InvalidRequest),
        ("[" * 100_000, errors.InvalidRequest),
        (["u-19"], errors.InvalidUserId),
        ({"user_id": "u", "user_info": {1, 2}}, errors.InvalidRequest),
        ({"user_id": "u", "user_info": "\ud800"}, errors.InvalidRequest),
        ({"user_id": "u", "user_info": "é" * 512}, errors.PayloadTooLarge),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_member_that_nobody_could_be(data: Any, error: type[Exception]) -> None:
    """No id, a wrong id, over 1,024 bytes: refused before anything is signed."""
    with pytest.raises(error):
        authorize_channel(CONFIG, "presence-room", SOCKET, data)


def test_the_limit_of_a_members_data_is_a_setting() -> None:
    """A cluster that takes more than 1 KB gets more."""
    config = Config(app_id="1", key="k", secret="s", limits=Limits(channel_data_bytes=5000))
    authorize_channel(config, "presence-room", SOCKET, {"user_id": "u", "user_info": "x" * 4000})


@pytest.mark.parametrize(
    "channel", ["shop-7", "#server-to-user-u-19", "#server-to-user-", "cache-x", "private-\n"]
)
def test_channels_that_get_no_token(channel: str) -> None:
    """A token for another user's own channel would let anybody listen to it."""
    with pytest.raises(errors.InvalidChannelName):
        authorize_channel(CONFIG, channel, SOCKET)


@pytest.mark.parametrize("socket_id", ["", "1", "1.2:private-x", "1.2\n", "1.2.3", "a.b", None])
def test_socket_ids_that_get_no_token(socket_id: Any) -> None:
    """A lax check would let an attacker have a text of his choice signed."""
    with pytest.raises(errors.InvalidSocketId):
        authorize_channel(CONFIG, "private-desk", socket_id)
    with pytest.raises(errors.InvalidSocketId):
        authenticate_user(CONFIG, socket_id, {"id": "u"})


def test_a_user() -> None:
    """The user's data is signed as text, watchlist included."""
    user = {"id": "u-19", "user_info": {"name": "Zoë"}, "watchlist": ["u-20"]}
    answer = authenticate_user(CONFIG, SOCKET, user)
    assert answer["auth"] == token(f"{SOCKET}::user::{answer['user_data']}")
    assert json.loads(answer["user_data"]) == user


@pytest.mark.parametrize(
    ("user", "error"),
    [
        (None, errors.InvalidUserId),
        ({}, errors.InvalidUserId),
        ({"id": ""}, errors.InvalidUserId),
        ({"id": "a b"}, errors.InvalidUserId),
        ({"id": "u" * 201}, errors.InvalidUserId),
        ({"id": "u", "watchlist": "u-20"}, errors.InvalidRequest),
        ({"id": "u", "watchlist": 5}, errors.InvalidRequest),
        ({"id": "u", "watchlist": [5]}, errors.InvalidRequest),
        ({"id": "u", "watchlist": ["u"] * 101}, errors.InvalidRequest),
        ({"id": "u", "user_info": "\ud800"}, errors.InvalidRequest),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_user_that_nobody_could_be(user: Any, error: type[Exception]) -> None:
    """An id outside the alphabet and a watchlist of over 100 ids are refused."""
    with pytest.raises(error):
        authenticate_user(CONFIG, SOCKET, user)


def test_the_json_encoder_is_honoured() -> None:
    """Types of the caller's own may stand in user_info."""

    class Dates(json.JSONEncoder):
        def default(self, o: Any) -> Any:
            return o.isoformat()

    config = Config(app_id="1", key="k", secret="s", json_encoder=Dates)
    member = {"user_id": "u", "user_info": date(2026, 1, 2)}
    answer = authorize_channel(config, "presence-room", SOCKET, member)
    assert answer["channel_data"] == '{"user_id":"u","user_info":"2026-01-02"}'
