"""The environment of the app's process: production's names, with local values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gae_pusher.emulator.appengine.manifest import Manifest

__all__ = ["FRONT_MARKER", "Identity", "environment"]

# Set where a front door stands before the app that strips what only App Engine may send.
FRONT_MARKER: Final = "GAE_PUSHER_FRONT"


@dataclass(frozen=True, slots=True)
class Identity:
    """What one start of the app is called: deployment and instance ids are fresh each time."""

    project: str
    version: str
    deployment_id: str
    instance: str


def environment(
    inherited: Mapping[str, str],
    manifest: Manifest,
    services: Mapping[str, str],
    identity: Identity,
    port: int,
    bin_directory: Path,
) -> dict[str, str]:
    """Later ones win: what was inherited, app.yaml's env_variables, the local services, markers.

    `bin_directory` goes first in PATH, so that an entrypoint finds the gunicorn that is installed
    beside this package. GAE_ENV is `localdev`: `standard` is how an app knows production.
    """
    path = inherited.get("PATH")
    return {
        # Not every start and stop of its workers is news.
        "GUNICORN_CMD_ARGS": "--log-level warning",
        **inherited,
        "PYTHONUNBUFFERED": "1",
        **manifest.env_variables,
        **services,
        "PATH": f"{bin_directory}:{path}" if path else str(bin_directory),
        "PORT": str(port),
        "GAE_APPLICATION": f"dev~{identity.project}",
        "GAE_DEPLOYMENT_ID": identity.deployment_id,
        "GAE_ENV": "localdev",
        "GAE_INSTANCE": identity.instance,
        "GAE_MEMORY_MB": str(manifest.memory_mb),
        "GAE_RUNTIME": manifest.runtime,
        "GAE_SERVICE": manifest.service,
        "GAE_VERSION": identity.version,
        "GOOGLE_CLOUD_PROJECT": identity.project,
        FRONT_MARKER: "1",
    }
