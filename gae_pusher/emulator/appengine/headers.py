"""What App Engine takes out of requests and answers, and what it puts in.

Only exact names are removed, as production does: an app must not trust a prefix.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

__all__ = [
    "APP_ENGINE_AGENT",
    "APP_ENGINE_HEADERS",
    "Headers",
    "from_cron",
    "from_outside",
    "to_outside",
]

Headers: TypeAlias = list[tuple[str, str]]

# What App Engine itself sets, on all requests or on those of tasks, cron and URL Fetch.
APP_ENGINE_HEADERS: Final = frozenset(
    f"x-appengine-{name}"
    for name in (
        *("country", "region", "city", "citylatlong"),
        *("https", "user-ip", "api-ticket", "request-log-id", "request-id-hash", "timeout-ms"),
        *("default-version-hostname", "default-namespace", "current-namespace"),
        *("queuename", "taskname", "taskretrycount", "taskexecutioncount", "tasketa"),
        *("taskpreviousresponse", "taskretryreason", "failfast"),
        *("cron", "inbound-appid", "inbound-user-email", "inbound-user-id"),
        *("inbound-user-is-admin", "auth-domain", "user-email", "user-id", "user-is-admin"),
        *("user-nickname", "user-organization", "federated-identity", "federated-provider"),
        *("gaia-id", "gaia-authuser", "gaia-session", "loas-peer-username"),
        *("remote-addr", "server-name", "server-port", "server-protocol", "server-software"),
        *("appserver-datacenter", "appserver-task-bns", "backgroundrequest"),
        *("trusted-ip-request", "dev-request-id", "blobkey", "blobsize", "blobupload"),
    )
)

# How App Engine's own services call the app, and from where.
APP_ENGINE_AGENT: Final = "AppEngine-Google; (+http://code.google.com/appengine)"
_CRON_ADDRESS: Final = "0.1.0.2"

_TRANSFER: Final = frozenset(
    {
        *("accept-encoding", "connection", "keep-alive", "proxy-authorization", "te"),
        *("trailer", "transfer-encoding"),
    }
)
# Not App Engine's list: what an HTTP/1.1 proxy must not hand on (RFC 9110 section 7.6.1).
_HOP_BY_HOP: Final = frozenset({"upgrade", "proxy-connection", "expect", "content-length"})

_SET_BY_FRONT: Final = frozenset({"x-forwarded-for", "x-forwarded-proto", "forwarded"})

_ANSWER_REMOVED: Final = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-connection", "trailer"),
        *("transfer-encoding", "upgrade", "date", "server", "content-length"),
    }
)


def from_outside(headers: Iterable[tuple[str, str]], peer: str, trace: str) -> Headers:
    """The headers that the app gets for a request from outside.

    `peer` is the client's address, `trace` a fresh X-Cloud-Trace-Context, used when the client
    sent none. Nothing that App Engine sets itself survives from the client. A name with `_` for
    `-` is removed like the real one: WSGI cannot tell them apart.
    """
    given = list(headers)
    removed = _TRANSFER | _HOP_BY_HOP | _SET_BY_FRONT | _named_by_connection(given)
    kept = [(name, value) for name, value in given if not _is_removed(name, removed)]
    if not any(name.lower() == "x-cloud-trace-context" for name, _ in kept):
        kept.append(("X-Cloud-Trace-Context", trace))
    forwarded = [value for name, value in given if name.lower() == "x-forwarded-for"]
    host = next((value for name, value in given if name.lower() == "host"), "")
    return [*kept, *_informational(peer, ", ".join([*forwarded, peer]), host)]


def from_cron(host: str, trace: str) -> Headers:
    """The headers that the app gets when cron asks."""
    own = [("Host", host), ("User-Agent", APP_ENGINE_AGENT)]
    return [*from_outside(own, _CRON_ADDRESS, trace), ("X-Appengine-Cron", "true")]


def to_outside(headers: Iterable[tuple[str, str]]) -> Headers:
    """The headers of the app's answer that reach the client; the length is counted anew."""
    given = list(headers)
    removed = _ANSWER_REMOVED | _named_by_connection(given)
    return [(name, value) for name, value in given if name.lower() not in removed]


def _is_removed(name: str, removed: frozenset[str]) -> bool:
    lower = name.lower().replace("_", "-")
    return lower in removed or lower in APP_ENGINE_HEADERS or lower.startswith("x-google-")


def _named_by_connection(headers: Headers) -> frozenset[str]:
    values = (value for name, value in headers if name.lower() == "connection")
    return frozenset(token.strip().lower() for value in values for token in value.split(","))


def _informational(peer: str, forwarded_for: str, host: str) -> Headers:
    """What production adds to every request, with the values it uses for "unknown"."""
    return [
        ("X-Forwarded-For", forwarded_for),
        ("X-Forwarded-Proto", "http"),
        ("Forwarded", f'for="{peer}";proto=http'),
        ("X-Appengine-Country", "ZZ"),
        ("X-Appengine-Region", "?"),
        ("X-Appengine-City", "?"),
        ("X-Appengine-Citylatlong", "0.000000,0.000000"),
        ("X-Appengine-User-Ip", peer),
        ("X-Appengine-Https", "off"),
        ("X-Appengine-Default-Version-Hostname", host),
    ]
