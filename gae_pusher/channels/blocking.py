"""What the channel types share whose verbs return when the answer is there."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import Any, TypeVar

from gae_pusher.channels.base import Channel, Sender
from gae_pusher.channels.later import Later, QueueLike
from gae_pusher.config import Config
from gae_pusher.errors import PusherError
from gae_pusher.sansio.http import Request, Response
from gae_pusher.sansio.operations import Pause, Plan, Steps

__all__ = ["BlockingChannel", "BlockingSender"]

T = TypeVar("T")


class BlockingSender(Sender):
    """A sender whose verbs return when the answer is there.

    `queue` takes the events for later: a TaskQueue, None for one with default settings.
    """

    def __init__(self, config: Config, *, queue: QueueLike | None = None, **options: Any) -> None:
        super().__init__(config, **options)
        self.later = Later(config.app_id, queue)

    @abstractmethod
    def send(self, request: Request, timeout: float) -> Response:
        """Send one signed request and wait for its answer, whatever its status.

        Raises ConnectionFailed or TransportTimeout when none comes. Follows no redirect.
        """

    def perform(self, plan: Plan[T], timeout: float | None = None) -> T:
        """The plan's answer. Raises every error of the verb."""
        return self._run(self.steps(plan), self.timeout(timeout))

    def attempt(self, plan: Plan[T], timeout: float | None = None) -> T:
        """The same in one attempt, neither repeated nor rescued, for who counts them himself."""
        return self._run(self.unrepeated(plan), self.timeout(timeout))

    def check_later(self) -> None:
        """Raise InTransaction where an event for later would leave too early."""

    def _run(self, steps: Steps[T], timeout: float) -> T:
        response: Any = None
        try:
            step = next(steps)
            while True:
                try:
                    if isinstance(step, Pause):
                        time.sleep(step.seconds)
                    else:
                        response = self.send(step.request, step.within(timeout))
                except PusherError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(response)
        except StopIteration as end:
            answer: T = end.value
            return answer


class BlockingChannel(Channel):
    """A channel whose verbs return when the answer is there, and that can have them done later."""

    def trigger_later(
        self,
        event: str,
        data: Any = {},  # noqa: B006 - never changed; it is what the service gets by default
        socket_id: str | None = None,
        *,
        delay_seconds: float = 0,
        name: str | None = None,
    ) -> Any:
        """Have a background task trigger an event, after `delay_seconds`, until it worked.

        TaskApp(pusher) does it. With a `name`, any text, a second event of this channel and name
        is not added: the AddedTask that is returned says so in `duplicate`. The event is encoded,
        and encrypted where the channel is, now.
        Raises InvalidRequest, InvalidTask, TaskTooLarge before anything is sent, InTransaction
        inside a transaction, and what TaskQueue.add raises.
        """
        item = self._verbs.event(self.name, event, data, socket_id)
        self._sender.check_later()
        return self._sender.later.add(item, delay_seconds, name)
