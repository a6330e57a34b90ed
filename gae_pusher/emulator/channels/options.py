"""Apps and settings from text, as command lines, files and the environment have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, Final
from urllib.parse import urlsplit

from gae_pusher.emulator.channels.settings import (
    WEBHOOK_CATEGORIES,
    App,
    AppLimits,
    Features,
    Settings,
    WebhookEndpoint,
    WebhookTiming,
)
from gae_pusher.emulator.loopback import is_loopback
from gae_pusher.environment import options_from_env
from gae_pusher.errors import ConfigurationError
from gae_pusher.sansio.signing import Credentials

__all__ = [
    "SETTING_NAMES",
    "SWITCHES",
    "app_from_env",
    "parse_app",
    "parse_apps_file",
    "parse_endpoint",
    "parse_setting",
    "unite",
    "with_settings",
    "with_switches",
]

_FEATURES: Final = tuple(field.name for field in fields(Features) if field.default is True)
_WEBHOOK_SWITCHES: Final = {
    f"{category}-webhooks": frozenset(names) for category, names in WEBHOOK_CATEGORIES.items()
}
# What can be switched off, in the words of the command line.
SWITCHES: Final = (*(name.replace("_", "-") for name in _FEATURES), *_WEBHOOK_SWITCHES)

# Every limit and duration that can be set: its name on the command line, and where it goes.
_SETTINGS: Final = {
    prefix + field.name.replace("_", "-"): (kind, field.name)
    for kind, prefix in ((AppLimits, ""), (Settings, ""), (WebhookTiming, "webhook-"))
    for field in fields(kind)
    if field.name not in ("strict", "webhook_timing")
}
SETTING_NAMES: Final = tuple(_SETTINGS)


def parse_app(text: str) -> App:
    """An app from `ID:KEY:SECRET`. Raises ConfigurationError, which does not repeat the text."""
    parts = text.split(":", 2)
    if len(parts) != 3 or not all(parts):
        raise ConfigurationError("an app is written ID:KEY:SECRET")
    app_id, key, secret = parts
    if not set(app_id + key).isdisjoint("/?#%@ "):
        raise ConfigurationError("an app's ID and KEY must be able to stand in a URL's path")
    return App(app_id, (Credentials(key, secret),))


def parse_apps_file(text: str) -> list[App]:
    """Apps from lines of `ID:KEY:SECRET`; empty lines and lines that start with # do not count."""
    lines = (line.strip() for line in text.splitlines())
    return [parse_app(line) for line in lines if line and not line.startswith("#")]


def unite(apps: Iterable[App]) -> tuple[App, ...]:
    """One app per id: naming an id again adds a key pair. Raises ConfigurationError."""
    united: dict[str, App] = {}
    keys: set[str] = set()
    for app in apps:
        if app.key in keys:
            raise ConfigurationError(f"the key {app.key} is there twice")
        keys.add(app.key)
        known = united.get(app.id)
        if known is not None:
            app = replace(known, credentials=known.credentials + app.credentials)
        united[app.id] = app
    return tuple(united.values())


def app_from_env(environ: Mapping[str, str]) -> tuple[App, int | None] | None:
    """The app and port of PUSHER_URL when it means this machine; None for any other service."""
    try:
        options = options_from_env(environ)
    except ConfigurationError:
        return None
    if not is_loopback((options.get("host") or "").strip("[]")):
        return None
    app = App(options["app_id"], (Credentials(options["key"], options["secret"]),))
    return app, options.get("port")


def parse_endpoint(text: str) -> WebhookEndpoint:
    """A webhook URL, sent every event. Raises ConfigurationError."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"a webhook's URL starts with http:// or https://, not {text!r}")
    return WebhookEndpoint(text)


def parse_setting(text: str) -> tuple[str, float]:
    """A name of `SETTING_NAMES` and a number from `NAME=VALUE`. Raises ConfigurationError."""
    name, equals, value = text.partition("=")
    if not equals or name not in _SETTINGS:
        raise ConfigurationError(f"no setting {name!r}: there are {', '.join(SETTING_NAMES)}")
    whole = not name.endswith("-seconds") or name == "activity-timeout-seconds"
    try:
        number = int(value) if whole else float(value)
    except ValueError:
        number = -1
    if not 0 <= number < 1e12:
        wanted = "a whole number" if whole else "a number"
        raise ConfigurationError(f"{name} must be {wanted}, zero or more, not {value!r}")
    return name, number


def with_settings(
    app: App, settings: Settings, values: Mapping[str, float]
) -> tuple[App, Settings]:
    """The app and the settings with these values, by `SETTING_NAMES`, in their places."""
    chosen: dict[type[Any], dict[str, Any]] = {AppLimits: {}, Settings: {}, WebhookTiming: {}}
    for name, value in values.items():
        kind, field = _SETTINGS[name]
        chosen[kind][field] = value
    timing = replace(settings.webhook_timing, **chosen[WebhookTiming])
    changed = replace(settings, webhook_timing=timing, **chosen[Settings])
    return replace(app, limits=replace(app.limits, **chosen[AppLimits])), changed


def with_switches(app: App, off: Iterable[str]) -> App:
    """The app without some of `SWITCHES`."""
    off = set(off)
    features = {name: False for name in _FEATURES if name.replace("_", "-") in off}
    silent = frozenset(
        event for switch, events in _WEBHOOK_SWITCHES.items() if switch in off for event in events
    )
    webhooks = tuple(WebhookEndpoint(hook.url, hook.events - silent) for hook in app.webhooks)
    return replace(app, features=replace(app.features, **features), webhooks=webhooks)
