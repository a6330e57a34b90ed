"""Settings of one app: where the service is, who we are, what the limits are.

The only module that reads PUSHER_* environment variables.
"""

from __future__ import annotations

import base64
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
    "VARIABLES",
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
_CLUSTER: Final = re.compile(r"[A-Za-z0-9-]+")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_PATH_SEGMENT: Final = re.compile(r"(?!\.\.?$)[A-Za-z0-9\-._~!$&'()*+,;=:@]+")
_PATH_PREFIX: Final = re.compile(r"(/[A-Za-z0-9\-._~!$&'()*+,;=:@%]+)*")
_URL_SHAPE: Final = "https://KEY:SECRET@HOST[:PORT]/apps/APP_ID"

# What a cluster says in place of a URL.
_ADDRESS: Final = ("host", "port", "ssl", "path_prefix")

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

VARIABLES: Final = ("PUSHER_URL", *(name for _, names in _VARIABLES for name in names))


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that a verb needs to know about an app. Secrets stay out of the repr.

    `path_prefix` is a proxy's path before /apps/ and is never signed. `timeout` is in seconds.
    `former_keys` maps other live keys of the app to their secrets: while keys are being changed,
    webhooks are signed with the oldest one that is active (protocol section 4.7).
    Raises ConfigurationError for a value that cannot be meant.
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
        if not isinstance(self.ssl, bool):
            raise ConfigurationError(
                f"ssl must be True or False, not {_kind(self.ssl)}: "
                "the fourth argument of Pusher is ssl, pass host= and port= by name"
            )
        self._check_address()
        self._check_numbers()
        self._check_types()
        if self.encryption_master_key is not None:
            _check_master_key(self.encryption_master_key, "encryption_master_key")

    def _check_address(self) -> None:
        if not _PATH_SEGMENT.fullmatch(self.app_id):
            raise ConfigurationError(f"app_id {self.app_id!r} cannot stand in the path of a URL")
        if not _HOST.fullmatch(self.host):
            raise ConfigurationError(
                f"host {self.host!r} is no host name: pass ssl=, port= and path_prefix= on their "
                "own, or the whole URL to Pusher.from_url"
            )
        if type(self.port) is not int or not 0 < self.port < 65536:
            raise ConfigurationError(f"port {self.port!r} is no int from 1 to 65535")
        if not _PATH_PREFIX.fullmatch(self.path_prefix):
            raise ConfigurationError(
                f"path_prefix {self.path_prefix!r} does not look like '/some/path'"
            )

    def _check_numbers(self) -> None:
        for name in ("timeout", "webhook_max_age_seconds"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
                raise ConfigurationError(f"{name} is {value!r}, it must be a number of seconds")
        if not isinstance(self.limits, Limits):
            raise ConfigurationError(f"limits must be Limits(...), not {_kind(self.limits)}")
        for limit in fields(self.limits):
            value = getattr(self.limits, limit.name)
            if type(value) is not int or value < 1:
                raise ConfigurationError(f"limit {limit.name} is {value!r}, it must be positive")

    def _check_types(self) -> None:
        for name in ("json_encoder", "json_decoder"):
            if not callable(getattr(self, name)):
                raise ConfigurationError(f"{name} must be a class, not an instance of one")
        keys = self.former_keys
        pairs = [*keys, *keys.values()] if isinstance(keys, Mapping) else [None]
        # An empty secret would let anybody sign.
        if not all(isinstance(text, str) and text for text in pairs):
            raise ConfigurationError("former_keys must be a dict of keys and their secrets")

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
    if not isinstance(cluster, str) or not _CLUSTER.fullmatch(cluster):
        raise ConfigurationError(f"cluster {cluster!r} is no cluster name such as 'eu' or 'mt1'")
    return f"api-{cluster}.pusher.com"


def decode_master_key(text: str) -> bytes:
    """The 32 bytes of an encryption_master_key_base64. Raises ConfigurationError."""
    try:
        key = base64.b64decode(text, validate=True)
    except (TypeError, ValueError):
        raise ConfigurationError("encryption_master_key_base64 is not base64") from None
    return _check_master_key(key, "encryption_master_key_base64")


def url2options(url: str) -> dict[str, Any]:
    """The keyword arguments of Pusher(...) that a PUSHER_URL stands for.

    https://KEY:SECRET@HOST[:PORT]/[PREFIX/]apps/APP_ID; key and secret percent-decoded.
    Raises ConfigurationError, without the secret in its message: also for a query or a fragment,
    which would otherwise be settings that nobody heeds.
    """
    parts = _split(url)
    if parts.query or parts.fragment:
        raise ConfigurationError(f"the Pusher URL ends after the app id: {_URL_SHAPE}")
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
    environ: Mapping[str, str], url_variable: str = "PUSHER_URL", **given: Any
) -> dict[str, Any]:
    """The keyword arguments of Pusher(...) that the environment stands for.

    The URL first, then PUSHER_APP_ID, PUSHER_KEY, PUSHER_SECRET, PUSHER_CLUSTER, PUSHER_HOST,
    PUSHER_PORT and PUSHER_SCHEME over it, then the options `given`. An empty variable counts as
    unset.
    Raises ConfigurationError when the app, its key or its secret are missing.
    """
    found = {option: _first(environ, variables) for option, variables in _VARIABLES}
    named = {option: _converted(option, value) for option, value in found.items() if value}
    url = environ.get(url_variable, "").strip()
    options = overridden(url2options(url) if url else {}, named | given)
    missing = [name for name in ("app_id", "key", "secret") if not options.get(name)]
    if missing:
        raise ConfigurationError(
            f"no {', '.join(missing)} in the environment: set {url_variable}={_URL_SHAPE}, "
            "or PUSHER_APP_ID, PUSHER_KEY and PUSHER_SECRET"
        )
    return options


