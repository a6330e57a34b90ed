"""The error tree. Every error keeps its facts and knows whether trying again can help.

PusherError
├── ConfigurationError
├── InvalidRequest (also ValueError): never sent
│   ├── InvalidChannelName
│   ├── InvalidEventName
│   ├── InvalidSocketId
│   ├── InvalidUserId
│   ├── PayloadTooLarge
│   │   ├── TaskTooLarge
│   │   └── TransactionTooLarge
│   ├── InvalidTask
│   └── TooManyChannels
├── TransportError: no answer
│   ├── BreakerOpen
│   ├── ConnectionFailed
│   └── TransportTimeout
├── ResponseError: the service answered no
│   ├── BadRequest
│   ├── AuthenticationError
│   ├── Forbidden
│   ├── NotFound
│   ├── RequestTooLarge
│   ├── RateLimited
│   ├── ServerError
│   └── UnexpectedStatus
├── PartialFailure: some requests of one call were accepted, then one failed
├── WebhookError
│   ├── MissingHeader
│   ├── UnknownKey
│   ├── SignatureMismatch
│   ├── StaleWebhook
│   └── MalformedWebhook
├── EncryptionError
│   ├── MissingMasterKey
│   └── DecryptionFailed
├── ProtocolError
│   ├── LocalProtocolError
│   └── RemoteProtocolError
├── TaskError: Cloud Tasks answered no
│   └── UnknownQueue
├── OutboxError
│   ├── InTransaction
│   ├── NoSuchEntry
│   └── UnknownEntryVersion
└── TaskDropped: what a task's handler raises to have the task given up

The names that users of the older modules catch stand at the end of the module.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = [
    "AppDisabledOrMessageQuotaError",
    "AuthenticationError",
    "BadRequest",
    "BreakerOpen",
    "ConfigurationError",
    "ConnectionFailed",
    "DecryptionFailed",
    "EncryptionError",
    "Forbidden",
    "InTransaction",
    "InvalidChannelName",
    "InvalidEventName",
    "InvalidRequest",
    "InvalidSocketId",
    "InvalidTask",
    "InvalidUserId",
    "LocalProtocolError",
    "MalformedWebhook",
    "MissingHeader",
    "MissingMasterKey",
    "NoSuchEntry",
    "NotFound",
    "NotFoundError",
    "OutboxError",
    "PartialFailure",
    "PayloadTooLarge",
    "ProtocolError",
    "PusherBadAuth",
    "PusherBadRequest",
    "PusherBadStatus",
    "PusherError",
    "PusherForbidden",
    "RateLimited",
    "RemoteProtocolError",
    "RequestTooLarge",
    "ResponseError",
    "ServerError",
    "SignatureMismatch",
    "StaleWebhook",
    "TaskDropped",
    "TaskError",
    "TaskTooLarge",
    "TooManyChannels",
    "TransactionTooLarge",
    "TransportError",
    "TransportTimeout",
    "UnexpectedReturnStatusError",
    "UnexpectedStatus",
    "UnknownEntryVersion",
    "UnknownKey",
    "UnknownQueue",
    "WebhookError",
]


class PusherError(Exception):
    """Anything that this package raises on purpose.

    `retryable` is True when the same call can succeed later without a change by the caller.
    """

    retryable: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        """An error keeps its facts when it is pickled, as a pool of processes does."""
        return _revived, (type(self), self.args, self.__dict__)


def _revived(kind: type[PusherError], args: tuple[Any, ...], facts: dict[str, Any]) -> PusherError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(facts)
    return error


class ConfigurationError(PusherError):
    """A setting is missing or malformed: a bad URL, no key, a master key of the wrong length."""


class InvalidRequest(PusherError, ValueError):
    """The caller's arguments break a documented rule. Nothing was sent."""


class InvalidChannelName(InvalidRequest):
    """A channel name is empty, too long, or outside the alphabet (protocol section 0)."""


class InvalidEventName(InvalidRequest):
    """An event name is empty, too long, or reserved for the service."""


class InvalidSocketId(InvalidRequest):
    """A socket id is not digits, a dot, digits."""


class InvalidUserId(InvalidRequest):
    """A user id is empty, too long, or outside the alphabet."""


class PayloadTooLarge(InvalidRequest):
    """An event's data, encoded and encrypted, has `size` bytes, more than `limit`."""

    def __init__(self, message: str, *, size: int, limit: int) -> None:
        super().__init__(message)
        self.size = size
        self.limit = limit


class TaskTooLarge(PayloadTooLarge):
    """A background task, with its URL and headers, has `size` bytes, more than `limit`."""


class TransactionTooLarge(PayloadTooLarge):
    """The events of one transaction have `size` bytes together, more than one entity can hold."""


class InvalidTask(InvalidRequest):
    """A background task's name, queue, delay or payload breaks a documented rule."""


class TooManyChannels(InvalidRequest):
    """An encrypted channel was named together with others: one ciphertext has one channel key."""


class TransportError(PusherError):
    """No answer came.

    `sent` is False when surely nothing reached the service, True or None when that is unknown:
    sending again may then deliver twice.
    """

    retryable = True

    def __init__(self, message: str, *, sent: bool | None = None) -> None:
        super().__init__(message)
        self.sent = sent


class ConnectionFailed(TransportError):
    """Refused, unresolvable, reset, cut off, or an untrusted certificate."""


