"""Which requests are authentic, and what the others are told."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher.emulator.channels.gate import ApiError, ApiRequest, check_authentic
from gae_pusher.sansio.signing import Credentials, sign

from .caller import NOW, signed
from .stage import APP, KEY, SECRET

VECTORS = json.loads((Path(__file__).parents[2] / "vectors.json").read_text())


def refusal(request: ApiRequest, wall: float = NOW, **app: Any) -> tuple[int, str]:
    with pytest.raises(ApiError) as raised:
        check_authentic(request, replace(APP, **app), wall)
    return raised.value.status, raised.value.message


def resigned(request: ApiRequest, **params: str | None) -> ApiRequest:
    """The request with parameters changed or left out, and signed anew."""
    fields = {**request.params, **params}
    query = {k: v for k, v in fields.items() if v is not None and k != "auth_signature"}
    text = "&".join(f"{k}={v}" for k, v in sorted(query.items()))
    signature = sign(SECRET, f"{request.method}\n{request.raw_path}\n{text}")
    raw = "&".join(f"{k}={v}" for k, v in {**query, "auth_signature": signature}.items())
    return replace(request, raw_query=raw)


@pytest.mark.parametrize("vector", VECTORS["requests"], ids=lambda vector: vector["name"])
def test_recorded_requests(vector: dict[str, Any]) -> None:
    """The requests of the protocol's worked examples are accepted."""
    query = {**vector["query"], "auth_key": KEY, "auth_timestamp": "1767225600"}
    query |= {"auth_version": "1.0", "auth_signature": vector["auth_signature"]}
    if vector["body_md5"]:
        query["body_md5"] = vector["body_md5"]
    raw = "&".join(f"{key}={value.replace(',', '%2C')}" for key, value in query.items())
    body = (vector["body"] or "").encode()
    check_authentic(ApiRequest(vector["method"], vector["path"], raw, body), APP, NOW)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text("abc-=@,.; %é/", min_size=1))
def test_any_parameter_and_path(value: str, name: str) -> None:
    """Whatever text stands in the query or the path, decoded or not, its signature verifies."""
    request = signed("GET", f"/apps/4242/channels/x{name}", {"filter_by_prefix": value})
    check_authentic(request, APP, NOW)


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        ("channels[]=a&channels[]=b", "channels[]=a&channels[]=b"),
        ("channels[]=a&channels[]=b", "channels[]=a,b"),
        ("channels[0]=a&channels[1]=b", "channels=a,b"),
        ("info=a%2Cb", "info=a,b"),
        ("info=a%2Cb", "info=a%2Cb"),
        ("name=a+b", "name=a+b"),
        ("name=a+b", "name=a b"),
    ],
)
def test_ways_to_sign(wire: str, text: str) -> None:
    """Clients that sign decoded, raw or comma-joined values are all understood."""
    auth = f"auth_key={KEY}&auth_timestamp={NOW:.0f}&auth_version=1.0"
    signature = sign(SECRET, f"POST\n/apps/4242/events\n{auth}&{text}")
    raw = f"{wire}&{auth}&auth_signature={signature}"
    check_authentic(ApiRequest("POST", "/apps/4242/events", raw, b""), APP, NOW)


def test_wrong_signature_shows_what_to_sign() -> None:
    """The refusal spells out the string that should have been signed."""
    wrong = signed("GET", "/apps/4242/channels", credentials=Credentials(KEY, "guess"))
    status, message = refusal(wrong)
    assert status == 401
    assert message == (
        'Invalid signature: you should have sent HmacSHA256Hex("GET\\n/apps/4242/channels\\n'
        f'auth_key={KEY}&auth_timestamp=1767225600&auth_version=1.0", your_secret_key), '
        f'but you sent "{wrong.params["auth_signature"]}"'
    )
    assert SECRET not in message


def test_checks_come_in_the_services_order() -> None:
    """Key, version, time, signature, body, then whether the app is enabled."""
    good = signed("POST", "/apps/4242/events", body=b"{}")
    assert refusal(good, enabled=False) == (403, "App is disabled")
    tampered = replace(good, body=b"[]")
    assert refusal(tampered, enabled=False)[1].startswith("Invalid body_md5")
    unsigned = replace(tampered, raw_query=tampered.raw_query[:-1] + "x")
    assert refusal(unsigned)[1].startswith("Invalid signature")
    assert refusal(unsigned, NOW + 601)[1].startswith("Timestamp expired")
    old = resigned(unsigned, auth_version="0.9")
    assert refusal(old, NOW + 601)[1].startswith("Unsupported auth_version")
    assert refusal(resigned(old, auth_key="nobody")) == (400, "Unknown auth_key")


@pytest.mark.parametrize("name", ["auth_key", "auth_timestamp", "auth_version", "auth_signature"])
def test_missing_parameter(name: str) -> None:
    """Every auth parameter is needed."""
    request = signed("GET", "/apps/4242/channels")
    pairs = [f"{key}={value}" for key, value in request.pairs if key != name]
    missing = replace(request, raw_query="&".join(pairs))
    assert refusal(missing) == (401, f"Missing required auth parameter: {name}")


@pytest.mark.parametrize("skew", [-600, 0, 600])
def test_clocks_may_differ(skew: int) -> None:
    """Ten minutes either way are accepted."""
    check_authentic(signed("GET", "/apps/4242/channels", now=NOW + skew), APP, NOW)


def test_expired_timestamp() -> None:
    """Beyond that both times are told."""
    assert refusal(signed("GET", "/apps/4242/channels", now=NOW - 601)) == (
        401,
        "Timestamp expired: Given timestamp (2025-12-31T23:49:59Z) not within 600s of server time "
        "(2026-01-01T00:00:00Z)",
    )


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "٣", "9" * 30])
def test_timestamp_is_a_number(text: str) -> None:
    """What is no unix time is refused, whatever its length and script."""
    request = resigned(signed("GET", "/apps/4242/channels"), auth_timestamp=text)
    assert refusal(request)[0] == 401


def test_body_must_be_bound() -> None:
    """A body without its checksum is refused; the checksum of nothing is welcome on a GET."""
    assert (
        refusal(resigned(signed("POST", "/apps/4242/events", body=b"{}"), body_md5=None))[0] == 401
    )
    md5 = hashlib.md5(b"").hexdigest()
    check_authentic(resigned(signed("GET", "/apps/4242/channels"), body_md5=md5), APP, NOW)