def overridden(options: dict[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Options with others over them: a cluster takes the place of the host in a URL."""
    if others.get("cluster"):
        options = {name: value for name, value in options.items() if name not in _ADDRESS}
    return {**options, **others}


def resolve(
    *,
    app_id: str | int | None,
    cluster: str | None = None,
    host: str | None = None,
    port: int | None = None,
    ssl: bool = True,
    path_prefix: str | None = None,
    encryption_master_key: bytes | str | None = None,
    encryption_master_key_base64: str | None = None,
    **options: Any,
) -> tuple[Config, dict[str, Any]]:
    """A Config from the arguments of Pusher(...), and the options that are none of its fields.

    An explicit host goes before the cluster's, that before the default. None stands for the
    default everywhere. Raises ConfigurationError.
    """
    names = {field.name for field in fields(Config)}
    own = {name: value for name, value in options.items() if name in names and value is not None}
    own["encryption_master_key"] = _master_key(encryption_master_key, encryption_master_key_base64)
    if isinstance(own.get("former_keys"), Mapping):
        own["former_keys"] = dict(own["former_keys"])
    if app_id:
        own["app_id"] = str(app_id) if type(app_id) is int else app_id
    missing = [name for name in ("app_id", "key", "secret") if not own.get(name)]
    if missing:
        raise ConfigurationError(
            f"no {', '.join(missing)}: pass {missing[0]}= to Pusher, set "
            f"gae_pusher.{missing[0]}, or use Pusher.from_env()"
        )
    config = Config(
        host=_bracketed(host) if host else cluster_host(cluster) if cluster else DEFAULT_HOST,
        port=port or (443 if ssl else 80),
        ssl=ssl,
        path_prefix=f"/{path_prefix.strip('/')}".rstrip("/") if path_prefix else "",
        **own,
    )
    return config, {name: value for name, value in options.items() if name not in names}


def _master_key(raw: bytes | str | None, text: str | None) -> bytes | None:
    if raw and text:
        raise ConfigurationError(
            "encryption_master_key and encryption_master_key_base64 are both given: "
            "leave the first one out"
        )
    if text:
        return decode_master_key(text)
    return raw.encode() if isinstance(raw, str) else raw


def _check_master_key(key: bytes, option: str) -> bytes:
    if not isinstance(key, bytes):
        raise ConfigurationError(f"{option} must be bytes, not {_kind(key)}")
    if len(key) != MASTER_KEY_BYTES:
        raise ConfigurationError(
            f"{option} holds {len(key)} bytes, not {MASTER_KEY_BYTES}: "
            "make one with `openssl rand -base64 32`"
        )
    return key


def _kind(value: object) -> str:
    return type(value).__name__


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except (AttributeError, ValueError):
        raise ConfigurationError(f"the Pusher URL does not look like {_URL_SHAPE}") from None
    return parts


def _bracketed(host: str) -> str:
    """An IPv6 address as a URL holds it; a lone colon is a port that has no business there."""
    return f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host


def _first(environ: Mapping[str, str], variables: tuple[str, ...]) -> str:
    """Without the newline that a secret often brings along from a file or a secret manager."""
    values = (environ.get(name, "").strip() for name in variables)
    return next((value for value in values if value), "")


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
