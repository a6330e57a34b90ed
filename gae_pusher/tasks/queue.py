"""TaskQueue: work for later, as JSON that Cloud Tasks posts to this app."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from gae_pusher.errors import InvalidTask, TaskTooLarge
from gae_pusher.limits import DEFAULT_TIMEOUT_SECONDS, TASK_BYTES, TASK_DELAY_SECONDS
from gae_pusher.sansio.tasks import encode_body, task_id
from gae_pusher.tasks.client import LazyClient, translated_errors
from gae_pusher.tasks.location import find_location, find_project

if TYPE_CHECKING:
    from google.cloud.tasks_v2 import CloudTasksClient, Task

__all__ = ["AddedTask", "TaskQueue"]

_QUEUE: Final = re.compile(r"[A-Za-z0-9-]{1,100}")


@dataclass(frozen=True, slots=True)
class AddedTask:
    """A task that Cloud Tasks has: its full `name`, projects/.../queues/.../tasks/....

    `duplicate` is True when a task of that name was there already, waiting, done or deleted,
    and nothing was added.
    """

    name: str
    duplicate: bool = False


class TaskQueue:
    """One of the app's queues. It connects at the first `add`, so it can be made at import time.

    `path` is where TaskApp is mounted. Tasks go to this app's `service` (GAE_SERVICE unless
    given) and to the version of it that serves when they run, unless `version` pins one.
    `project` and `location` come from the environment, `timeout` is in seconds, and `client` is
    a CloudTasksClient of your own.
    """

    def __init__(
        self,
        queue: str = "default",
        *,
        path: str = "/tasks",
        service: str | None = None,
        version: str | None = None,
        project: str | None = None,
        location: str | None = None,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        client: CloudTasksClient | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not _QUEUE.fullmatch(queue):
            raise InvalidTask(f"the queue {queue!r} must be 1 to 100 letters, digits and hyphens")
        if not path.startswith("/"):
            raise InvalidTask(f"the path {path!r} must begin with /")
        self.queue = queue
        self.path = path.rstrip("/")
        self.service = service
        self.version = version
        self.timeout = timeout
        self._project = project
        self._location = location
        self._client = LazyClient(client)
        self._clock = clock

    @property
    def name(self) -> str:
        """The queue's full name. Raises ConfigurationError where project or region is unknown."""
        project = self._project or find_project()
        location = self._location or find_location()
        return f"projects/{project}/locations/{location}/queues/{self.queue}"

    def add(
        self, task: str, payload: Any = None, *, delay_seconds: float = 0, name: str | None = None
    ) -> AddedTask:
        """Have `payload` (JSON) posted to this app's handler of `task`, after `delay_seconds`.

        With a `name`, any text, a second task of the same kind and name is not added, for about
        a day after the first is done (9 days for queues from queue.yaml): see AddedTask.duplicate.
        Delivery is at least once, in no promised order, and outside any NDB transaction.
        Raises InvalidTask or TaskTooLarge before anything is sent, TaskError when Cloud Tasks
        refuses, UnknownQueue among them, TransportError when it does not answer.
        """
        body = encode_body(task, payload)
        if not 0 <= delay_seconds <= TASK_DELAY_SECONDS:
            raise InvalidTask(
                f"a delay of {delay_seconds} seconds: it must be 0 to {TASK_DELAY_SECONDS}, 30 days"
            )
        queue = self.name
        with translated_errors(queue):
            client = self._client.get()
            return self._create(
                client, queue, self._message(queue, task, body, delay_seconds, name)
            )

    def _message(
        self, queue: str, task: str, body: bytes, delay_seconds: float, name: str | None
    ) -> Task:
        from google.cloud import tasks_v2

        routing = {"service": self.service or os.environ.get("GAE_SERVICE", "")}
        if self.version:
            routing["version"] = self.version
        message = tasks_v2.Task(
            app_engine_http_request=tasks_v2.AppEngineHttpRequest(
                http_method=tasks_v2.HttpMethod.POST,
                relative_uri=f"{self.path}/{task}",
                headers={"Content-Type": "application/json"},
                body=body,
                app_engine_routing=routing,
            )
        )
        if name is not None:
            message.name = f"{queue}/tasks/{task_id(task, name)}"
        if delay_seconds:
            message.schedule_time = datetime.fromtimestamp(self._clock() + delay_seconds, UTC)
        _check_size(message, task)
        return message

    def _create(self, client: CloudTasksClient, queue: str, message: Task) -> AddedTask:
        from google.api_core.exceptions import AlreadyExists

        try:
            answer = client.create_task(parent=queue, task=message, timeout=self.timeout)
        except AlreadyExists:
            return AddedTask(message.name, duplicate=True)
        return AddedTask(answer.name)


def _check_size(message: Task, task: str) -> None:
    size = type(message).pb(message).ByteSize()
    if size > TASK_BYTES:
        raise TaskTooLarge(
            f"the task {task!r} has {size} bytes with its headers, Cloud Tasks takes {TASK_BYTES}: "
            "store the data in an entity and put its id into the payload",
            size=size,
            limit=TASK_BYTES,
        )
