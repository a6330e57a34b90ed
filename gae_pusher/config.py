"""Settings of one app: where the service is, who we are, what the limits are."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from gae_pusher.errors import ConfigurationError
from gae_pusher.limits import (
    DEFAULT_LIMITS,
    DEFAULT_TIMEOUT_SECONDS,
    WEBHOOK_MAX_AGE_SECONDS,
    Limits,
)

__all__ = ["DEFAULT_HOST", "Config", "cluster_host", "decode_master_key", "resolve"]

DEFAULT_HOST: Final = "api.pusherapp.com"
DEFAULT_CLUSTER: Final = "mt1"
MASTER_KEY_BYTES: Final = 32

_CLUSTER_HOST: Final = re.compile(r"api-([a-z0-9-]+)\.pusher\.com")
_CLUSTER: Final = re.compile(r"[A-Za-z0-9-]+")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_PATH_SEGMENT: Final = re.compile(r"(?!\.\.?$)[A-Za-z0-9\-._~!$&'()*+,;=:@]+")
_PATH_PREFIX: Final = re.compile(r"(/[A-Za-z0-9\-._~!$&'()*+,;=:@%]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that a verb needs to know about an app. Secrets stay out of the repr.

    `path_prefix` is a proxy's path before /apps/ and is never signed. `timeout` is in seconds.
    `former_keys` maps other live keys of the app to their secrets: while keys are being changed,
    webhooks are signed with the oldest one that is active (protocol section 4.7).
    A `json_decoder` has to make a dict of a JSON object: the verbs look into answers.
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
        if not isinstance(self.path_prefix, str) or not _PATH_PREFIX.fullmatch(self.path_prefix):
            raise ConfigurationError(
                f"path_prefix {self.path_prefix!r} does not look like '/some/path'"
            )

    def _check_numbers(self) -> None:
        for name in ("timeout", "webhook_max_age_seconds"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
                raise ConfigurationError(
                    f"{name} is {value!r}, it must be a positive number of seconds"
                )
        if not math.isfinite(self.timeout):
            raise ConfigurationError("timeout is infinite, and no socket can wait that long")
        if not isinstance(self.limits, Limits):
            raise ConfigurationError(f"limits must be Limits(...), not {_kind(self.limits)}")
        for limit in fields(self.limits):
            value = getattr(self.limits, limit.name)
            if type(value) is not int or value < 1:
                raise ConfigurationError(f"limit {limit.name} is {value!r}, it must be positive")

    def _check_types(self) -> None:
        for name in ("http_proxy", "ca_certs"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise ConfigurationError(f"{name} must be a str, not {_kind(value)}")
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
        path_prefix=_rooted(path_prefix) if path_prefix else "",
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


def _bracketed(host: str) -> str:
    """An IPv6 address as a URL holds it; a lone colon is a port that has no business there."""
    bare = isinstance(host, str) and host.count(":") > 1 and not host.startswith("[")
    return f"[{host}]" if bare else host


def _rooted(path: str) -> str:
    return f"/{path.strip('/')}".rstrip("/") if isinstance(path, str) else path
