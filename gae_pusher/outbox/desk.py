"""An operator's view of the outbox: what waits and why, another try, or the waste basket."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.auth.exceptions import GoogleAuthError
from google.cloud import ndb  # type: ignore[attr-defined]

from gae_pusher.errors import ConfigurationError, ConnectionFailed
from gae_pusher.outbox.entry import OutboxEntry
from gae_pusher.outbox.outbox import Outbox
from gae_pusher.outbox.store import Store

__all__ = ["Desk"]


class Desk:
    """The entries of one Channels app, as JSON values. Each call has an NDB context of its own.

    `project` is the Google Cloud project, None that of the environment. Every call raises
    ConfigurationError without a project or credentials, ConnectionFailed when Datastore refuses.
    """

    def __init__(self, app_id: str, project: str | None = None) -> None:
        self._app_id = app_id
        self._project = project

    def list(self, limit: int, parked: bool = False) -> list[dict[str, Any]]:
        """At most `limit` entries, those that are due first; only parked ones if told so."""
        with self._store() as store:
            return [_facts(entry) for entry in store.listed(limit, parked).result()]

    def show(self, entry: str) -> dict[str, Any]:
        """One entry with its events. Raises NoSuchEntry."""
        with self._store() as store:
            found = store.get(entry).result()
            return {**_facts(found), "events": json.loads(found.events)["events"]}

    def retry(self, entry: str) -> None:
        """Have the next sweep send it, with all its attempts again. Raises NoSuchEntry."""
        with self._store() as store:
            store.retry(entry).result()

    def drop(self, entry: str) -> None:
        """Delete it; its events are never sent. Raises NoSuchEntry."""
        with self._store() as store:
            store.get(entry).result()
            store.delete([entry]).result()

    @contextmanager
    def _store(self) -> Iterator[Store]:
        try:
            with ndb.Client(project=self._project).context():
                yield Store(self._app_id, Outbox().policy, time.time)
        except (GoogleAuthError, OSError) as error:
            raise ConfigurationError(
                f"no way into Datastore: {error}. Set GOOGLE_CLOUD_PROJECT and run `gcloud auth "
                "application-default login`, or set DATASTORE_EMULATOR_HOST"
            ) from error
        except (GoogleAPICallError, RetryError) as error:
            raise ConnectionFailed(f"Datastore refused: {error}") from error


def _facts(entry: OutboxEntry) -> dict[str, Any]:
    when = datetime.fromtimestamp(entry.due, UTC).isoformat(timespec="seconds")
    created = entry.created and entry.created.replace(tzinfo=UTC).isoformat(timespec="seconds")
    return {
        "id": entry.key.id(),
        "state": "parked" if entry.parked else "waiting",
        "since" if entry.parked else "due": when,
        "created": created,
        "attempts": entry.attempts,
        "events": len(json.loads(entry.events)["events"]),
        "error": entry.error,
    }
