"""Pages of other origins: listed ones may ask and read, no other one may."""

from __future__ import annotations

from typing import Any

import pytest

from gae_pusher import ChannelAuthorizationApp, ConfigurationError
from tests.wsgi.support import SOCKET_ID, client, make_pusher

PAGE = "https://app.example"
FORM = {"socket_id": SOCKET_ID, "channel_name": "private-lobby"}


@pytest.fixture
def http() -> Any:
    channels = ChannelAuthorizationApp(make_pusher(), allow_origins=[PAGE, "http://localhost:8080"])
    channels.authorize("private-lobby")(lambda request: request.header("Authorization") == "yes")
    return client(channels)


def preflight(http: Any, origin: str, wanted: str = "authorization", status: int = 204) -> Any:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": wanted,
    }
    return http.options("/", headers=headers, status=status)


def test_preflight(http: Any) -> None:
    """A listed origin may POST with the headers that it asked for; cookies are never invited."""
    headers = preflight(http, PAGE, "authorization, x-team").headers
    assert headers["Access-Control-Allow-Origin"] == PAGE
    assert headers["Access-Control-Allow-Methods"] == "POST"
    assert headers["Access-Control-Allow-Headers"] == "authorization, x-team"
    assert headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://app.example.evil", "http://app.example", "null"]
)
def test_other_origins(http: Any, origin: str) -> None:
    """No other origin is let in, and what a simple request brings back is not readable for it."""
    refused = preflight(http, origin, status=403)
    answered = http.post("/", FORM, headers={"Origin": origin, "Authorization": "yes"})
    for answer in (refused, answered):
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Vary"] == "Origin"


def test_answers_are_readable(http: Any) -> None:
    """A listed origin reads tokens and refusals alike."""
    for authorization, status in (("yes", 200), ("no", 403)):
        headers = {"Origin": PAGE, "Authorization": authorization}
        answer = http.post("/", FORM, headers=headers, status=status)
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE


def test_odd_header_names_are_not_echoed(http: Any) -> None:
    """A preflight that asks for what are no header names gets none of them."""
    headers = preflight(http, PAGE, 'x"<script>').headers
    assert "Access-Control-Allow-Headers" not in headers


@pytest.mark.parametrize(
    "origin", ["app.example", "https://app.example/", "*", "https://*.a.b", ""]
)
def test_what_is_no_origin(origin: str) -> None:
    """An origin that no browser would send is refused where it is written."""
    with pytest.raises(ConfigurationError, match="allow_origins"):
        ChannelAuthorizationApp(make_pusher(), allow_origins=[origin])


def test_one_origin_as_a_str() -> None:
    """One origin may stand alone."""
    channels = ChannelAuthorizationApp(make_pusher(), allow_origins=PAGE)
    preflight(client(channels), PAGE)
