"""A verb before it is sent: unsigned requests, what their answers mean, and the exchange itself."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from gae_pusher.config import Config
from gae_pusher.errors import PartialFailure, PusherError
from gae_pusher.sansio.http import Request, Response
from gae_pusher.sansio.responses import json_object, too_large
from gae_pusher.sansio.signing import Credentials, Params, signed_params

__all__ = ["Attempt", "Operation", "Pause", "Plan", "Steps", "once"]

T = TypeVar("T")
U = TypeVar("U")

_TOO_LARGE: Final = 413


@dataclass(frozen=True, slots=True)
class Attempt:
    """Send this request, in `at_most` seconds if that is less than the verb's timeout."""

    request: Request
    at_most: float | None = None

    def within(self, timeout: float) -> float:
        """The seconds that it may take."""
        return timeout if self.at_most is None else min(timeout, self.at_most)


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for so many seconds; what is sent in then does not matter."""

    seconds: float


# Yields what to do, is sent the response to an attempt, returns the answer.
Steps = Generator[Attempt | Pause, Response, T]


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """One unsigned request and the meaning of its answer. Signed anew at each sending."""

    config: Config
    method: str
    path: str
    decode: Callable[[dict[str, Any]], T]
    params: Params = ()
    body: bytes | None = field(default=None, repr=False)

    def request(self, credentials: Credentials, now: float) -> Request:
        """The request, signed for `now` in unix seconds."""
        params = signed_params(self.method, self.path, self.params, self.body, credentials, now)
        return Request(self.method, self.config.base_url, self.path, params, self.body)

    def result(self, response: Response) -> T:
        """The verb's answer. Raises a ResponseError or RemoteProtocolError."""
        if response.status == _TOO_LARGE:
            limit = self.config.limits.event_data_bytes
            raise too_large(response, len(self.body or b""), limit)
        return self.decode(json_object(response, self.config.json_decoder))


@dataclass(frozen=True, slots=True)
class Plan(Generic[T]):
    """The operations that one verb needs, in order, and how their answers become one.

    `covers` says for each operation what it carries (channel names, indexes of a batch), for
    the caller who must know what was accepted when a later one failed.
    """

    operations: tuple[Operation[Any], ...]
    merge: Callable[[list[Any]], T]
    covers: tuple[Sequence[Any], ...] = ()

    def then(self, function: Callable[[T], U]) -> Plan[U]:
        """The same plan with another answer."""
        return Plan(self.operations, lambda answers: function(self.merge(answers)), self.covers)

    def steps(self, exchange: Callable[[Operation[Any]], Steps[Any]]) -> Steps[T]:
        """The exchange without its I/O, `exchange` for each operation, `once` or Retries.

        A channel type throws its TransportError into it. Raises PartialFailure when some
        operation fails after others were accepted, else the error itself.
        """
        answers: list[Any] = []
        for operation in self.operations:
            try:
                answers.append((yield from exchange(operation)))
            except PusherError as error:
                if not answers:
                    raise
                raise self._partial(len(answers), error) from error
        return self.merge(answers)

    def _partial(self, done: int, cause: PusherError) -> PartialFailure:
        accepted = [item for part in self.covers[:done] for item in part]
        remaining = [item for part in self.covers[done:] for item in part]
        return PartialFailure(
            f"{len(accepted)} of {len(accepted) + len(remaining)} were accepted, then: {cause}",
            accepted=accepted,
            remaining=remaining,
            cause=cause,
        )


def once(
    credentials: Credentials, clock: Callable[[], float]
) -> Callable[[Operation[Any]], Steps[Any]]:
    """One attempt for each operation, signed at its own time."""

    def exchange(operation: Operation[Any]) -> Steps[Any]:
        response = yield Attempt(operation.request(credentials, clock()))
        return operation.result(response)

    return exchange
