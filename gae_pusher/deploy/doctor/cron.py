"""The question about cron: does a job ask the outbox's path, and was the answer good?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gae_pusher.deploy.check import Project
from gae_pusher.deploy.check.yaml_source import Source
from gae_pusher.deploy.gcloud import Gcloud, GcloudError
from gae_pusher.deploy.outcome import Outcome
from gae_pusher.deploy.rest import get_json

__all__ = ["ask_cron", "judge_job"]

_NOWHERE: Final = Source([], 0)


def ask_cron(gcloud: Gcloud, region: str, path: str, project: Project) -> Outcome:
    """Whether a job asks the outbox's path: of Cloud Scheduler, or of the app's cron.yaml."""
    try:
        for job in _jobs(gcloud, region):
            if (job.get("appEngineHttpTarget") or {}).get("relativeUri") == path:
                return judge_job(job, path)
    except GcloudError as error:
        do = "Look there: https://console.cloud.google.com/cloudscheduler/appengine"
        return Outcome("cron", None, str(error), do)
    document = project.documents.get("cron.yaml", _NOWHERE)
    declared = (document.get("cron") or _NOWHERE).entries()
    if any(job.plain("url") == path for job in declared):
        detail = f"cron.yaml has {path}, and no such job is deployed"
        return Outcome("cron", False, detail, "gcloud app deploy cron.yaml")
    do = f"Add {{url: {path}, schedule: every 1 minutes}} to cron.yaml and deploy it."
    return Outcome("cron", False, f"no job asks {path}: what failed once is never sent again", do)


def judge_job(job: Mapping[str, Any], path: str) -> Outcome:
    """What a job's state and its last attempt say."""
    state = job.get("state", "ENABLED")
    last = f", last asked at {job['lastAttemptTime']}" if "lastAttemptTime" in job else ""
    detail = f"the job for {path} is {state}{last}"
    if state != "ENABLED":
        do = "Resume it: https://console.cloud.google.com/cloudscheduler"
        return Outcome("cron", False, detail, do)
    if (job.get("status") or {}).get("code"):
        do = f"The app's log says why: gcloud app logs read. Who answers GET {path}?"
        return Outcome("cron", False, f"{detail}, and the answer was no 2xx", do)
    return Outcome("cron", True, detail)


def _jobs(gcloud: Gcloud, region: str) -> Iterator[dict[str, Any]]:
    """Cloud Scheduler's jobs, then those that came from cron.yaml, which gcloud does not list."""
    yield from gcloud.run("scheduler", "jobs", "list", f"--location={region}") or []
    path = f"v1beta1/projects/{gcloud.project}/locations/{region}/jobs"
    answer = get_json(gcloud, "cloudscheduler", path, {"legacyAppEngineCron": "true"})
    yield from answer.get("jobs") or []
