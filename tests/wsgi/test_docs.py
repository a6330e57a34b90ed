"""docs/wsgi.md: its code, from top to bottom one program, does what the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import ndb

from tests.wsgi.support import KEY, SECRET, SOCKET_ID, client, envelope, signed

PAGE = Path(__file__).parents[2] / "docs" / "wsgi.md"
OCCUPIED = {"name": "channel_occupied", "channel": "presence-board-7"}


@pytest.fixture
def documented(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of the page's program."""
    monkeypatch.setenv("PUSHER_URL", f"https://{KEY}:{SECRET}@api-eu.pusher.com/apps/81")
    names: dict[str, Any] = {"__name__": "documented_app"}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE):
        exec(compile(block, str(PAGE), "exec"), names)
    return names


@pytest.fixture
def http(documented: dict[str, Any]) -> Any:
    """A client of the whole app, in an NDB context as the page makes it."""
    ndb_client = ndb.Client(project="demo", credentials=AnonymousCredentials())
    return client(documented["with_ndb"](documented["app"], ndb_client))


def ask(http: Any, channel: str, cookie: str = "", status: int = 200) -> Any:
    form = {"socket_id": SOCKET_ID, "channel_name": channel}
    return http.post("/pusher/auth", form, headers={"Cookie": cookie}, status=status)


def test_webhooks(documented: dict[str, Any], http: Any) -> None:
    """Occupied boards are those of the webhooks, handled again without harm."""
    body = envelope(OCCUPIED, OCCUPIED, OCCUPIED | {"channel": "presence-board-x"})
    http.post("/pusher/webhook", body, headers=signed(body))
    assert documented["occupied_boards"] == {7}
    body = envelope(OCCUPIED | {"name": "channel_vacated"})
    http.post("/pusher/webhook", body, headers=signed(body))
    assert documented["occupied_boards"] == set()


def test_rules(http: Any) -> None:
    """The page's rules let in whom they say, and name the member of a presence channel."""
    ask(http, "private-desk-a", "desk=a")
    ask(http, "private-desk-a", "desk=b", status=403)
    member = ask(http, "presence-board-7", "name=ada").json
    assert json.loads(member["channel_data"]) == {"user_id": "ada", "user_info": {"board": 7}}
    ask(http, "presence-board-7", status=403)
    ask(http, "private-order-five", status=403)


def test_user_and_pages(http: Any) -> None:
    """The user function knows the visitor by the cookie; other paths are the app's own."""
    answer = http.post(
        "/pusher/user-auth", {"socket_id": SOCKET_ID}, headers={"Cookie": "name=ada"}
    )
    assert json.loads(answer.json["user_data"])["id"] == "ada"
    assert "Orders" in http.get("/")
