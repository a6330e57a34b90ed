"""What reaches the app, and what reaches the client."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher.emulator.appengine.headers import APP_ENGINE_HEADERS, from_outside, to_outside

TRUSTED = [
    "X-AppEngine-QueueName",
    "X-AppEngine-TaskName",
    "X-AppEngine-TaskRetryCount",
    "X-AppEngine-TaskExecutionCount",
    "X-AppEngine-TaskETA",
    "X-Appengine-Cron",
    "X-Appengine-Inbound-Appid",
    "X-Appengine-User-Is-Admin",
    "X-Google-Internal-Skipadmincheck",
    "X-Google-Anything-At-All",
]


def passed(*headers: tuple[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in from_outside(headers, "203.0.113.7", "t/1;o=1")}


@pytest.mark.parametrize("name", TRUSTED)
@pytest.mark.parametrize("spelling", [str, str.upper, str.lower, lambda n: n.replace("-", "_")])
def test_trusted_headers_do_not_come_from_outside(
    name: str, spelling: Callable[[str], str]
) -> None:
    """No spelling of a name that apps trust survives, with dashes or underscores."""
    assert spelling(name).lower() not in passed((spelling(name), "spoofed"))


@given(st.sampled_from(sorted(APP_ENGINE_HEADERS)), st.data())
def test_stripping_ignores_case(name: str, data: st.DataObject) -> None:
    """Any mixture of upper and lower case is removed, or replaced by our own value."""
    upper = data.draw(st.lists(st.booleans(), min_size=len(name), max_size=len(name)))
    mixed = "".join(c.upper() if up else c for c, up in zip(name, upper, strict=True))
    assert "spoofed" not in passed((mixed, "spoofed")).values()


@given(st.from_regex(r"x-[a-z]{1,12}(-[a-z]{1,12}){0,2}", fullmatch=True))
def test_other_headers_pass_unchanged(name: str) -> None:
    """Only exact names are removed: a look-alike and everything of the app's own gets through."""
    known = name in APP_ENGINE_HEADERS or name.startswith(("x-google-", "x-forwarded-"))
    if not known:
        assert passed((name, "value"))[name] == "value"


def test_a_look_alike_survives() -> None:
    """The documentation's own example of a name that is not removed."""
    assert passed(("X-Appengine-Cntry", "FR"))["x-appengine-cntry"] == "FR"


@pytest.mark.parametrize(
    "name",
    [
        *("Accept-Encoding", "Connection", "Keep-Alive", "Proxy-Authorization", "TE", "Trailer"),
        *("Transfer-Encoding", "Upgrade", "Proxy-Connection", "Content-Length"),
    ],
)
def test_transfer_headers_end_at_the_front_door(name: str) -> None:
    """What is about one connection is not about the next."""
    assert name.lower() not in passed((name, "x"))


def test_what_connection_names_is_removed() -> None:
    """RFC 9110 section 7.6.1: a header that Connection names belongs to that connection."""
    headers = passed(("Connection", "close, X-Mine"), ("X-Mine", "1"), ("X-Other", "2"))
    assert "x-mine" not in headers
    assert headers["x-other"] == "2"


def test_informational_headers_are_set() -> None:
    """Country, address and trace are there as in production, with what it uses for unknown."""
    headers = passed(("Host", "localhost:8080"), ("X-Appengine-Country", "FR"))
    assert headers["x-appengine-country"] == "ZZ"
    assert headers["x-appengine-user-ip"] == "203.0.113.7"
    assert headers["x-cloud-trace-context"] == "t/1;o=1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["host"] == "localhost:8080"


def test_forwarded_for_is_appended() -> None:
    """The last address is the one that the front door saw; a client can only add before it."""
    headers = from_outside([("X-Forwarded-For", "1.2.3.4")], "203.0.113.7", "t")
    assert [v for n, v in headers if n == "X-Forwarded-For"] == ["1.2.3.4, 203.0.113.7"]


def test_a_trace_of_the_client_is_kept() -> None:
    """Tools that trace across services go on doing so."""
    assert passed(("X-Cloud-Trace-Context", "mine"))["x-cloud-trace-context"] == "mine"


def test_answers_lose_what_is_about_the_connection() -> None:
    """The rest comes in the same order, repeated names included."""
    answer = [("Set-Cookie", "a=1"), ("Connection", "x-y"), ("X-Y", "1"), ("Set-Cookie", "b=2")]
    more = [("Date", "d"), ("Server", "s"), ("Content-Length", "5"), ("Transfer-Encoding", "x")]
    assert to_outside(answer + more) == [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
