"""Settings of one app: where the service is, who we are, what the limits are.

The only module that reads PUSHER_* environment variables.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from gae_pusher.errors import ConfigurationError
from gae_pusher.limits import (
    DEFAULT_LIMITS,
    DEFAULT_TIMEOUT_SECONDS,
    WEBHOOK_MAX_AGE_SECONDS,
    Limits,
)

__all__ = [
    "DEFAULT_HOST",
    "Config",
    "cluster_host",
    "decode_master_key",
    "options_from_env",
    "url2options",
]

DEFAULT_HOST: Final = "api.pusherapp.com"
DEFAULT_CLUSTER: Final = "mt1"
MASTER_KEY_BYTES: Final = 32

_CLUSTER_HOST: Final = re.compile(r"api-([a-z0-9-]+)\.pusher\.com")
_URL_SHAPE: Final = "https://KEY:SECRET@HOST[:PORT]/apps/APP_ID"

# Option of Pusher(...) and the variables that set it, the first non-empty one wins.
_VARIABLES: Final = (
    ("app_id", ("PUSHER_APP_ID",)),
    ("key", ("PUSHER_KEY", "PUSHER_APP_KEY")),
    ("secret", ("PUSHER_SECRET", "PUSHER_APP_SECRET")),
    ("cluster", ("PUSHER_CLUSTER", "PUSHER_APP_CLUSTER")),
    ("host", ("PUSHER_HOST",)),
    ("port", ("PUSHER_PORT",)),
    ("ssl", ("PUSHER_SCHEME",)),
    ("encryption_master_key_base64", ("PUSHER_ENCRYPTION_MASTER_KEY_BASE64",)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that a verb needs to know about an app. Secrets stay out of the repr.

    `path_prefix` is a proxy's path before /apps/ and is never signed. `timeout` is in seconds.
    `former_keys` maps further live keys to their secrets, for webhooks during a key rotation.
    """

    app_id: str
    key: str
    secret: str = field(repr=False)
    host: str = DEFAULT_HOST
    port: int = 443
    ssl: bool = True
    path_prefix: str = ""
    timeout: float = DEFAULT_TIMEOUT_SECONDS
    http_proxy: str | None = field(default=None, repr=False)
    ca_certs: str | None = None
    encryption_master_key: bytes | None = field(default=None, repr=False)
    former_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    webhook_max_age_seconds: float = WEBHOOK_MAX_AGE_SECONDS
    limits: Limits = DEFAULT_LIMITS
    json_encoder: type[json.JSONEncoder] = json.JSONEncoder
    json_decoder: type[json.JSONDecoder] = json.JSONDecoder

    def __post_init__(self) -> None:
        for name in ("app_id", "key", "secret", "host"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise ConfigurationError(f"{name} must be a non-empty str")
        if not set(self.app_id).isdisjoint("/?#% "):
            raise ConfigurationError(f"app_id {self.app_id!r} cannot stand in a path")
        if not 0 < self.port < 65536:
            raise ConfigurationError(f"port {self.port} is outside 1 to 65535")
        if self.timeout <= 0:
            raise ConfigurationError(f"timeout is {self.timeout} seconds, it must be positive")

    @property
    def scheme(self) -> str:
        """https, or http when ssl is False."""
        return "https" if self.ssl else "http"

    @property
    def base_url(self) -> str:
        """What stands before /apps/ in every URL: scheme, host, port, proxy prefix."""
        port = "" if self.port == (443 if self.ssl else 80) else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.path_prefix}"

    @property
    def cluster(self) -> str | None:
        """The hosted service's cluster that `host` belongs to, None for any other host."""
        if self.host == DEFAULT_HOST:
            return DEFAULT_CLUSTER
        match = _CLUSTER_HOST.fullmatch(self.host)
        return match[1] if match else None

    def pusher_js_options(self) -> dict[str, Any]:
        """The options with which a page finds this app: `new Pusher(key, options)`.

        The cluster for the hosted service; host, port and TLS of any other server.
        """
        if self.cluster:
            return {"cluster": self.cluster}
        return {
            "cluster": "self-hosted",
            "wsHost": self.host,
            "wsPort": self.port,
            "wssPort": self.port,
            "wsPath": self.path_prefix,
            "forceTLS": self.ssl,
            "enabledTransports": ["ws", "wss"],
        }


def cluster_host(cluster: str) -> str:
    """The HTTP API's host of a cluster: eu is api-eu.pusher.com. Dedicated names are accepted."""
    if not cluster.replace("-", "").isalnum():
        raise ConfigurationError(f"cluster {cluster!r} is no cluster name such as 'eu' or 'mt1'")
    return f"api-{cluster}.pusher.com"


