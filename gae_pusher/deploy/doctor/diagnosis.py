"""All questions in their order; those that make no sense for an app are not asked."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from gae_pusher.deploy.check import Project
from gae_pusher.deploy.doctor.channels import ask_clock, ask_credentials
from gae_pusher.deploy.doctor.cloud import ask_indexes, ask_queue, region_of
from gae_pusher.deploy.doctor.cron import ask_cron
from gae_pusher.deploy.doctor.outbox import ask_outbox
from gae_pusher.deploy.doctor.roles import ask_roles
from gae_pusher.deploy.doctor.webhook import ask_webhook
from gae_pusher.deploy.gcloud import Gcloud, GcloudError
from gae_pusher.deploy.outcome import Outcome
from gae_pusher.pusher import Pusher

__all__ = ["Targets", "diagnose"]

_REFERENCE: Final = re.compile(r"sm://[^/\s]+/([A-Za-z0-9_-]+)")
_WEBHOOK_PATH: Final = "/pusher/webhook"


@dataclass(frozen=True, slots=True)
class Targets:
    """What is asked about: the queue, the path that cron asks, the webhook's URL if not usual."""

    queue: str = "default"
    sweep: str = "/outbox"
    webhook: str | None = None


def diagnose(
    project: Project, pusher: Pusher | None, gcloud: Gcloud | None, targets: Targets
) -> Iterator[Outcome]:
    """Ask everything that can be asked with a configured app, with gcloud, or with both."""
    if pusher is None:
        yield Outcome("credentials", None, "no PUSHER_URL here")
    else:
        yield ask_credentials(pusher)
        yield ask_clock(pusher.config, time.time())
    app = None
    if gcloud is None:
        yield Outcome(
            "Google Cloud",
            None,
            "needs gcloud and a project: --project ID, or gcloud config set project ID",
        )
    else:
        try:
            app = gcloud.run("app", "describe")
        except GcloudError as error:
            yield Outcome("Google Cloud", False, str(error), "Sign in: gcloud auth login")
    if gcloud and app:
        yield from _cloud(project, pusher, gcloud, app, targets)
    url = targets.webhook or (f"https://{app['defaultHostname']}{_WEBHOOK_PATH}" if app else None)
    if pusher and url:
        yield from ask_webhook(url, pusher)
    else:
        yield Outcome("webhook", None, "needs PUSHER_URL here, and --project or --webhook URL")


def _cloud(
    project: Project, pusher: Pusher | None, gcloud: Gcloud, app: Any, targets: Targets
) -> Iterator[Outcome]:
    region, outbox, tasks = region_of(app), project.names("OutboxApp"), project.names("TaskQueue")
    secrets = sorted({name for text in project.texts.values() for name in _REFERENCE.findall(text)})
    if tasks:
        yield ask_queue(gcloud, region, targets.queue)
    if outbox:
        yield ask_cron(gcloud, region, targets.sweep, project)
        if pusher:
            yield ask_outbox(pusher, gcloud.project, time.time())
    yield ask_indexes(gcloud, project)
    wanted = {
        "roles/datastore.user": project.names("ndb"),
        "roles/cloudtasks.enqueuer": tasks,
        "roles/secretmanager.secretAccessor": bool(secrets),
    }
    account = str(app.get("serviceAccount") or f"{gcloud.project}@appspot.gserviceaccount.com")
    account = str(project.app.plain("service_account", account))
    roles = [role for role, used in wanted.items() if used]
    yield from ask_roles(gcloud, gcloud.project, account, roles, secrets)
