"""OutboxApp: where Cloud Tasks and cron have the outbox's work done."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from google.cloud import ndb  # type: ignore[attr-defined]

from gae_pusher.errors import ConfigurationError, InvalidTask
from gae_pusher.limits import TASK_BYTES
from gae_pusher.outbox.fallback import DELIVER
from gae_pusher.outbox.relay import Relay
from gae_pusher.pusher import Pusher
from gae_pusher.sansio.tasks import decode_body
from gae_pusher.wsgi.endpoint import Endpoint, check_method
from gae_pusher.wsgi.handlers import source
from gae_pusher.wsgi.http import Refusal, Response, text_response
from gae_pusher.wsgi.request import Request
from gae_pusher.wsgi.tasks import QUEUE_HEADER
from gae_pusher.wsgi.trust import check_trusted

__all__ = ["OutboxApp"]

CRON_HEADER: Final = "X-Appengine-Cron"
SWEEP_SECONDS: Final = 50  # cron asks every minute

logger = logging.getLogger(__name__)


class OutboxApp(Endpoint):
    """A WSGI app for the outbox of `pusher`; mount it at /outbox.

    POST is a task of the outbox's queue: one attempt for one entry. GET is cron: a sweep, for at
    most `sweep_seconds`. Both only from App Engine itself, recognizable where `environ` has
    GAE_ENV=standard or our local front's GAE_PUSHER_FRONT=1; everybody else gets 403.
    200 says that the work was done, whatever became of the entry: retries are the outbox's own.
    `client` makes an NDB context where the request has none.
    """

    def __init__(
        self,
        pusher: Pusher | Callable[[], Pusher],
        *,
        client: ndb.Client | None = None,
        sweep_seconds: float = SWEEP_SECONDS,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._pusher = source(pusher)
        self._client = client
        self._sweep_seconds = sweep_seconds
        self._environ = os.environ if environ is None else environ

    def answer(self, request: Request) -> Response:
        check_method(request, "GET", "POST")
        if request.method == "GET":
            check_trusted(request, CRON_HEADER, self._environ)
            with self._context():
                done = self._relay().sweep(self._sweep_seconds).result()
            report = ", ".join(f"{count} {name}" for name, count in sorted(done.items()))
            return text_response(200, report or "nothing was sent")
        check_trusted(request, QUEUE_HEADER, self._environ)
        entry = _entry(request.body(TASK_BYTES))
        with self._context():
            return text_response(200, self._relay().deliver(entry).result())

    def _relay(self) -> Relay:
        sender: Any = self._pusher().sender
        if not hasattr(sender, "transactions"):
            raise ConfigurationError(
                "this Pusher has no outbox: give it channel_type=GaeNdbChannel"
            )
        return Relay(sender.transactions.outbox, sender)

    @contextmanager
    def _context(self) -> Iterator[None]:
        if ndb.context.get_context(False) is not None:
            yield
            return
        if self._client is None:
            raise ConfigurationError(
                "OutboxApp needs an NDB context: wrap the app in `with client.context():`, "
                "or pass client="
            )
        with self._client.context():
            yield


def _entry(body: bytes) -> str:
    try:
        task, payload = decode_body(body)
    except InvalidTask as error:
        logger.error("a task for the outbox: %s", error)
        raise Refusal(400, "not a task of this release") from error
    if task != DELIVER or not isinstance(payload, dict) or not payload.get("entry"):
        logger.error("a task for the outbox that is none of its own: %s", task)
        raise Refusal(400, "not a task of the outbox")
    return str(payload["entry"])