def decode_master_key(text: str) -> bytes:
    """The 32 bytes of an encryption_master_key_base64. Raises ConfigurationError."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError("encryption_master_key_base64 is not base64") from None
    if len(key) != MASTER_KEY_BYTES:
        raise ConfigurationError(
            f"encryption_master_key_base64 holds {len(key)} bytes, not {MASTER_KEY_BYTES}: "
            "make one with `openssl rand -base64 32`"
        )
    return key


def url2options(url: str) -> dict[str, Any]:
    """The keyword arguments of Pusher(...) that a PUSHER_URL stands for.

    https://KEY:SECRET@HOST[:PORT]/[PREFIX/]apps/APP_ID; key and secret percent-decoded.
    Raises ConfigurationError, without the secret in its message.
    """
    parts = _split(url)
    prefix, apps, app_id = parts.path.rstrip("/").rpartition("/apps/")
    if not (parts.scheme in ("http", "https") and parts.hostname and apps and app_id):
        raise ConfigurationError(f"the Pusher URL does not look like {_URL_SHAPE}")
    if not (parts.username and parts.password):
        raise ConfigurationError(f"the Pusher URL has no key and secret: {_URL_SHAPE}")
    options: dict[str, Any] = {
        "app_id": unquote(app_id),
        "key": unquote(parts.username),
        "secret": unquote(parts.password),
        "host": _bracketed(parts.hostname),
        "ssl": parts.scheme == "https",
    }
    if parts.port:
        options["port"] = parts.port
    if prefix:
        options["path_prefix"] = prefix
    return options


def options_from_env(
    environ: Mapping[str, str], url_variable: str = "PUSHER_URL"
) -> dict[str, Any]:
    """The keyword arguments of Pusher(...) that the environment stands for.

    The URL first, then PUSHER_APP_ID, PUSHER_KEY, PUSHER_SECRET, PUSHER_CLUSTER, PUSHER_HOST,
    PUSHER_PORT and PUSHER_SCHEME over it. An empty variable counts as unset.
    Raises ConfigurationError when the app, its key or its secret are missing.
    """
    url = environ.get(url_variable)
    options = url2options(url) if url else {}
    for option, variables in _VARIABLES:
        value = next((environ[name] for name in variables if environ.get(name)), None)
        if value is not None:
            options[option] = _converted(option, value)
    missing = [name for name in ("app_id", "key", "secret") if name not in options]
    if missing:
        raise ConfigurationError(
            f"no {', '.join(missing)} in the environment: set {url_variable}={_URL_SHAPE}, "
            "or PUSHER_APP_ID, PUSHER_KEY and PUSHER_SECRET"
        )
    return options


def resolve(
    *,
    cluster: str | None = None,
    host: str | None = None,
    port: int | None = None,
    ssl: bool = True,
    timeout: float | None = None,
    encryption_master_key_base64: str | None = None,
    encoder: type[json.JSONEncoder] | None = None,
    **options: Any,
) -> tuple[Config, dict[str, Any]]:
    """A Config from the arguments of Pusher(...), and the options that are none of its fields.

    An explicit host goes before the cluster's, that before the default. `encoder` is the 2012
    module's name for `json_encoder`. None stands for the default everywhere.
    """
    options |= {"json_encoder": encoder or options.get("json_encoder")}
    if encryption_master_key_base64:
        options["encryption_master_key"] = decode_master_key(encryption_master_key_base64)
    names = {field.name for field in fields(Config)}
    own = {name: value for name, value in options.items() if name in names and value is not None}
    missing = [name for name in ("app_id", "key", "secret") if name not in own]
    if missing:
        raise ConfigurationError(f"no {', '.join(missing)}: pass {missing[0]}= to Pusher")
    config = Config(
        host=host or (cluster_host(cluster) if cluster else DEFAULT_HOST),
        port=port or (443 if ssl else 80),
        ssl=ssl,
        timeout=DEFAULT_TIMEOUT_SECONDS if timeout is None else timeout,
        **own,
    )
    return config, {name: value for name, value in options.items() if name not in names}


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ConfigurationError(f"the Pusher URL does not look like {_URL_SHAPE}") from None
    return parts


def _bracketed(hostname: str) -> str:
    return f"[{hostname}]" if ":" in hostname else hostname


def _converted(option: str, value: str) -> Any:
    if option == "port":
        if not value.isdecimal():
            raise ConfigurationError(f"PUSHER_PORT is {value!r}, it must be a number")
        return int(value)
    if option == "ssl":
        if value not in ("http", "https"):
            raise ConfigurationError(f"PUSHER_SCHEME is {value!r}, it must be http or https")
        return value == "https"
    return value
