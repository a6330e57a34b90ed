"""What every channel type shares: verbs on one channel, and the hole that a type fills.

A channel type is two small classes: a `Sender`, one per Pusher, which owns connections and
performs plans in the manner of its runtime; and a `Channel` that names its sender.
"""

from __future__ import annotations

import math
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from gae_pusher.channels.clock import CorrectedClock
from gae_pusher.config import Config
from gae_pusher.errors import ConfigurationError, InvalidRequest, PusherError
from gae_pusher.names import check_channel
from gae_pusher.sansio.authorization import ChannelAuthorization, authorize_channel
from gae_pusher.sansio.breaker import Breaker
from gae_pusher.sansio.operations import Plan, Steps
from gae_pusher.sansio.responses import ChannelInfo
from gae_pusher.sansio.retries import Retries, RetryPolicy
from gae_pusher.sansio.signing import Credentials
from gae_pusher.sansio.verbs import Attributes, Verbs

__all__ = ["Channel", "Sender", "accepted"]

T = TypeVar("T")


class Sender(ABC):
    """Performs plans for one app. Owns its connections; safe to share between threads.

    Keyword options of `Pusher(...)` that are not the app's own are handed to the constructor.
    `retry_seconds` after its first failure the last new attempt of a verb is over, 0 makes only
    one; `retry_unknown` repeats also what may have arrived. After `breaker_failures` failures in
    a row that last longer than that, 0 for never, verbs raise BreakerOpen for `breaker_seconds`.
    With `rescue` a verb that changes something logs its error and answers None.
    """

    def __init__(
        self,
        config: Config,
        clock: Callable[[], float] = time.time,
        *,
        retry_seconds: float = 1.0,
        retry_unknown: bool = False,
        breaker_failures: int = 10,
        breaker_seconds: float = 10.0,
        rescue: bool = False,
    ) -> None:
        if not (retry_seconds >= 0 and breaker_failures >= 0 and breaker_seconds > 0):
            raise ConfigurationError(
                f"retry_seconds is {retry_seconds!r}, breaker_failures {breaker_failures!r} and "
                f"breaker_seconds {breaker_seconds!r}: none may be negative, the last not zero"
            )
        self.config = config
        self.rescue = rescue
        self._credentials = Credentials(config.key, config.secret)
        self._clock = CorrectedClock(clock)
        self._policy = RetryPolicy(retry_seconds, retry_unknown)
        self._breaker = Breaker(breaker_failures, breaker_seconds, retry_seconds)

    @abstractmethod
    def perform(self, plan: Plan[T], timeout: float | None = None) -> Any:
        """Send a plan's requests in order and give its answer, as this runtime gives answers.

        `timeout` is in seconds for each request; None takes the configured one.
        """

    def close(self) -> Any:
        """Close the connections that nobody uses; a later verb opens new ones."""
        return None

    @property
    def breaker_is_open(self) -> bool:
        """Whether a verb would raise BreakerOpen just now."""
        return self._breaker.is_open(time.monotonic())

    def steps(self, plan: Plan[T]) -> Steps[T]:
        """The plan's exchange, each attempt signed with the app's credentials at its time."""
        steps = self.unrescued(plan)
        changes = any(operation.method == "POST" for operation in plan.operations)
        return _rescued(steps) if self.rescue and changes else steps

    def unrescued(self, plan: Plan[T]) -> Steps[T]:
        """The same for who handles errors himself, whatever `rescue` says."""
        return plan.steps(self._retries(self._policy))

    def unrepeated(self, plan: Plan[T]) -> Steps[T]:
        """The same for who counts the attempts himself, whatever `retry_seconds` says."""
        return plan.steps(self._retries(RetryPolicy()))

    def _retries(self, policy: RetryPolicy) -> Retries:
        return Retries(
            policy, self._credentials, self._clock, self._breaker, time.monotonic, random.random
        )

    def timeout(self, timeout: float | None) -> float:
        """The seconds that one request may take. Raises InvalidRequest for what is none."""
        if timeout is None:
            return self.config.timeout
        number = isinstance(timeout, (int, float)) and not isinstance(timeout, bool)
        if not (number and 0 < timeout < math.inf):
            raise InvalidRequest(f"timeout is {timeout!r}, it must be a positive number of seconds")
        return timeout


class Channel:
    """One named channel of an app. Made by `pusher['name']`."""

    sender_type: ClassVar[type[Sender]]

    def __init__(self, name: str, sender: Any, verbs: Verbs) -> None:
        self.name = check_channel(name)
        self._sender = sender
        self._verbs = verbs

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def trigger(
        self,
        event: str,
        data: Any = {},  # noqa: B006 - never changed; it is what the service gets by default
        socket_id: str | None = None,
        *,
        info: Attributes = None,
        timeout: float | None = None,
    ) -> Any:
        """Trigger an event on this channel; True once the service has accepted it.

        `data` is sent as JSON, a str as it is. The connection `socket_id` does not get the event.
        With `info` ('user_count', 'subscription_count') the answer is a ChannelInfo instead.
        Raises InvalidRequest before anything is sent, then TransportError or ResponseError.
        """
        return self._sender.perform(self._trigger(event, data, socket_id, info), timeout)

    def info(self, attributes: Attributes = None, *, timeout: float | None = None) -> Any:
        """This channel's ChannelInfo; `attributes` as in `Pusher.channel_info`."""
        return self._sender.perform(self._verbs.channel_info(self.name, attributes), timeout)

    def users(self, *, timeout: float | None = None) -> Any:
        """The UsersInfo of a presence channel."""
        return self._sender.perform(self._verbs.users_info(self.name), timeout)

    def authenticate(
        self, socket_id: str, custom_data: Mapping[str, Any] | str | None = None
    ) -> ChannelAuthorization:
        """Authorize one connection to subscribe here; see `Pusher.authenticate`."""
        return authorize_channel(self._verbs.config, self.name, socket_id, custom_data)

    def _trigger(self, event: str, data: Any, socket_id: str | None, info: Attributes) -> Plan[Any]:
        plan = self._verbs.trigger(self.name, event, data, socket_id, info)
        return plan.then(self._channel_info if info else accepted)

    def _channel_info(self, answer: dict[str, Any]) -> ChannelInfo:
        info: ChannelInfo = answer.get("channels", {}).get(self.name, {})
        return info


def accepted(_: object) -> bool:
    """What a trigger answers when it asked for nothing."""
    return True


def _rescued(steps: Steps[Any]) -> Steps[Any]:
    try:
        return (yield from steps)
    except PusherError as error:
        import logging  # a tenth of this package's import time, for who needs it

        logging.getLogger("gae_pusher").error("rescued: %s", error)
        return None
