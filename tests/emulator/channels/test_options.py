"""Apps and settings from the texts that people write."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gae_pusher.emulator.channels import (
    App,
    AppLimits,
    Settings,
    WebhookEndpoint,
    WebhookTiming,
    options,
)
from gae_pusher.errors import ConfigurationError
from gae_pusher.sansio.signing import Credentials

from .stage import APP


def test_app() -> None:
    """Id, key and secret stand between colons; a secret may contain some."""
    assert options.parse_app("7:k:s:t") == App("7", (Credentials("k", "s:t"),))


@pytest.mark.parametrize(
    "text", ["", "7", "7:k", "7:k:", ":k:s", "7::s", "a/b:k:hush", "7:k?:hush"]
)
def test_app_is_refused_without_its_secret(text: str) -> None:
    """The error says the shape, and does not repeat what may be a secret."""
    with pytest.raises(ConfigurationError) as raised:
        options.parse_app(text)
    assert "hush" not in str(raised.value)


def test_apps_file() -> None:
    """One app a line, with comments and room."""
    text = "# development\n\n 1:a:b \n2:c:d\n"
    assert [app.id for app in options.parse_apps_file(text)] == ["1", "2"]


def test_same_id_again_is_a_second_key() -> None:
    """An app with two key pairs is one app, and a key belongs to one app only."""
    apps = [options.parse_app(text) for text in ("1:new:s", "2:c:d", "1:old:t")]
    first, second = options.unite(apps)
    assert (first.id, [c.key for c in first.credentials]) == ("1", ["new", "old"])
    assert second == apps[1]
    with pytest.raises(ConfigurationError, match="the key c is there twice"):
        options.unite([apps[1], options.parse_app("3:c:e")])


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_environment_of_this_machine(host: str) -> None:
    """A PUSHER_URL that means this machine is the app to serve, and its port."""
    environ = {"PUSHER_URL": f"http://k:s@{host}:6002/apps/7"}
    assert options.app_from_env(environ) == (App("7", (Credentials("k", "s"),)), 6002)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"PUSHER_URL": ""},
        {"PUSHER_URL": "https://k:s@api-eu.pusher.com/apps/7"},
        {"PUSHER_KEY": "k"},
    ],
)
def test_environment_of_other_services(environ: dict[str, str]) -> None:
    """The credentials of a real app are not served here."""
    assert options.app_from_env(environ) is None


def test_endpoint() -> None:
    """A webhook needs an absolute URL."""
    assert options.parse_endpoint("http://localhost:8080/x") == WebhookEndpoint(
        "http://localhost:8080/x"
    )
    for text in ("localhost:8080", "ftp://localhost/x", "http://"):
        with pytest.raises(ConfigurationError, match="starts with http"):
            options.parse_endpoint(text)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("presence-members=5", ("presence-members", 5)),
        ("webhook-grace-seconds=0.5", ("webhook-grace-seconds", 0.5)),
    ],
)
def test_setting(text: str, parsed: tuple[str, float]) -> None:
    """A setting is a name and a number."""
    assert options.parse_setting(text) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "x=1",
        "presence-members",
        "presence-members=",
        "presence-members=1.5",
        "cache-seconds=nan",
        "presence-members=-1",
        "cache-seconds=inf",
        "strict=1",
    ],
)
def test_setting_is_refused(text: str) -> None:
    """Unknown names and values that are no sensible number are refused."""
    with pytest.raises(ConfigurationError):
        options.parse_setting(text)


def test_settings_find_their_place() -> None:
    """Every name reaches its limit, its setting or its webhook timing."""
    values = {"presence-members": 5, "ping-after-seconds": 1.5, "webhook-grace-seconds": 0}
    app, settings = options.with_settings(APP, Settings(), values)
    assert app == replace(APP, limits=AppLimits(presence_members=5))
    assert settings == Settings(
        ping_after_seconds=1.5, webhook_timing=WebhookTiming(grace_seconds=0)
    )
    every = dict.fromkeys(options.SETTING_NAMES, 4200)
    options.with_settings(APP, Settings(), every)


def test_impossible_settings() -> None:
    """What would break every client is refused."""
    with pytest.raises(ConfigurationError, match="at least 1"):
        Settings(activity_timeout_seconds=0)
    with pytest.raises(ConfigurationError, match="4000 to 4299"):
        Settings(terminate_code=4301)


def test_switches() -> None:
    """Features and types of webhook are switched off by name."""
    app = replace(APP, webhooks=(WebhookEndpoint("http://localhost/x"),))
    off = options.with_switches(app, ["client-events", "presence-webhooks"])
    assert not off.features.client_events
    assert off.features.watchlist
    assert app.webhooks[0].events - off.webhooks[0].events == {"member_added", "member_removed"}
    none = options.with_switches(app, options.SWITCHES)
    assert none.webhooks[0].events == frozenset()
