"""The keys of app.yaml on the standard environment's Python 3, and what their values may be.

Seen with gcloud 528 and the parser of appengine-python-standard 3.1 in November 2026.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from gae_pusher.deploy.check.findings import Finding
from gae_pusher.deploy.check.yaml_source import Source

__all__ = ["APP_YAML", "INCLUDED", "Kind", "check_schema"]

_DURATION: Final = re.compile(r"\d+(\.\d+)?(ms|s|m|h|d)")
_EXPIRATION: Final = re.compile(r"\d+[dhms](\s+\d+[dhms])*")
_DIGITS: Final = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value may be: a Python type, a pattern, a choice, a section, a list or a map."""

    name: str
    types: tuple[type, ...] = ()
    pattern: re.Pattern[str] | None = None
    choices: frozenset[str] = frozenset()
    section: Mapping[str, Kind] | None = None
    entry: Kind | None = None
    status: str = ""
    also: frozenset[str] = field(default_factory=frozenset)


def _choice(*choices: str) -> Kind:
    return Kind(f"one of {', '.join(choices)}", choices=frozenset(choices))


def _text(name: str, pattern: str) -> Kind:
    return Kind(name, (str,), re.compile(pattern))


def _list(entry: Kind) -> Kind:
    return Kind(f"a list of {entry.name}", (list,), entry=entry)


def _section(**keys: Kind) -> Kind:
    return Kind("a section", (dict,), section=keys)


_STR = Kind("text", (str,))
_SCALAR = Kind("text", (str, int, float, bool, datetime.date, type(None)))
_BOOL = Kind("true or false", (bool,))
_INT = Kind("a whole number", (int,))
_NUMBER = Kind("a number", (int, float))
_MAP = Kind("a section", (dict,))
_LATENCY = Kind(
    "a duration such as 30ms",
    (str,),
    re.compile(r"\d+(\.\d+)?(ms|s)"),
    also=frozenset({"automatic"}),
)
_COUNT = Kind("a whole number or automatic", (int,), also=frozenset({"automatic"}))
_EXPIRY = Kind("a duration such as '4d 5h'", (str,), _EXPIRATION)

_HANDLER = _section(
    url=_STR,
    script=_STR,
    static_dir=_STR,
    static_files=_STR,
    upload=_STR,
    secure=_choice("default", "never", "always", "optional"),
    login=_choice("optional", "required", "admin"),
    auth_fail_action=_choice("redirect", "unauthorized"),
    redirect_http_response_code=_choice("301", "302", "303", "307"),
    expiration=_EXPIRY,
    http_headers=_MAP,
    mime_type=_STR,
    require_matching_file=_BOOL,
    position=_choice("head", "tail"),
    api_endpoint=_choice("on", "off"),
    application_readable=Kind("", status="refused"),
)

_AUTOMATIC = _section(
    min_instances=_INT,
    max_instances=_INT,
    min_idle_instances=_COUNT,
    max_idle_instances=_COUNT,
    min_pending_latency=_LATENCY,
    max_pending_latency=_LATENCY,
    max_concurrent_requests=_INT,
    target_cpu_utilization=_NUMBER,
    target_throughput_utilization=_NUMBER,
    min_num_instances=Kind("", status="flex"),
    max_num_instances=Kind("", status="flex"),
    cool_down_period_sec=Kind("", status="flex"),
    cpu_utilization=Kind("", status="flex"),
    custom_metrics=Kind("", status="flex"),
)

_INBOUND = [
    *("warmup", "mail", "mail_bounce", "rest", "channel_presence"),
    *("xmpp_message", "xmpp_subscribe", "xmpp_presence", "xmpp_error"),
]
_FLEX = [
    *("network", "resources", "beta_settings", "liveness_check", "readiness_check"),
    *("health_check", "vm", "vm_settings", "zones", "endpoints_api_service"),
]
_REFUSED = ["threadsafe", "application", "version", "libraries", "skip_files", "builtins"]
_DEAD = [
    *("api_version", "module", "project", "backends", "admin_console", "api_config"),
    *("auto_id_policy", "code_lock", "derived_file_type", "nobuild_files"),
    *("source_language", "vm_health_check"),
]

