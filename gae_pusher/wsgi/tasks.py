"""TaskApp: where the tasks of a TaskQueue arrive."""

from __future__ import annotations

import inspect
import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from gae_pusher.errors import ConfigurationError, InvalidTask, TaskDropped
from gae_pusher.limits import TASK_BYTES
from gae_pusher.pusher import Pusher
from gae_pusher.sansio.tasks import TRIGGER, check_task, decode_body
from gae_pusher.wsgi.endpoint import Endpoint, check_method
from gae_pusher.wsgi.handlers import PusherSource, check_handler, settled, source
from gae_pusher.wsgi.http import Refusal, Response, text_response
from gae_pusher.wsgi.request import Request
from gae_pusher.wsgi.triggers import trigger_handler
from gae_pusher.wsgi.trust import check_trusted

__all__ = ["TaskApp", "TaskInfo"]

QUEUE_HEADER: Final = "X-AppEngine-QueueName"

_SECONDS: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?", re.ASCII)

Handler = TypeVar("Handler", bound=Callable[..., Any])

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """What Cloud Tasks says about a task: short names of the queue and the task.

    `retry_count` counts the attempts before this one, `execution_count` those that a handler
    answered. `eta` is when it was due, in unix seconds.
    """

    queue: str
    name: str
    retry_count: int = 0
    execution_count: int = 0
    eta: float | None = None


class TaskApp(Endpoint):
    """A WSGI app that calls your handlers; mount it at /tasks, the path of TaskQueue.

    With `pusher`, a Pusher of a blocking channel type or a function that returns one, it also
    triggers the events of `trigger_later`.

    Only App Engine's own requests are taken, recognizable where `environ` has GAE_ENV=standard or
    our local front's GAE_PUSHER_FRONT=1.

    200 is answered after the handler returned, and when it raised TaskDropped. Everything else is
    retried by Cloud Tasks as the queue says: 500 for a handler that failed, 404 for a task that
    nobody here handles, 400 for a body of another release. Never 503: that slows the whole queue.
    """

    def __init__(
        self,
        pusher: Pusher | PusherSource | None = None,
        *,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._handlers: dict[str, tuple[Callable[..., Any], bool]] = {}
        if pusher is not None:
            self.on(TRIGGER)(trigger_handler(source(pusher)))

    def on(self, task: str) -> Callable[[Handler], Handler]:
        """Decorate the handler of a task: `handler(payload)` or `handler(payload, info)`.

        A task may arrive more than once, so a handler should not mind. It may be an NDB tasklet.
        Raises InvalidTask for a bad name, ConfigurationError for a second handler.
        """
        check_task(task)

        def register(handler: Handler) -> Handler:
            check_handler(handler)
            if task in self._handlers:
                raise ConfigurationError(f"the task {task!r} has a handler already")
            self._handlers[task] = handler, _wants_info(handler)
            return handler

        return register

    def answer(self, request: Request) -> Response:
        """200 when the task is done or dropped. Raises Refusal for everything else."""
        check_method(request, "POST")
        queue = check_trusted(request, QUEUE_HEADER, self._environ)
        info = _info(request, queue)
        try:
            task, payload = decode_body(request.body(TASK_BYTES))
        except InvalidTask as error:
            logger.error("task %s of %s: %s", info.name, info.queue, error)
            raise Refusal(400, "not a task of this release") from error
        if task not in self._handlers:
            hint = ", give TaskApp the pusher" if task == TRIGGER else ""
            logger.error(
                "task %s of %s: nothing handles %s here%s", info.name, info.queue, task, hint
            )
            raise Refusal(404, "nothing handles this task here")
        return self._run(task, payload, info)

    def _run(self, task: str, payload: Any, info: TaskInfo) -> Response:
        handler, wants_info = self._handlers[task]
        try:
            settled(handler(payload, info) if wants_info else handler(payload))
        except TaskDropped as reason:
            logger.warning("task %s (%s) of %s is dropped: %s", info.name, task, info.queue, reason)
            return text_response(200, "dropped")
        except Exception as error:
            logger.exception(
                "task %s (%s) of %s failed, retry %d",
                info.name,
                task,
                info.queue,
                info.retry_count,
            )
            raise Refusal(500, "the handler failed, the log says how") from error
        return text_response(200, "done")


def _wants_info(handler: Callable[..., Any]) -> bool:
    """Whether a handler takes a TaskInfo after the payload."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(handler).parameters.values()
    return sum(parameter.kind in kinds for parameter in parameters) > 1


def _info(request: Request, queue: str) -> TaskInfo:
    eta = request.header("X-AppEngine-TaskETA") or ""
    return TaskInfo(
        queue=queue,
        name=request.header("X-AppEngine-TaskName") or "",
        retry_count=_count(request, "X-AppEngine-TaskRetryCount"),
        execution_count=_count(request, "X-AppEngine-TaskExecutionCount"),
        eta=float(eta) if _SECONDS.fullmatch(eta) else None,
    )


def _count(request: Request, header: str) -> int:
    text = request.header(header) or ""
    return int(text) if _SECONDS.fullmatch(text) and text.isdecimal() else 0
