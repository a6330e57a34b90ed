"""All queues of all projects: those that are declared are everywhere, others are created."""

from __future__ import annotations

from collections.abc import Iterator

from gae_pusher.emulator.tasks.names import Location, QueueName
from gae_pusher.emulator.tasks.queue import Queue
from gae_pusher.emulator.tasks.refusal import Code, Refusal
from gae_pusher.emulator.tasks.settings import QueueSettings, Settings
from gae_pusher.emulator.tasks.task import Dispatch

__all__ = ["Queues"]


class Queues:
    """The queues by name. A location gets the declared ones when it is first spoken of."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._locations: dict[Location, dict[str, Queue]] = {}
        self._taken_until: dict[QueueName, float] = {}

    def __iter__(self) -> Iterator[Queue]:
        for queues in self._locations.values():
            yield from queues.values()

    def in_location(self, location: Location) -> list[Queue]:
        """A location's queues by name."""
        queues = self._at(location)
        return [queues[short] for short in sorted(queues)]

    def find(self, name: QueueName) -> Queue | None:
        """The queue, None if there is none."""
        return self._at(name.location).get(name.short)

    def get(self, name: QueueName, missing: Code = Code.NOT_FOUND) -> Queue:
        """Raises Refusal with the code that the calling RPC has for a missing queue."""
        queue = self.find(name)
        if queue is not None:
            return queue
        if name in self._taken_until:
            raise Refusal(
                missing,
                "The queue no longer exists, though a queue with this name existed recently: "
                f"{name}",
            )
        there = ", ".join(queue.name.short for queue in self.in_location(name.location))
        raise Refusal(
            missing,
            f"Queue does not exist: {name}. Declare it in queue.yaml, or create it. "
            f"The queues of {name.location} are: {there or 'none'}",
        )

    def create(self, name: QueueName, settings: QueueSettings, now: float) -> Queue:
        """Raises Refusal for a name that is in use, or was until recently."""
        if self.find(name) is not None:
            raise Refusal(Code.ALREADY_EXISTS, f"Queue already exists: {name}")
        free_at = self._taken_until.get(name, now)
        if free_at > now:
            raise Refusal(
                Code.FAILED_PRECONDITION,
                "The queue cannot be created because a queue with this name existed too recently: "
                f"{name} was deleted, its name is free again in {(free_at - now) / 3600:.1f} hours",
            )
        self._taken_until.pop(name, None)
        queue = Queue(name, settings)
        self._at(name.location)[name.short] = queue
        return queue

    def delete(self, name: QueueName, now: float) -> None:
        """Remove a queue with all its tasks. Raises Refusal, NOT_FOUND."""
        self.get(name).purge(now)
        del self._at(name.location)[name.short]
        self._taken_until[name] = now + self._settings.queue_tombstone_seconds

    def due(self, now: float) -> list[tuple[Queue, Dispatch]]:
        """What every queue dispatches now."""
        return [(queue, dispatch) for queue in self for dispatch in queue.due(now)]

    def next_due(self, now: float) -> float | None:
        """When there will be more, None when never without a change from outside."""
        times = (queue.next_due(now) for queue in self)
        return min((time for time in times if time is not None), default=None)

    def _at(self, location: Location) -> dict[str, Queue]:
        queues = self._locations.get(location)
        if queues is None:
            queues = self._locations[location] = {
                short: Queue(QueueName(location, short), settings)
                for short, settings in self._settings.queues.items()
            }
        return queues
