"""The connection to Cloud Tasks, real or local, and its errors in our words."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from gae_pusher.errors import (
    ConfigurationError,
    ConnectionFailed,
    PusherError,
    TaskError,
    TransportTimeout,
    UnknownQueue,
)
from gae_pusher.tasks.location import emulator_host

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPICallError
    from google.cloud.tasks_v2 import CloudTasksClient

__all__ = ["LazyClient", "translated_errors"]

_RETRYABLE: Final = frozenset({"ABORTED", "INTERNAL", "RESOURCE_EXHAUSTED", "UNKNOWN"})


class LazyClient:
    """A CloudTasksClient that is made at the first call, and again after a fork.

    gRPC connections do not survive a fork, and servers fork after they imported the app. A local
    Cloud Tasks may be another one at each test.
    """

    def __init__(self, given: CloudTasksClient | None = None) -> None:
        self._given = given
        self._lock = threading.Lock()
        self._own: tuple[tuple[int, str | None], CloudTasksClient] | None = None

    def get(self) -> CloudTasksClient:
        """The client of this process. Raises ConfigurationError without google-cloud-tasks."""
        if self._given is not None:
            return self._given
        with self._lock:
            place = os.getpid(), emulator_host()
            if self._own is None or self._own[0] != place:
                self._own = (place, _connect())
            return self._own[1]


@contextmanager
def translated_errors(queue: str) -> Iterator[None]:
    """Turn what google-cloud-tasks raises into our errors, the cause kept."""
    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except GoogleAPICallError as error:
        raise _translated(error, queue) from error
    except RetryError as error:
        raise TransportTimeout(f"no answer from Cloud Tasks about {queue} in time") from error
    except GoogleAuthError as error:
        raise ConfigurationError(f"no credentials for Cloud Tasks: {error}") from error


def _connect() -> CloudTasksClient:
    try:
        import grpc
        from google.cloud.tasks_v2 import CloudTasksClient
        from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
    except ImportError as error:
        raise ConfigurationError(
            "background tasks need google-cloud-tasks: pip install 'gae-pusher[tasks]'"
        ) from error
    host = emulator_host()
    if host is None:
        return CloudTasksClient()
    channel = grpc.insecure_channel(host)
    return CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))


def _translated(error: GoogleAPICallError, queue: str) -> PusherError:
    code = error.grpc_status_code.name if error.grpc_status_code else "UNKNOWN"
    words = error.message or code
    if code == "DEADLINE_EXCEEDED":
        return TransportTimeout(f"no answer from Cloud Tasks about {queue} in time")
    if code == "UNAVAILABLE":
        return ConnectionFailed(f"Cloud Tasks cannot be reached: {words}")
    if code == "NOT_FOUND" or (code == "FAILED_PRECONDITION" and "queue" in words.lower()):
        return UnknownQueue(
            f"{queue} is no queue: declare it in queue.yaml, or create it with "
            f"`gcloud tasks queues create` (Cloud Tasks: {words})",
            code=code,
        )
    return TaskError(
        f"Cloud Tasks refused a task for {queue}: {code}: {words}",
        code=code,
        retryable=code in _RETRYABLE,
    )
