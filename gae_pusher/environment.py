"""What PUSHER_URL and the other PUSHER_* variables stand for: options of Pusher(...).

The only module that gives these variables a meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from gae_pusher.errors import ConfigurationError

__all__ = ["VARIABLES", "options_from_env", "overridden", "url2options"]

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
        "host": f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname,
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
    options = overridden(overridden(url2options(url) if url else {}, named), given)
    missing = [name for name in ("app_id", "key", "secret") if not options.get(name)]
    if missing:
        raise ConfigurationError(
            f"no {', '.join(missing)} in the environment: set {url_variable}={_URL_SHAPE}, "
            "or PUSHER_APP_ID, PUSHER_KEY and PUSHER_SECRET"
        )
    return options


def overridden(options: dict[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Options with others over them: a cluster takes the place of the host in a URL.

    None overrides nothing: else an app's secret would sign requests to another host than its own.
    """
    if others.get("cluster"):
        options = {name: value for name, value in options.items() if name not in _ADDRESS}
    return {**options, **{name: value for name, value in others.items() if value is not None}}


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except (AttributeError, ValueError):
        raise ConfigurationError(f"the Pusher URL does not look like {_URL_SHAPE}") from None
    return parts


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
