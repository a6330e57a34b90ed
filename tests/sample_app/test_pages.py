"""The pages, and the name that a visitor chooses."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

HTML = {"HTTP_ACCEPT": "text/html"}


def settings_of(page: Any) -> dict[str, Any]:
    return json.loads(page.html.find(id="settings").string)


def test_a_visitor_is_asked_for_a_name(new_window: Any) -> None:
    """The first visit shows a form; after it the home page greets by name."""
    window = new_window()
    form = window.get("/").forms[0]
    form["name"] = "  Grace \n Hopper "
    form["colour"] = "plum"
    assert "Hello, Grace Hopper." in form.submit().follow().text


def test_a_shared_link_leads_to_its_board(window: Any, new_window: Any) -> None:
    """Who opens a board without a name chooses one and is on the board then."""
    board = window.create_board("Launch")
    form = new_window().get(board).forms[0]
    form["name"] = "Grace"
    page = form.submit().follow()
    assert page.request.path == board
    assert page.html.h1.string == "Launch"


def test_a_page_knows_where_to_connect(window: Any, channels: Any) -> None:
    """The board's page has the public key and the server, and never the secret."""
    page = window.get(window.create_board())
    settings = settings_of(page)
    assert settings["key"] == channels.app.key
    assert settings["options"]["wsPort"] == channels.port
    assert settings["channel"] == "presence-board-" + settings["url"].rpartition("/")[2]
    assert channels.app.secret_of(channels.app.key) not in page.text


def test_hostile_text_stays_text(window: Any) -> None:
    """Markup in a title or a name comes out as text, in the page and in its settings."""
    hostile = "</script><script>alert(1)</script>"
    window.enter("<b>Ada</b>")
    page = window.get(window.create_board(hostile))
    assert page.html.h1.string == hostile
    assert "alert(1)</script>" not in page.text
    assert "<b>Ada</b>" not in window.get("/").text


def test_a_policy_stands_on_every_answer(window: Any) -> None:
    """Scripts come from the app and Pusher's CDN alone; inline ones do not run."""
    for path, status in [("/", 200), ("/boards/0123456789abcdef", 404), ("/nothing", 404)]:
        policy = window.get(path, status=status).headers["Content-Security-Policy"]
        assert "script-src 'self' https://js.pusher.com;" in policy


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "", "colour": "teal"},
        {"name": "x" * 25, "colour": "teal"},
        {"name": "Ada", "colour": "url(x)"},
        {"name": "Ada"},
    ],
)
def test_odd_names_and_colours_are_refused(new_window: Any, fields: dict[str, str]) -> None:
    """A missing or long name and a colour that is not offered are a 400."""
    assert new_window().post("/visitor", fields, status=400).json["error"]


def test_a_forged_cookie_is_nobody(new_window: Any) -> None:
    """A cookie that was signed with another key, the Pusher secret itself say, is ignored."""
    import flask
    from flask.sessions import SecureCookieSessionInterface

    from sample_app import live

    other = flask.Flask("other")
    other.secret_key = live.pusher.secret
    signer = SecureCookieSessionInterface().get_signing_serializer(other)
    forged = signer.dumps({"visitor": {"id": "1", "name": "Root", "colour": "teal"}})
    answer = new_window().get("/", headers={"Cookie": f"session={forged}"})
    assert "Root" not in answer.text


def test_the_cookie_key_follows_from_the_secret(sample_app: Any) -> None:
    """Every instance signs cookies alike, with an HMAC of the Pusher secret."""
    from sample_app import live

    message = b"sample_app session cookie"
    assert sample_app.secret_key == hmac.digest(
        live.pusher.secret.encode(), message, hashlib.sha256
    )


def test_people_get_a_page_for_an_error(window: Any) -> None:
    """A browser that opens a board that is not there gets a page that leads back."""
    page = window.get("/boards/0123456789abcdef", extra_environ=HTML, status=404)
    assert "There is no such board." in page.text
    assert page.html.find("a", href="/")


def test_warmup_is_answered(window: Any) -> None:
    """App Engine's warmup request is a 200."""
    assert window.get("/_ah/warmup").text == "warm\n"


@pytest.mark.parametrize("name", ["base.css", "board.css", "board.js", "page.js", "icon.svg"])
def test_static_files_have_addresses_that_change(sample_app: Any, window: Any, name: str) -> None:
    """Every file of a page is found under an address that has a version in it."""
    from sample_app import assets

    with sample_app.test_request_context():
        address = assets.static_url(name)
    assert "?v=" in address
    assert window.get(address).status_code == 200


def test_pusher_js_comes_from_the_cdn_when_it_is_not_installed(
    window: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Without node_modules, as in production, the page loads pusher-js from Pusher's CDN."""
    from sample_app import assets

    monkeypatch.setattr(assets, "PUSHER_JS", tmp_path)
    page = window.get(window.create_board())
    address = f"https://js.pusher.com/{assets.PUSHER_JS_VERSION}/pusher.min.js"
    assert page.html.find("script", src=address)
