"""What a deployment changes: app.yaml against the Admin API's words about what serves now."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from gae_pusher.deploy.check.yaml_source import Source

__all__ = ["changes_against"]

_EMPTY: Final = Source({}, 0)

_SCHEDULER: Final = "automaticScaling.standardSchedulerSettings"

# Key of app.yaml, where the Admin API's Version has it, and what a missing one means. None: the
# service fills in a value of its own, so only a key that app.yaml names is compared.
_COMPARED: Final[tuple[tuple[str, str, Any], ...]] = (
    ("runtime", "runtime", None),
    ("entrypoint", "entrypoint.shell", None),
    ("service_account", "serviceAccount", None),
    ("app_engine_apis", "appEngineApis", False),
    ("vpc_access_connector.name", "vpcAccessConnector.name", None),
    ("automatic_scaling.min_instances", f"{_SCHEDULER}.minInstances", None),
    ("automatic_scaling.max_instances", f"{_SCHEDULER}.maxInstances", None),
    ("automatic_scaling.max_concurrent_requests", "automaticScaling.maxConcurrentRequests", None),
    ("automatic_scaling.max_idle_instances", "automaticScaling.maxIdleInstances", None),
    ("automatic_scaling.min_idle_instances", "automaticScaling.minIdleInstances", None),
    ("basic_scaling.max_instances", "basicScaling.maxInstances", None),
    ("basic_scaling.idle_timeout", "basicScaling.idleTimeout", None),
    ("manual_scaling.instances", "manualScaling.instances", None),
)


def changes_against(config: Mapping[str, Any], app: Source) -> tuple[str, ...]:
    """One line for each difference; the values of variables are never shown.

    `config` is the Admin API's description of the serving version, `app` the app.yaml.
    """
    return (*_settings(config, app), *_lists(config, app), *_variables(config, app))


def _settings(config: Mapping[str, Any], app: Source) -> Iterator[str]:
    other = app.get("basic_scaling") or app.get("manual_scaling")
    own_class = ("instance_class", "instanceClass", "B2" if other else "F1")
    for key, field, default in (own_class, *_COMPARED):
        new, old = _in_app(app, key, default), _in_config(config, field, default)
        if new is not None and _comparable(new) != _comparable(old):
            yield f"{key}: {_shown(old)} becomes {_shown(new)}"


def _lists(config: Mapping[str, Any], app: Source) -> Iterator[str]:
    new_urls = [str(entry.plain("url")) for entry in (app.get("handlers") or _EMPTY).entries()]
    old_urls = [str(entry.get("urlRegex")) for entry in config.get("handlers") or ()]
    if len(new_urls) != len(old_urls) and old_urls:
        yield f"handlers: {len(old_urls)} become {len(new_urls)}"
    services = (app.get("inbound_services") or _EMPTY).entries()
    new = {f"INBOUND_SERVICE_{str(entry.value).upper()}" for entry in services}
    old = set(config.get("inboundServices") or ())
    for name in sorted(new ^ old):
        word = name.removeprefix("INBOUND_SERVICE_").lower()
        yield f"inbound service {word} is {'new' if name in new else 'gone'}"


def _variables(config: Mapping[str, Any], app: Source) -> Iterator[str]:
    variables = app.get("env_variables") or _EMPTY
    new = {name: str(source.value) for name, source in variables.items()}
    old = dict(config.get("envVariables") or {})
    for name in sorted(new.keys() | old.keys()):
        if name not in old:
            yield f"variable {name} is new"
        elif name not in new:
            yield f"variable {name} is gone"
        elif new[name] != old[name]:
            yield f"variable {name} changes"


def _in_app(app: Source, key: str, default: Any) -> Any:
    source: Source | None = app
    for part in key.split("."):
        source = source.get(part) if source else None
    return default if source is None else source.value


def _in_config(config: Mapping[str, Any], field: str, default: Any) -> Any:
    value: Any = config
    for part in field.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return default if value is None else value


def _comparable(value: Any) -> str:
    """gcloud writes durations in seconds, and numbers as they are."""
    minutes = re.fullmatch(r"(\d+)m", str(value))
    return f"{int(minutes[1]) * 60}s" if minutes else str(value)


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)
