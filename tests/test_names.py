"""Names on the wire are accepted exactly when the protocol allows them."""

from __future__ import annotations

import string
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher import names
from gae_pusher.errors import (
    InvalidChannelName,
    InvalidEventName,
    InvalidRequest,
    InvalidSocketId,
    InvalidUserId,
)
from gae_pusher.names import ChannelKind as Kind

ALPHABET = string.ascii_letters + string.digits + "_-=@,.;"
ANY_TEXT = st.one_of(
    st.text(ALPHABET, max_size=220), st.text(max_size=20), st.text(ALPHABET + "\n#:é/ ", max_size=9)
)


def accepted(check: object, value: object) -> bool:
    assert callable(check)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return bool(check(value) == value)
        except InvalidRequest:
            return False


@given(ANY_TEXT)
def test_a_channel_name_is_accepted_iff_the_alphabet_allows_it(text: str) -> None:
    """1 to 200 characters of the documented alphabet are a channel name, nothing else is."""
    if text.startswith("#"):
        return
    expected = 1 <= len(text) <= 200 and set(text) <= set(ALPHABET)
    assert accepted(names.check_channel, text) == expected


@given(ANY_TEXT)
def test_a_user_id_is_accepted_iff_the_alphabet_allows_it(text: str) -> None:
    """A user id follows a channel's rules, also behind the prefix of a user's own channel."""
    expected = 1 <= len(text) <= 200 and set(text) <= set(ALPHABET)
    assert accepted(names.check_user_id, text) == expected
    assert accepted(names.check_channel, "#server-to-user-" + text) == expected


@given(st.one_of(st.from_regex(r"[0-9]{1,9}\.[0-9]{1,9}", fullmatch=True), st.text("0189.\n:a٣")))
def test_a_socket_id_is_digits_dot_digits(text: str) -> None:
    """Nothing but ASCII digits, one dot, ASCII digits is signed as a socket id."""
    left, dot, right = text.partition(".")
    expected = bool(dot) and all(part and set(part) <= set(string.digits) for part in (left, right))
    assert accepted(names.check_socket_id, text) == expected


@given(st.text(max_size=210))
def test_an_event_name_is_any_unicode_but_the_services_own(text: str) -> None:
    """1 to 200 characters; `pusher:` and `pusher_internal:` belong to the service."""
    expected = 1 <= len(text) <= 200 and not text.startswith(("pusher:", "pusher_internal:"))
    assert accepted(names.check_event, text) == expected


@pytest.mark.parametrize("name", ["pusher:subscribe", "pusher_internal:x", "a\ud800", "", None, 7])
def test_event_names_that_cannot_be_sent_are_refused(name: object) -> None:
    """A reserved name, a lone surrogate, nothing and no text are refused before sending."""
    with pytest.raises(InvalidEventName):
        names.check_event(name)


@pytest.mark.parametrize("name", ["client-typing", "App\\Events\\Paid", "a.b:c", "päivä"])
def test_event_names_that_frameworks_use_are_accepted(name: str) -> None:
    """The service takes names outside its documented alphabet, so we do."""
    assert names.check_event(name) == name


@pytest.mark.parametrize(
    ("check", "error"),
    [
        (names.check_channel, InvalidChannelName),
        (names.check_event, InvalidEventName),
        (names.check_user_id, InvalidUserId),
        (names.check_socket_id, InvalidSocketId),
    ],
)
@pytest.mark.parametrize("value", [None, 5, b"bytes", ["list"], ""])
def test_what_is_no_text_is_refused_by_name(check: object, error: type, value: object) -> None:
    """None, numbers, bytes and lists get the error of the name they were meant to be."""
    assert callable(check)
    with pytest.raises(error):
        check(value)


def test_the_error_names_the_value_and_the_limit() -> None:
    """A long name is shown shortened, with its length and the limit."""
    with pytest.raises(InvalidChannelName, match=r"'aaa.*\.\.\.' has 201 characters.*200"):
        names.check_channel("a" * 201)


def test_a_name_above_the_documented_length_warns_once_and_is_accepted() -> None:
    """Between 165 and 200 characters Python's default filter shows one warning, not one each."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for name in ("a" * 164, "a" * 165, "b" * 200):
            assert names.check_channel(name) == name
    assert [str(warning.message)[:41] for warning in caught] == [
        "a channel name has more than 164 characte"
    ]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("shop-7", Kind.PUBLIC),
        ("my-private-x", Kind.PUBLIC),
        ("Private-x", Kind.PUBLIC),
        ("privatex", Kind.PUBLIC),
        ("cache-board", Kind.CACHE),
        ("cache-private-x", Kind.CACHE),
        ("nocache-x", Kind.PUBLIC),
        ("private-desk", Kind.PRIVATE),
        ("private-cache-x", Kind.PRIVATE | Kind.CACHE),
        ("private-encrypted-vault", Kind.PRIVATE | Kind.ENCRYPTED),
        ("private-encrypted-cache-x", Kind.PRIVATE | Kind.ENCRYPTED | Kind.CACHE),
        ("private-encryptedx", Kind.PRIVATE),
        ("presence-room", Kind.PRESENCE),
        ("presence-cache-x", Kind.PRESENCE | Kind.CACHE),
        ("presence-encrypted-x", Kind.PRESENCE),
        ("#server-to-user-u-19", Kind.SERVER_TO_USER),
    ],
)
def test_the_prefix_decides_the_kind(name: str, kind: Kind) -> None:
    """The longest known prefix, case-sensitive and at the start only, says what a channel is."""
    assert Kind.of(name) == kind


@pytest.mark.parametrize("name", ["shop-7", "cache-board", "#server-to-user-u-19", "my-private-x"])
def test_no_token_is_signed_for_a_channel_that_needs_none(name: str) -> None:
    """Public channels and users' own channels are refused: a token for the latter would leak."""
    with pytest.raises(InvalidChannelName, match="needs no authorization"):
        names.check_authorizable_channel(name)


@pytest.mark.parametrize("name", [".", ".."])
def test_dot_segments_stay_out_of_paths(name: str) -> None:
    """A name that HTTP clients resolve away would be signed as one path and sent as another."""
    with pytest.raises(InvalidUserId, match="path"):
        names.check_path_segment(name, InvalidUserId)
    assert names.check_path_segment("a.b", InvalidUserId) == "a.b"
