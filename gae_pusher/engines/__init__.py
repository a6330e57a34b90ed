"""Engines own the connections of the App Engine channel types.

`urllib3` is always there; `pycurl` is several times faster and taken when the extra `fast` is
installed. Both pass the same tests.
"""

from __future__ import annotations

import importlib
import select
from importlib.util import find_spec
from typing import Final

from gae_pusher.config import Config
from gae_pusher.engines.base import CONNECTIONS, Engine
from gae_pusher.errors import ConfigurationError

__all__ = ["Engine", "new_engine"]

_ENGINES: Final = {"pycurl": "PycurlEngine", "urllib3": "Urllib3Engine"}


def new_engine(config: Config, name: str | None = None, connections: int = CONNECTIONS) -> Engine:
    """The engine of that name; without a name the fastest one that is installed.

    `connections` is the most that it keeps open.
    Raises ConfigurationError for an unknown name or a library that is not installed.
    """
    if name is None:
        name = "pycurl" if _has_pycurl() else "urllib3"
    if name not in _ENGINES:
        raise ConfigurationError(f"engine is {name!r}, it must be {' or '.join(_ENGINES)}")
    if connections < 1:
        raise ConfigurationError(f"connections is {connections}, it must be at least 1")
    try:
        module = importlib.import_module(f"gae_pusher.engines.{name}")
    except ImportError as error:
        raise ConfigurationError(
            f"the engine {name} cannot be loaded ({error}): pip install 'gae-pusher[fast]'"
        ) from error
    engine: Engine = getattr(module, _ENGINES[name])(config, connections)
    return engine


def _has_pycurl() -> bool:
    """Whether the fast engine can run here: it needs poll(), which Windows and eventlet lack."""
    return hasattr(select, "poll") and find_spec("pycurl") is not None
