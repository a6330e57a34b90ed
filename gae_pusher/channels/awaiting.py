"""What the types of asyncio and Tornado share: a verb is a task that starts at once."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import Any, TypeVar

from gae_pusher.channels.base import Sender
from gae_pusher.config import Config
from gae_pusher.errors import PusherError
from gae_pusher.sansio.http import Request, Response
from gae_pusher.sansio.operations import Pause, Plan

__all__ = ["AwaitingSender"]

T = TypeVar("T")


class AwaitingSender(Sender):
    """A sender whose verbs return tasks: each settles on every outcome, awaited or not.

    asyncio logs an error that nobody asked for.
    """

    def __init__(self, config: Config, **options: Any) -> None:
        super().__init__(config, **options)
        self._tasks: set[asyncio.Task[Any]] = set()

    @abstractmethod
    async def send(self, request: Request, timeout: float) -> Response:
        """Send one signed request and give its answer, whatever its status.

        Raises ConnectionFailed or TransportTimeout when none comes. Follows no redirect.
        """

    @abstractmethod
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop on which the verb is to run."""

    def perform(self, plan: Plan[T], timeout: float | None = None) -> asyncio.Task[T]:
        """A task of the plan's answer or of any error of the verb."""
        task = self.loop().create_task(self._perform(plan, self.timeout(timeout)))
        self._tasks.add(task)  # a loop itself forgets tasks that nobody holds
        task.add_done_callback(self._tasks.discard)
        return task

    async def _perform(self, plan: Plan[T], timeout: float) -> T:
        steps = self.steps(plan)
        response: Any = None
        try:
            step = next(steps)
            while True:
                try:
                    if isinstance(step, Pause):
                        await asyncio.sleep(step.seconds)
                    else:
                        response = await self.send(step.request, step.within(timeout))
                except PusherError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(response)
        except StopIteration as end:
            answer: T = end.value
            return answer
