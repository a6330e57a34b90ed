"""The doing of a plan: deploy without traffic, ask the new version, then move the traffic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gae_pusher.deploy.gcloud import Gcloud
from gae_pusher.deploy.plan import DeployPlan
from gae_pusher.deploy.serving import read_serving
from gae_pusher.deploy.smoke import Endpoints, smoke_test
from gae_pusher.deploy.stage import staged
from gae_pusher.errors import PusherError
from gae_pusher.pusher import Pusher

__all__ = ["Deployment", "SmokeTestFailed"]

Say = Callable[[str], None]


class SmokeTestFailed(PusherError):
    """The new version is deployed, answered wrongly, and is given no traffic."""


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
                f"the smoke test failed ({', '.join(failed)}): {self._advice(url)}"
            )

    def _advice(self, url: str) -> str:
        """Where a version that failed its test stands, and how it goes away."""
        plan = self._plan
        if plan.version in read_serving(self._gcloud, plan.service).split:
            return (
                f"version {plan.version} is the first of its service and so has the traffic.\n"
                f"Look at {url}, and deploy a better one."
            )
        return (
            f"version {plan.version} is deployed and gets no traffic.\n"
            f"Look at {url}, or delete it: {plan.removal}"
        )

    def promote(self) -> None:
        """Give the new version all of the service's traffic. Raises GcloudError."""
        plan = self._plan
        self._gcloud.run(
            "app", "services", "set-traffic", plan.service, f"--splits={plan.version}=1"
        )
