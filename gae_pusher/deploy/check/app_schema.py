"""The keys of app.yaml on the standard environment's Python 3, and what their values may be.

Seen with gcloud 528 and the parser of appengine-python-standard 3.1 in November 2026.
"""

from __future__ import annotations

import re
from typing import Final

from gae_pusher.deploy.check.schema import (
    BOOL,
    INT,
    MAP,
    NUMBER,
    SCALAR,
    STR,
    Kind,
    choice,
    listing,
    section,
    text,
)

__all__ = ["APP_YAML", "INCLUDED"]

_DURATION: Final = re.compile(r"\d+(\.\d+)?(ms|s|m|h|d)")
_EXPIRATION: Final = re.compile(r"\d+[dhms](\s+\d+[dhms])*")

_LATENCY = Kind(
    "a duration such as 30ms",
    (str,),
    re.compile(r"\d+(\.\d+)?(ms|s)"),
    also=frozenset({"automatic"}),
)
_COUNT = Kind("a whole number or automatic", (int,), also=frozenset({"automatic"}))
_EXPIRY = Kind("a duration such as '4d 5h'", (str,), _EXPIRATION)

_HANDLER = section(
    url=STR,
    script=STR,
    static_dir=STR,
    static_files=STR,
    upload=STR,
    secure=choice("default", "never", "always", "optional"),
    login=choice("optional", "required", "admin"),
    auth_fail_action=choice("redirect", "unauthorized"),
    redirect_http_response_code=choice("301", "302", "303", "307"),
    expiration=_EXPIRY,
    http_headers=MAP,
    mime_type=STR,
    require_matching_file=BOOL,
    position=choice("head", "tail"),
    api_endpoint=choice("on", "off"),
    application_readable=Kind("", status="refused"),
)

_AUTOMATIC = section(
    min_instances=INT,
    max_instances=INT,
    min_idle_instances=_COUNT,
    max_idle_instances=_COUNT,
    min_pending_latency=_LATENCY,
    max_pending_latency=_LATENCY,
    max_concurrent_requests=INT,
    target_cpu_utilization=NUMBER,
    target_throughput_utilization=NUMBER,
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
        "runtime": text("a runtime such as python313", r"[a-z][a-z0-9\-.]{0,29}"),
        "service": text("a service name", r"(?!-)[a-z\d\-]{1,63}(?<!-)"),
        "env": choice("1", "2", "standard", "flex", "flexible"),
        "entrypoint": Kind("text", (str, list)),
        "instance_class": STR,
        "app_engine_apis": BOOL,
        "main": STR,
        "service_account": STR,
        "default_expiration": _EXPIRY,
        "env_variables": Kind("a section of texts", (dict,), entry=SCALAR),
        "build_env_variables": Kind("a section of texts", (dict,), entry=SCALAR),
        "includes": listing(STR),
        "runtime_channel": STR,
        "runtime_config": MAP,
        "inbound_services": listing(choice(*_INBOUND)),
        "vpc_access_connector": section(
            name=STR, egress_setting=choice("all-traffic", "private-ranges-only")
        ),
        "error_handlers": listing(
            section(
                file=STR,
                error_code=choice("default", "over_quota", "dos_api_denial", "timeout"),
                mime_type=STR,
            )
        ),
        "handlers": listing(_HANDLER),
        "automatic_scaling": _AUTOMATIC,
        "basic_scaling": section(
            max_instances=INT, idle_timeout=Kind("a duration such as 10m", (str,), _DURATION)
        ),
        "manual_scaling": section(instances=INT),
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
