"""The inspector in a real browser: it shows what happens, as text, while it happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gae_pusher.testing.channels import RunningServer, running_server
from tests.browser.chromium import LAPTOP, PHONE, Browser, Window
from tests.emulator.channels.peer import Peer, peer

NASTY = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
ADA = {"user_id": "ada", "user_info": {"name": "Ada"}}


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with running_server() as running:
        yield running


@pytest.fixture
def peers(node: str, server: RunningServer) -> Iterator[Peer]:
    with peer(node, server) as running:
        yield running


def opened(browser: Browser, server: RunningServer, options: dict[str, Any]) -> Window:
    window = browser.open(**options)
    window.do("goto", f"{server.http_url}/")
    window.do("waitForSelector", "body.live")
    return window


@pytest.fixture
def laptop(browser: Browser, server: RunningServer) -> Iterator[Window]:
    window = opened(browser, server, LAPTOP)
    yield window
    assert window.complaints() == []
    window.close()


def row(text: str) -> str:
    return f'#log li:has-text("{text}")'


def test_shows_what_happens(laptop: Window, peers: Peer) -> None:
    """Connections, members and events appear by themselves, and a click unfolds the JSON."""
    peers.connect("a", member=ADA)
    peers.subscribe("a", "presence-desk")
    peers.sdk("trigger", "presence-desk", "card-moved", {"to": "done"})
    laptop.see('#channels .pill:text-is("ada")')
    laptop.see('#connections .item:has-text("js 8.6.0")')
    laptop.do("click", f"{row('card-moved')} >> nth=0")
    assert '"to": "done"' in laptop.see("#log pre")
    laptop.screenshot("inspector-laptop")


def test_what_arrives_is_text(laptop: Window, peers: Peer) -> None:
    """Names and data that look like markup stay text."""
    peers.connect("a", member={"user_id": NASTY[:100]})
    peers.subscribe("a", "presence-desk")
    peers.sdk("trigger", "presence-desk", NASTY, {"html": NASTY})
    laptop.see("#channels .members .pill")
    laptop.do("click", f"{row('onerror')} >> nth=0")
    laptop.see("#log pre")
    assert laptop.do("evaluate", "document.title") == "Channels inspector"
    assert laptop.do("evaluate", "document.querySelectorAll('main img, main script').length") == 0


def test_filter(laptop: Window, peers: Peer) -> None:
    """Rows that lack the words go, and switched off kinds too."""
    peers.sdk("trigger", "news", "first", "1")
    peers.sdk("trigger", "news", "second", "2")
    laptop.do("waitForSelector", row("second"))
    laptop.do("fill", "#filter", "FIRST news")
    laptop.wait("document.querySelectorAll('#log li').length === 2")
    laptop.do("click", "#kinds >> text=HTTP API")
    laptop.wait("document.querySelectorAll('#log li').length === 1")


def test_trigger_form(laptop: Window, server: RunningServer, peers: Peer) -> None:
    """The form triggers to real clients, and a dropped connection comes back."""
    socket_id = peers.connect("a")
    peers.subscribe("a", "news")
    laptop.do("fill", "[name=channel]", "news")
    laptop.do("fill", "[name=name]", "hello")
    laptop.do("click", "button.main")
    assert peers.wait("a", "news", "hello") == {"hello": "world"}
    laptop.do("click", "#connections >> text=Drop")
    server.wait_for("connection", what="closed", socket_id=socket_id, code=4200)


def test_phone(browser: Browser, server: RunningServer, peers: Peer) -> None:
    """On a phone the parts are tabs, and nothing is wider than the screen."""
    peers.connect("a", member=ADA)
    peers.subscribe("a", "presence-desk")
    window = opened(browser, server, PHONE)
    for tab in ("Channels", "Connections", "Trigger", "Activity"):
        window.do("click", f"#tabs >> text={tab}")
        assert window.do("evaluate", "document.documentElement.scrollWidth") == 390
        visible = (
            "[...document.querySelectorAll('main .card')].filter((c) => c.offsetParent).length"
        )
        assert window.do("evaluate", visible) == 1
    window.screenshot("inspector-phone")
    assert window.complaints() == []
    window.close()
