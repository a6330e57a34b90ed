"""Questions to Google Cloud, through gcloud: queue and indexes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gae_pusher.deploy.check import Project
from gae_pusher.deploy.check.yaml_source import Source
from gae_pusher.deploy.gcloud import Gcloud, GcloudError
from gae_pusher.deploy.outcome import Outcome

__all__ = ["ask_indexes", "ask_queue", "region_of"]

# App Engine's two oldest regions have other names everywhere else.
_FORMER_NAMES: Final = {"us-central": "us-central1", "europe-west": "europe-west1"}
_NOWHERE: Final = Source([], 0)

Index = tuple[str, str, tuple[tuple[str, str], ...]]


def region_of(app: Mapping[str, Any]) -> str:
    """The region of an app, as Cloud Tasks and Cloud Scheduler call it."""
    location = str(app.get("locationId", ""))
    return _FORMER_NAMES.get(location, location)


def ask_queue(gcloud: Gcloud, region: str, queue: str) -> Outcome:
    """Whether the queue of background tasks exists and runs."""
    try:
        answer = gcloud.run("tasks", "queues", "describe", queue, f"--location={region}")
    except GcloudError as error:
        if "NOT_FOUND" not in str(error):
            return Outcome("queue", None, str(error))
        do = f"gcloud tasks queues create {queue} --location={region}"
        return Outcome("queue", False, f"there is no queue {queue} in {region}", do)
    state = answer.get("state", "RUNNING")
    do = "" if state == "RUNNING" else f"gcloud tasks queues resume {queue} --location={region}"
    return Outcome("queue", state == "RUNNING", f"{queue} in {region} is {state}", do)


def ask_indexes(gcloud: Gcloud, project: Project) -> Outcome:
    """Whether all indexes of index.yaml are there and ready."""
    document = project.documents.get("index.yaml", Source({}, 0))
    wanted = {_declared(index) for index in (document.get("indexes") or _NOWHERE).entries()}
    if not wanted:
        return Outcome("indexes", None, "index.yaml names none")
    try:
        found: Sequence[Any] = gcloud.run("datastore", "indexes", "list") or []
    except GcloudError as error:
        return Outcome("indexes", None, str(error))
    ready = {_deployed(index) for index in found if index.get("state") == "READY"}
    missing = sorted(kind for kind, _, _ in wanted - ready)
    if not missing:
        return Outcome("indexes", True, f"{len(wanted)} ready")
    do = "gcloud app deploy index.yaml, then wait until they are built."
    return Outcome("indexes", False, f"not ready for: {', '.join(missing)}", do)


def _declared(index: Source) -> Index:
    properties = (index.get("properties") or _NOWHERE).entries()
    ancestor = index.plain("ancestor") in (True, "yes", "true")
    return (
        str(index.plain("kind")),
        "ALL_ANCESTORS" if ancestor else "NONE",
        tuple(
            (
                str(entry.plain("name")),
                "DESCENDING" if str(entry.plain("direction")).startswith("desc") else "ASCENDING",
            )
            for entry in properties
        ),
    )


def _deployed(index: Mapping[str, Any]) -> Index:
    return (
        str(index.get("kind")),
        str(index.get("ancestor", "NONE")),
        tuple((str(e["name"]), str(e["direction"])) for e in index.get("properties", [])),
    )
