"""The doing of a plan: deploy without traffic, ask the new version, then move the traffic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gae_pusher.deploy.gcloud import Gcloud, GcloudError
from gae_pusher.deploy.plan import DeployPlan, Serving
from gae_pusher.deploy.smoke import Endpoints, smoke_test
from gae_pusher.deploy.stage import staged
from gae_pusher.errors import PusherError
from gae_pusher.pusher import Pusher

__all__ = ["Deployment", "SmokeTestFailed", "rollback_command", "serving_version"]

Say = Callable[[str], None]


class SmokeTestFailed(PusherError):
    """The new version is deployed and gets no traffic, because it answered wrongly."""


def serving_version(gcloud: Gcloud, service: str) -> Serving | None:
    """The version with most of a service's traffic; None when none can be read."""
    try:
        rows = gcloud.run("app", "versions", "list", f"--service={service}", "--hide-no-traffic")
        if not rows:
            return None
        version = max(rows, key=lambda row: row.get("traffic_split") or 0)["id"]
        config = gcloud.run("app", "versions", "describe", version, f"--service={service}")
    except GcloudError:
        return None
    return Serving(version, config or {})


def rollback_command(plan: DeployPlan) -> str | None:
    """What gives the traffic back to the version that had it; None when there was none."""
    if plan.serving is None:
        return None
    return (
        f"gcloud app services set-traffic {plan.service} --splits={plan.serving}=1 "
        f"--project={plan.project}"
    )


class Deployment:
    """Carries out one plan, telling what happens through `say`."""

    def __init__(self, plan: DeployPlan, gcloud: Gcloud, say: Say) -> None:
        self._plan = plan
        self._gcloud = gcloud
        self._say = say

    def upload(self, root: Path) -> str:
        """Deploy the files and all configs together, without traffic; the new version's URL.

        Raises GcloudError.
        """
        plan = self._plan
        with staged(root, plan) as stage:
            self._gcloud.run(
                "app",
                "deploy",
                *(str(stage.root / path) for path in (plan.app_yaml, *plan.configs)),
                f"--version={plan.version}",
                "--no-promote",
                f"--ignore-file={stage.ignore_file}",
            )
        version = self._gcloud.run(
            "app", "versions", "describe", plan.version, f"--service={plan.service}"
        )
        return str(version["versionUrl"])

    def test(self, url: str, endpoints: Endpoints, pusher: Pusher | None) -> None:
        """Ask the new version. Raises SmokeTestFailed before any traffic moves."""
        outcomes = []
        for outcome in smoke_test(url.rstrip("/"), endpoints, pusher):
            outcomes.append(outcome)
            self._say(outcome.line())
        failed = [outcome.question for outcome in outcomes if outcome.ok is False]
        if failed:
            raise SmokeTestFailed(
                f"the smoke test failed ({', '.join(failed)}): version {self._plan.version} is "
                f"deployed and gets no traffic. Look at {url}, or delete it: gcloud app versions "
                f"delete {self._plan.version} --service={self._plan.service} "
                f"--project={self._plan.project}"
            )

    def promote(self) -> None:
        """Give the new version all of the service's traffic. Raises GcloudError."""
        plan = self._plan
        self._gcloud.run(
            "app", "services", "set-traffic", plan.service, f"--splits={plan.version}=1"
        )