class BreakerOpen(TransportError):
    """Nothing was sent: the service failed repeatedly and is left alone for a while."""


class TransportTimeout(TransportError):
    """The answer did not come in time."""


class ResponseError(PusherError):
    """The service answered no. `status` is HTTP's, `body` the service's own words."""

    def __init__(self, message: str, *, status: int, body: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class UnexpectedReturnStatusError(ResponseError):
    """The 2012 module's name for every status except 401, 403 and 404."""


class PusherBadStatus(ResponseError):
    """The pusher 3.3 name for every status except 400, 401 and 403."""


class BadRequest(UnexpectedReturnStatusError):
    """400: malformed, a parameter that does not apply, or an unknown key (a wrong cluster?)."""


class AuthenticationError(ResponseError):
    """401: the signature or the timestamp was refused."""


class Forbidden(ResponseError):
    """403: the app is disabled or over its message quota."""


class NotFound(PusherBadStatus):
    """404: no such app or path on this host."""


class RequestTooLarge(UnexpectedReturnStatusError, PusherBadStatus):
    """413: the service's limit is lower than the configured `limit`; the request had `size` bytes.

    `limit` is that of an event's data, `size` counts the whole request with all its events.
    """

    def __init__(
        self, message: str, *, status: int, body: str = "", size: int = 0, limit: int = 0
    ) -> None:
        super().__init__(message, status=status, body=body)
        self.size = size
        self.limit = limit


class RateLimited(UnexpectedReturnStatusError, PusherBadStatus):
    """429: too many requests."""

    retryable = True


class ServerError(UnexpectedReturnStatusError, PusherBadStatus):
    """5xx: trouble at the service."""

    retryable = True


class UnexpectedStatus(UnexpectedReturnStatusError, PusherBadStatus):
    """Any other status, redirects included: they are never followed."""


class PartialFailure(PusherError):
    """One call needed several requests; the first ones were accepted and then one failed.

    `accepted` holds what those requests covered (channel names of a trigger, indexes of a batch),
    `remaining` the rest in order, and `__cause__` the error of the request that failed.
    If that is a TransportError, the first request of the rest may have arrived all the same.
    """

    def __init__(
        self,
        message: str,
        *,
        accepted: Sequence[str] | Sequence[int],
        remaining: Sequence[str] | Sequence[int],
        cause: PusherError,
    ) -> None:
        super().__init__(message)
        self.accepted = tuple(accepted)
        self.remaining = tuple(remaining)
        self.retryable = cause.retryable
        self.__cause__ = cause


class WebhookError(PusherError):
    """A webhook is not to be trusted or not to be understood."""


class MissingHeader(WebhookError):
    """`header` was absent or empty."""

    def __init__(self, message: str, *, header: str) -> None:
        super().__init__(message)
        self.header = header


class UnknownKey(WebhookError):
    """X-Pusher-Key names none of the app's live keys."""


class SignatureMismatch(WebhookError):
    """X-Pusher-Signature does not belong to this body."""


class StaleWebhook(WebhookError):
    """The webhook's `age_seconds` is outside the window."""

    def __init__(self, message: str, *, age_seconds: float) -> None:
        super().__init__(message)
        self.age_seconds = age_seconds


class MalformedWebhook(WebhookError):
    """The signature holds, the JSON inside does not have the shape of a webhook."""


class EncryptionError(PusherError):
    """An end-to-end encrypted channel could not be served."""


class MissingMasterKey(EncryptionError):
    """An encrypted channel was used and no encryption_master_key_base64 is configured."""


class DecryptionFailed(EncryptionError):
    """A ciphertext was not made with this key, or was altered."""


class ProtocolError(PusherError):
    """One side broke the Channels protocol."""


class LocalProtocolError(ProtocolError):
    """We were about to break it."""


class RemoteProtocolError(ProtocolError):
    """The other side broke it: an answer that is no JSON object, or a refused connection.

    `close_code` is the WebSocket close code where there was one.
    """

    def __init__(self, message: str, *, close_code: int | None = None) -> None:
        super().__init__(message)
        self.close_code = close_code


class TaskError(PusherError):
    """Cloud Tasks answered no. `code` is gRPC's name for the reason, PERMISSION_DENIED say."""

    def __init__(self, message: str, *, code: str, retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable


class UnknownQueue(TaskError):
    """The queue does not exist: declare it in queue.yaml, or create it with gcloud."""


class TaskDropped(PusherError):
    """Raised by the handler of a background task that no retry can help: it is given up."""


class OutboxError(PusherError):
    """The outbox cannot do what it was asked to."""


class InTransaction(OutboxError):
    """A trigger inside a transaction that cannot wait for it.

    With on_commit='raise', with `info=`, or `trigger_later`.
    """


class NoSuchEntry(OutboxError):
    """The outbox has no entry of this id: it was delivered, dropped, or never there."""


class UnknownEntryVersion(OutboxError):
    """An entry was written by another release, in a shape that this one does not read."""


# What the 2012 module (pusher 0.x) called them.
NotFoundError = NotFound
AppDisabledOrMessageQuotaError = Forbidden

# What pusher 1.x to 3.x calls them.
PusherBadRequest = BadRequest
PusherBadAuth = AuthenticationError
PusherForbidden = Forbidden
