"""The controls and the inspector: what they do, and for whom."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from gae_pusher.testing.channels import RunningServer

from .test_server import call, connect_raw


def post(server: RunningServer, path: str, fields: Any) -> requests.Response:
    return requests.post(f"{server.http_url}/_emulator/{path}", json=fields, timeout=10)


def get(server: RunningServer, path: str) -> Any:
    return requests.get(f"{server.http_url}/_emulator/{path}", timeout=10).json()


def test_state_shows_everything_but_secrets(server: RunningServer) -> None:
    """Connections and channels are there, the secret is nowhere."""
    raw = connect_raw(server.port, "news")
    state = get(server, "state")
    (app,) = state["apps"]
    assert app["keys"] == ["local-key"]
    assert app["channels"] == [{"name": "news", "subscription_count": 1, "members": []}]
    assert app["connections"][0]["channels"] == ["news"]
    for path in ("/", "/_emulator/state", "/_emulator/log"):
        assert "local-secret" not in requests.get(server.http_url + path, timeout=10).text
    raw.close()


def test_log_from_a_number_on(server: RunningServer) -> None:
    """The log is JSON, from any entry on and of one kind."""
    call(server, "GET", "/apps/4242/channels")
    call(server, "GET", "/apps/4242/channels")
    first, second = get(server, "log?kind=request")["entries"]
    assert first["facts"]["path"] == "/apps/4242/channels"
    assert get(server, f"log?after={first['number']}")["entries"] == [second]
    wrong = requests.get(f"{server.http_url}/_emulator/log?after=x", timeout=10)
    assert wrong.status_code == 400


def test_stream_goes_on_where_it_was(server: RunningServer) -> None:
    """The stream repeats what is kept after the last seen entry, then tells what happens."""
    call(server, "GET", "/apps/4242/channels")
    call(server, "GET", "/apps/4242/users")
    url, headers = f"{server.http_url}/_emulator/log/stream", {"Last-Event-ID": "1"}
    with requests.get(url, headers=headers, stream=True, timeout=10) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        lines = (line for line in response.iter_lines() if line.startswith(b"data: "))
        assert json.loads(next(lines)[6:])["number"] == 2
        call(server, "GET", "/apps/4242/elsewhere")
        assert json.loads(next(lines)[6:])["facts"]["path"] == "/apps/4242/elsewhere"


def test_trigger_without_a_signature(server: RunningServer) -> None:
    """The inspector's form triggers; what the API would refuse is refused with its words."""
    assert post(server, "trigger", {"channel": "news", "name": "x", "data": "d"}).ok
    assert server.wait_for_event("news", "x").facts["data"] == "d"
    refused = post(server, "trigger", {"channel": "news", "name": "pusher:x", "data": "d"})
    assert (refused.status_code, "reserved" in refused.text) == (400, True)
    unknown = post(server, "trigger", {"app": "9", "channel": "a", "name": "x", "data": ""})
    assert unknown.text == "App 9 is not on this server\n"


def test_close_a_connection(server: RunningServer) -> None:
    """A connection can be closed with any code that may be sent."""
    raw = connect_raw(server.port, "news")
    socket_id = server.state()["apps"][0]["connections"][0]["socket_id"]
    path = f"connections/{socket_id}/close"
    assert post(server, path, {"code": 1005}).status_code == 400
    assert post(server, path, {"code": "4200"}).status_code == 400
    assert post(server, path, {"code": 4301, "reason": "why"}).ok
    (entry,) = server.wait_for("connection", what="closed")
    assert (entry.facts["code"], entry.facts["reason"]) == (4301, "why")
    assert post(server, path, {}).status_code == 404
    raw.close()


def test_faults_and_time(server: RunningServer) -> None:
    """Failures are ordered and time passes; nonsense is refused."""
    assert post(server, "faults", {"count": 1, "status": 500}).ok
    assert call(server, "GET", "/apps/4242/channels").status_code == 500
    for fields in ({"count": "x"}, {"status": 99}, {"nonsense": 1}, {"count": -1}):
        assert post(server, "faults", fields).status_code == 400
    assert post(server, "clock", {"advance_seconds": 2.5}).ok
    assert get(server, "state")["advanced_seconds"] == 2.5
    for fields in ({}, {"advance_seconds": "1"}, {"advance_seconds": -1}):
        assert post(server, "clock", fields).status_code == 400


def test_replay_of_nothing(server: RunningServer) -> None:
    """A webhook that is not kept cannot be sent again."""
    assert post(server, "webhooks/4242-9/replay", {}).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
    ids=["rebinding", "other site", "sandboxed page"],
)
@pytest.mark.parametrize(
    "path", ["/", "/_emulator/state", "/_emulator/log", "/_emulator/log/stream"]
)
def test_strangers_are_kept_out(server: RunningServer, path: str, headers: dict[str, str]) -> None:
    """A page of another site reaches neither the inspector nor the controls."""
    answer = requests.get(server.http_url + path, headers=headers, timeout=10)
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_strangers_cannot_post(server: RunningServer) -> None:
    """Neither across sites, nor as a form, which browsers send without asking."""
    url = f"{server.http_url}/_emulator/trigger"
    fields = '{"channel":"news","name":"x","data":""}'
    as_form = requests.post(url, data=fields, headers={"Content-Type": "text/plain"}, timeout=10)
    assert as_form.status_code == 415
    across = requests.post(url, json={}, headers={"Origin": "https://evil.example"}, timeout=10)
    assert across.status_code == 403
    assert (
        requests.post(
            url, data="x", headers={"Content-Type": "application/json"}, timeout=10
        ).status_code
        == 400
    )
    assert server.log("event") == []


def test_api_serves_any_host(server: RunningServer) -> None:
    """The API itself answers whatever name it is reached by: its requests are signed."""
    answer = requests.get(
        f"{server.http_url}/apps/4242/channels", headers={"Host": "channels.test"}, timeout=10
    )
    assert answer.status_code == 401


def test_inspector_is_self_contained(server: RunningServer) -> None:
    """The page loads nothing from elsewhere, and its policy would not let it."""
    page = requests.get(f"{server.http_url}/", timeout=10)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "https://" not in page.text
    assert "innerHTML" not in page.text
