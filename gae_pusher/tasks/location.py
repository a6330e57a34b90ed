"""Where an app's queues are: the project, and the region that App Engine runs it in."""

from __future__ import annotations

import os
import re
import urllib.request
from collections.abc import Mapping
from functools import cache
from typing import Final

from gae_pusher.errors import ConfigurationError

__all__ = ["EMULATOR_VARIABLE", "emulator_host", "find_location", "find_project"]

EMULATOR_VARIABLE: Final = "CLOUD_TASKS_EMULATOR_HOST"
LOCATION_VARIABLE: Final = "CLOUD_TASKS_LOCATION"
LOCAL_PROJECT: Final = "local"
LOCAL_LOCATION: Final = "us-central1"

# What Google's own task queue API for App Engine reads: projects/NUMBER/regions/REGION.
_METADATA_URL: Final = "http://{host}/computeMetadata/v1/instance/region"
_METADATA_TIMEOUT_SECONDS: Final = 2
_REGION: Final = re.compile(r"[a-z]+(-[a-z]+)+\d*")
# App Engine's two oldest regions have a name of their own.
_FORMER_NAMES: Final = {"us-central": "us-central1", "europe-west": "europe-west1"}


def emulator_host(environ: Mapping[str, str] = os.environ) -> str | None:
    """HOST:PORT of the local Cloud Tasks, None where the real one is to be used."""
    return environ.get(EMULATOR_VARIABLE) or None


def find_project(environ: Mapping[str, str] = os.environ) -> str:
    """The project's id, which App Engine sets.

    With the local Cloud Tasks any project will do. Raises ConfigurationError where none is found.
    """
    project = environ.get("GOOGLE_CLOUD_PROJECT")
    if project:
        return project
    if emulator_host(environ):
        return LOCAL_PROJECT
    raise ConfigurationError(
        "no project for the task queue: pass project= to TaskQueue or set GOOGLE_CLOUD_PROJECT; "
        f"with the local Cloud Tasks set {EMULATOR_VARIABLE}"
    )


def find_location(environ: Mapping[str, str] = os.environ) -> str:
    """The region of the queues: CLOUD_TASKS_LOCATION, else the region that this instance runs in.

    With the local Cloud Tasks any region will do. Raises ConfigurationError where none is found.
    """
    location = environ.get(LOCATION_VARIABLE)
    if location:
        return location
    if emulator_host(environ):
        return LOCAL_LOCATION
    if environ.get("GAE_ENV") == "standard":
        return _instance_region(environ.get("GCE_METADATA_HOST", "metadata.google.internal"))
    raise ConfigurationError(
        f"no region for the task queue: pass location= to TaskQueue or set {LOCATION_VARIABLE}; "
        f"with the local Cloud Tasks set {EMULATOR_VARIABLE}"
    )


@cache  # an instance does not move; an exception is not cached
def _instance_region(host: str) -> str:
    request = urllib.request.Request(  # noqa: S310 the scheme is written above
        _METADATA_URL.format(host=host), headers={"Metadata-Flavor": "Google"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_METADATA_TIMEOUT_SECONDS) as answer:  # noqa: S310
            text: str = answer.read(1_000).decode("ascii", "replace")
    except OSError as error:
        raise ConfigurationError(
            f"the metadata server did not name the region ({error}): set {LOCATION_VARIABLE}"
        ) from error
    region = text.strip().rpartition("/")[2]
    if not _REGION.fullmatch(region):
        raise ConfigurationError(
            f"the metadata server named the region {region!r}: set {LOCATION_VARIABLE}"
        )
    return _FORMER_NAMES.get(region, region)
