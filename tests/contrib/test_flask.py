"""Flask: the documentation's app, and what its endpoints do with odd requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import flask
import pytest
from flask.testing import FlaskClient

import gae_pusher
from gae_pusher import Pusher
from gae_pusher.contrib.flask import FlaskEndpoints
from gae_pusher.limits import AUTH_FORM_BYTES, WEBHOOK_BODY_BYTES
from gae_pusher.sansio.signing import sign
from tests.contrib.support import python_blocks
from tests.wsgi.support import FORM, KEY, SECRET, SOCKET_ID, envelope, make_pusher, signed

CONFIG = {"PUSHER_APP_ID": "81", "PUSHER_KEY": KEY, "PUSHER_SECRET": SECRET}
OCCUPIED = {"name": "channel_occupied", "channel": "shop"}


@pytest.fixture
def documented() -> dict[str, Any]:
    """The names of docs/flask.md."""
    names: dict[str, Any] = {"__name__": "documented_app"}
    for block in python_blocks("flask.md"):
        exec(compile(block, "flask.md", "exec"), names)
    return names


@pytest.fixture
def shop(documented: dict[str, Any]) -> FlaskClient:
    return documented["create_app"](SECRET_KEY="test", **CONFIG).test_client()


@pytest.fixture
def client() -> Iterator[FlaskClient]:
    """An app whose rule aborts on request, and that looks at each form before the endpoints do."""
    realtime = FlaskEndpoints(allow_origins=["https://app.example"])

    @realtime.authorize("private-{case}")
    def rule(request: flask.Request, case: str) -> bool:
        if case.isdigit():
            flask.abort(int(case))
        assert case != "broken"
        return request.form["channel_name"] == f"private-{case}"

    app = flask.Flask("live")
    app.before_request(lambda: flask.request.form.get("csrf_token") and None)
    realtime.init_app(app, make_pusher(), url_prefix="/live")
    with app.test_client() as client:
        yield client


def ask(client: FlaskClient, where: str = "/live/auth", **fields: str) -> Any:
    return client.post(where, data={"socket_id": SOCKET_ID} | fields)


def test_documented_authorization(shop: FlaskClient) -> None:
    """Rules see the session; the token is for the connection that asked."""
    form = {"channel_name": "private-order-5"}
    assert ask(shop, "/pusher/auth", **form).status_code == 403
    with shop.session_transaction() as session:
        session.update(orders=[5], name="ada")
    answer = ask(shop, "/pusher/auth", **form)
    assert answer.json == {"auth": f"{KEY}:{sign(SECRET, f'{SOCKET_ID}:private-order-5')}"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert ask(shop, "/pusher/auth", channel_name="private-order-6").status_code == 403
    member = ask(shop, "/pusher/auth", channel_name="presence-lobby").json
    assert json.loads(member["channel_data"]) == {"user_id": "ada"}


def test_documented_user(shop: FlaskClient) -> None:
    """The user function sees the session."""
    assert ask(shop, "/pusher/user-auth").status_code == 403
    with shop.session_transaction() as session:
        session["name"] = "ada"
    assert json.loads(ask(shop, "/pusher/user-auth").json["user_data"]) == {"id": "ada"}


def test_documented_webhook(documented: dict[str, Any], shop: FlaskClient) -> None:
    """A signed webhook reaches its handler, another one is a 401."""
    body = envelope(OCCUPIED)
    refused = shop.post("/pusher/webhook", data=body, headers=signed(body, secret="x"))
    assert (refused.status_code, documented["occupied"]) == (401, set())
    answer = shop.post("/pusher/webhook", data=body, headers=signed(body))
    assert (answer.status_code, documented["occupied"]) == (200, {"shop"})


def test_the_config_is_read_as_the_environment_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference to Secret Manager is one in the config too, and a URL means its scheme's port."""
    monkeypatch.setattr(gae_pusher, "port", 6001)
    app = flask.Flask(__name__)
    app.config.update(PUSHER_URL="https://k:s@h.example/apps/1")
    endpoints = FlaskEndpoints()
    endpoints.init_app(app)
    with app.app_context():
        assert endpoints.pusher.config.base_url == "https://h.example"
    app.config.update(PUSHER_SECRET="sm://x")
    with pytest.raises(gae_pusher.ConfigurationError, match="sm://PROJECT"):
        FlaskEndpoints().init_app(app)


def test_apps_of_one_factory(documented: dict[str, Any]) -> None:
    """Two apps of one factory have a Pusher each, and so each its own keys."""
    other = documented["create_app"](**CONFIG | {"PUSHER_KEY": "k", "PUSHER_SECRET": "s"})
    first = documented["create_app"](**CONFIG)
    body = envelope(OCCUPIED)
    for app, status in ((first, 200), (other, 401)):
        answer = app.test_client().post("/pusher/webhook", data=body, headers=signed(body))
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("case", "status"),
    [("fine", 200), ("401", 401), ("404", 404), ("503", 500), ("broken", 500)],
)
def test_aborting_rules(client: FlaskClient, case: str, status: int) -> None:
    """abort() with a 4xx refuses with that status; anything else is a 500."""
    assert ask(client, channel_name=f"private-{case}").status_code == status


def test_methods(client: FlaskClient) -> None:
    """GET is a 405 with Allow; OPTIONS is a preflight for a listed origin."""
    answer = client.get("/live/auth")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    answer = client.options("/live/auth", headers={"Origin": "https://app.example"})
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert client.options("/live/webhook").status_code == 405


def test_odd_forms(client: FlaskClient) -> None:
    """Doubled fields, no form, no fields, too large: each is refused as over plain WSGI."""
    body = f"socket_id={SOCKET_ID}&channel_name=private-fine"
    for odd, kind, status in (
        (f"{body}&channel_name=private-401", FORM, 400),
        (body, "text/plain", 415),
        (body, "multipart/form-data; boundary=x", 415),
        ("", FORM, 400),
        (body + "x" * AUTH_FORM_BYTES, FORM, 413),
    ):
        assert client.post("/live/auth", data=odd, content_type=kind).status_code == status


def test_oversize_webhook(client: FlaskClient) -> None:
    """A webhook over our cap, or over Flask's own lower one, is a 413; without a length 411."""
    body = envelope(OCCUPIED)
    client.application.config["MAX_CONTENT_LENGTH"] = len(body) - 1
    assert client.post("/live/webhook", data=body, headers=signed(body)).status_code == 413
    client.application.config["MAX_CONTENT_LENGTH"] = None
    large = b" " * (WEBHOOK_BODY_BYTES + 1)
    assert client.post("/live/webhook", data=large).status_code == 413
    chunked = {"Transfer-Encoding": "chunked"}
    assert client.post("/live/webhook", headers=chunked).status_code == 411


def test_pusher_of_the_config(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Pusher that is given goes before the config, that before the environment."""
    monkeypatch.setenv("PUSHER_URL", "https://k:s@env.example/apps/1")

    def pusher_of(config: dict[str, Any], pusher: Pusher | None = None) -> Pusher:
        app = flask.Flask("live")
        app.config.update(config)
        realtime = FlaskEndpoints()
        realtime.init_app(app, pusher)
        with app.app_context():
            return realtime.pusher

    given = make_pusher()
    assert pusher_of(CONFIG, given) is given
    assert pusher_of(CONFIG | {"PUSHER_CLUSTER": "eu", "PUSHER_PORT": 8443}).port == 8443
    assert pusher_of({"PUSHER_URL": "https://k:s@url.example/apps/1"}).host == "url.example"
    assert pusher_of({}).host == "env.example"
