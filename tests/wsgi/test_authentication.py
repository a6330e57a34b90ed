"""UserAuthenticationApp: sign-in tokens for the users that the app knows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gae_pusher import ConfigurationError, UserAuthenticationApp
from gae_pusher.sansio.signing import sign
from gae_pusher.wsgi.request import BrowserRequest
from tests.wsgi.support import KEY, SECRET, SOCKET_ID, client, make_pusher


@pytest.fixture
def users() -> UserAuthenticationApp:
    return UserAuthenticationApp(make_pusher())


def ask(app: UserAuthenticationApp, status: int = 200, **headers: str) -> Any:
    return client(app).post("/", {"socket_id": SOCKET_ID}, headers=headers, status=status)


def test_user(users: UserAuthenticationApp) -> None:
    """The user that the function returns is signed for this connection, never cached."""

    @users.user
    def who(request: BrowserRequest) -> dict[str, Any] | None:
        assert request.channel is None
        name = request.cookies.get("name")
        return {"id": 19, "user_info": {"name": name}, "watchlist": ["u-20"]} if name else None

    answer = ask(users, Cookie="name=Ada")
    user_data = answer.json["user_data"]
    assert json.loads(user_data) == {
        "id": "19",
        "user_info": {"name": "Ada"},
        "watchlist": ["u-20"],
    }
    assert answer.json["auth"] == f"{KEY}:{sign(SECRET, f'{SOCKET_ID}::user::{user_data}')}"
    assert answer.headers["Cache-Control"] == "no-store"
    ask(users, status=403)


def test_no_function(users: UserAuthenticationApp) -> None:
    """Without a function everybody is refused."""
    ask(users, status=403)


@pytest.mark.parametrize("answer", ["u-19", True, {"name": "Ada"}, {"id": ""}, {"id": "a b"}])
def test_odd_user(users: UserAuthenticationApp, answer: object) -> None:
    """A function that returns what is no user is the app's bug: a 500, never a token."""
    users.user(lambda request: answer)
    ask(users, status=500)


def test_failing_function(users: UserAuthenticationApp, caplog: pytest.LogCaptureFixture) -> None:
    """A function that raises is a 500, logged with its traceback."""

    @users.user
    def broken(request: BrowserRequest) -> dict[str, Any]:
        raise LookupError("session store")

    assert "session" not in ask(users, status=500).text
    assert "LookupError: session store" in caplog.text


@pytest.mark.parametrize("socket_id", ["", "1", "1.2.3", "1.2\n", "a.b", "1:user:2"])
def test_bad_socket_id(users: UserAuthenticationApp, socket_id: str) -> None:
    """What is no socket id is a 400 before the function is asked."""
    users.user(lambda request: pytest.fail("asked"))
    client(users).post("/", {"socket_id": socket_id}, status=400)


def test_second_function(users: UserAuthenticationApp) -> None:
    """There is one function that knows the user; a second one is refused, an async def too."""

    async def later(request: BrowserRequest) -> None: ...

    with pytest.raises(ConfigurationError, match="async def"):
        users.user(later)
    users.user(lambda request: None)
    with pytest.raises(ConfigurationError, match="already"):
        users.user(lambda request: None)
