"""The question to the outbox: does anything wait in it that should have been sent?"""

from __future__ import annotations

from typing import Any, Final

from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError
from google.cloud import ndb  # type: ignore[attr-defined]

from gae_pusher.deploy.outcome import Outcome
from gae_pusher.outbox.outbox import Outbox
from gae_pusher.pusher import Pusher

__all__ = ["ask_outbox", "judge_outbox"]

# Cron sweeps each minute; what is overdue for longer than this has nobody who sends it.
_OVERDUE_SECONDS: Final = 300
_LIMIT: Final = 1000


def ask_outbox(pusher: Pusher, project_id: str, now: float) -> Outcome:
    """How long the oldest event has been due, and whether some wait for a person."""
    store = Outbox().store(pusher)
    try:
        with ndb.Client(project=project_id).context():
            waiting = store.listed(_LIMIT, parked=False).result()
    except (GoogleAuthError, GoogleAPIError) as error:
        do = "Sign in for libraries as well: gcloud auth application-default login"
        return Outcome("outbox", None, f"Datastore does not answer: {type(error).__name__}", do)
    return judge_outbox(waiting, now)


def judge_outbox(entries: list[Any], now: float) -> Outcome:
    """What the entries of an outbox say."""
    parked = sum(entry.parked for entry in entries)
    overdue = max((now - entry.due for entry in entries if not entry.parked), default=0.0)
    if parked:
        do = "They failed too often: the app's log says why. Retry them, or delete them."
        return Outcome("outbox", False, f"{parked} parked", do)
    if overdue > _OVERDUE_SECONDS:
        do = "Nobody sweeps: see the cron question, and the app's log for GET /outbox."
        return Outcome("outbox", False, f"events wait for {overdue / 60:.0f} minutes", do)
    return Outcome("outbox", True, f"{len(entries)} waiting, none for long")