APP_YAML: Final = Kind(
    "a mapping",
    (dict,),
    section={
        "runtime": _text("a runtime such as python313", r"[a-z][a-z0-9\-.]{0,29}"),
        "service": _text("a service name", r"(?!-)[a-z\d\-]{1,63}(?<!-)"),
        "env": _choice("1", "2", "standard", "flex", "flexible"),
        "entrypoint": Kind("text", (str, list)),
        "instance_class": _STR,
        "app_engine_apis": _BOOL,
        "main": _STR,
        "service_account": _STR,
        "default_expiration": _EXPIRY,
        "env_variables": Kind("a section of texts", (dict,), entry=_SCALAR),
        "build_env_variables": Kind("a section of texts", (dict,), entry=_SCALAR),
        "includes": _list(_STR),
        "runtime_channel": _STR,
        "runtime_config": _MAP,
        "inbound_services": _list(_choice(*_INBOUND)),
        "vpc_access_connector": _section(
            name=_STR, egress_setting=_choice("all-traffic", "private-ranges-only")
        ),
        "error_handlers": _list(
            _section(
                file=_STR,
                error_code=_choice("default", "over_quota", "dos_api_denial", "timeout"),
                mime_type=_STR,
            )
        ),
        "handlers": _list(_HANDLER),
        "automatic_scaling": _AUTOMATIC,
        "basic_scaling": _section(
            max_instances=_INT, idle_timeout=Kind("a duration such as 10m", (str,), _DURATION)
        ),
        "manual_scaling": _section(instances=_INT),
        "standard_websocket": Kind("", status="undocumented"),
        **{key: Kind("", status="flex") for key in _FLEX},
        **{key: Kind("", status="refused") for key in _REFUSED},
        **{key: Kind("", status="dead") for key in _DEAD},
    },
)

# What gcloud takes in a file that app.yaml includes. It drops build_env_variables there.
INCLUDED: Final = Kind(
    "a mapping",
    (dict,),
    section={
        key: (APP_YAML.section or {})[key]
        for key in ("includes", "handlers", "env_variables", "manual_scaling")
    }
    | {key: Kind("", status="dead") for key in ("build_env_variables", "admin_console")}
    | {key: Kind("", status="flex") for key in ("vm", "vm_settings", "beta_settings")}
    | {key: Kind("", status="refused") for key in ("builtins", "skip_files")},
)

_STATUS_CODES: Final = {"flex": "A006", "refused": "A005", "dead": "A007", "undocumented": "A008"}


def check_schema(path: str, source: Source, kind: Kind, where: str = "") -> Iterator[Finding]:
    """Findings for every key and value below `source` that is not as `kind` says."""
    if not _fits(source.value, kind):
        yield Finding(path, source.line, "A004", f"{where or 'the file'} must be {kind.name}")
        return
    if kind.section is not None:
        for key, value in source.items():
            yield from _check_key(path, key, value, kind.section, where)
    elif kind.entry is not None:
        children = [(f"{where}.{key}", value) for key, value in source.items()]
        children += [(f"{where}[{index}]", value) for index, value in enumerate(source.entries())]
        for name, value in children:
            yield from check_schema(path, value, kind.entry, name)


def _check_key(
    path: str, key: str, value: Source, section: Mapping[str, Kind], where: str
) -> Iterator[Finding]:
    name = f"{where}.{key}" if where else key
    kind = section.get(key)
    if kind is None:
        yield Finding(path, value.line, "A003", f"{name!r} is no key{_hint(key, section)}")
    elif kind.status:
        code = _STATUS_CODES[kind.status]
        yield Finding(path, value.line, code, f"{name!r} has no place here")
    else:
        yield from check_schema(path, value, kind, name)


def _fits(value: Any, kind: Kind) -> bool:
    if isinstance(value, str) and value in kind.also:
        return True
    if value is None and (kind.section or kind.entry):
        return True  # gcloud takes an empty section for none
    if isinstance(value, str) and int in kind.types and str not in kind.types:
        return bool(_DIGITS.fullmatch(value))
    if kind.choices:
        return str(value) in kind.choices
    if isinstance(value, bool) and kind.types and bool not in kind.types:
        return False
    if kind.types and not isinstance(value, kind.types):
        return False
    return kind.pattern is None or bool(kind.pattern.fullmatch(value))


def _hint(key: str, section: Mapping[str, Kind]) -> str:
    close = get_close_matches(key, section, n=1)
    return f": did you mean {close[0]!r}?" if close else ""
