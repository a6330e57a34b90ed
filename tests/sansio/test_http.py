"""Requests as they are sent."""

from __future__ import annotations

from gae_pusher.sansio.http import LIBRARY, Request, Response
from gae_pusher.version import __version__


def test_the_query_is_percent_encoded() -> None:
    """What is signed raw travels encoded, so that spaces and ampersands arrive."""
    request = Request("GET", "https://h/p", "/apps/1/channels", (("info", "a,b"), ("q", "ä &")))
    assert request.url == "https://h/p/apps/1/channels?info=a%2Cb&q=%C3%A4%20%26"


def test_headers_of_a_post_and_a_get() -> None:
    """A body is announced as JSON; every request names the library and its version."""
    assert f"gae_pusher {__version__}" == LIBRARY
    assert Request("GET", "h", "/x", ()).headers == {"X-Pusher-Library": LIBRARY}
    assert Request("POST", "h", "/x", (), b"{}").headers == {
        "Content-Type": "application/json",
        "X-Pusher-Library": LIBRARY,
    }


def test_bodies_stay_out_of_the_repr() -> None:
    """A payload does not end up in a log by way of a repr."""
    assert "hush" not in repr(Request("POST", "h", "/x", (("a", "hush"),), b"hush"))
    assert "hush" not in repr(Response(200, b"hush"))
