"""The RPCs on queues, in the order of the proto."""

from __future__ import annotations

import re
from typing import Final

from google.cloud import tasks_v2
from google.protobuf.empty_pb2 import Empty

from gae_pusher.emulator.tasks.engine import Engine
from gae_pusher.emulator.tasks.names import parse_location, parse_queue
from gae_pusher.emulator.tasks.pages import page
from gae_pusher.emulator.tasks.queue import Queue
from gae_pusher.emulator.tasks.queue_messages import merged_settings, new_settings, queue_message
from gae_pusher.emulator.tasks.refusal import Code, Refusal

__all__ = ["QueueService"]

MOST_QUEUES: Final = 9_800
_STATE_FILTER: Final = re.compile(r"""\s*state\s*(?:[:=])\s*"?(RUNNING|PAUSED|DISABLED)"?\s*""")


class QueueService:
    """Each method takes a request message and returns the answer. Raises Refusal."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def list_queues(self, request: tasks_v2.ListQueuesRequest) -> tasks_v2.ListQueuesResponse:
        """Queues of a location by name; of filters only the one by state."""
        location = parse_location(request.parent)
        state = _state(request.filter)
        with self._engine.locked() as (queues, _):
            messages = [(q.name.short, queue_message(q)) for q in queues.in_location(location)]
        found = [(name, m) for name, m in messages if state in (None, m.state.name)]
        scope = f"{location} {request.filter}"
        shown, token = page(found, scope, request.page_size, request.page_token, MOST_QUEUES)
        return tasks_v2.ListQueuesResponse(queues=shown, next_page_token=token)

    def get_queue(self, request: tasks_v2.GetQueueRequest) -> tasks_v2.Queue:
        """One queue."""
        name = parse_queue(request.name)
        with self._engine.locked() as (queues, _):
            return queue_message(queues.get(name))

    def create_queue(self, request: tasks_v2.CreateQueueRequest) -> tasks_v2.Queue:
        """A new queue."""
        location, name = parse_location(request.parent), parse_queue(request.queue.name)
        if name.location != location:
            raise Refusal(
                Code.INVALID_ARGUMENT, f"the queue {name} does not belong to the parent {location}"
            )
        settings = new_settings(request.queue)
        with self._engine.changing() as (queues, now):
            queue = queues.create(name, settings, now)
            return self._told(queue, "created")

    def update_queue(self, request: tasks_v2.UpdateQueueRequest) -> tasks_v2.Queue:
        """Other settings for a queue; one that does not exist is created."""
        name = parse_queue(request.queue.name)
        paths = tasks_v2.UpdateQueueRequest.pb(request).update_mask.paths
        with self._engine.changing() as (queues, now):
            queue = queues.find(name)
            if queue is None:
                return self._told(queues.create(name, new_settings(request.queue), now), "created")
            queue.change(merged_settings(queue.settings, request.queue, paths))
            return self._told(queue, "changed")

    def delete_queue(self, request: tasks_v2.DeleteQueueRequest) -> Empty:
        """Delete a queue with its tasks."""
        name = parse_queue(request.name)
        with self._engine.changing() as (queues, now):
            queues.delete(name, now)
        self._engine.note("queue", name.short, change="deleted")
        return Empty()

    def purge_queue(self, request: tasks_v2.PurgeQueueRequest) -> tasks_v2.Queue:
        """Delete all tasks of a queue, at once."""
        name = parse_queue(request.name)
        with self._engine.changing() as (queues, now):
            queue = queues.get(name)
            tasks = queue.purge(now)
            return self._told(queue, "purged", tasks=tasks)

    def pause_queue(self, request: tasks_v2.PauseQueueRequest) -> tasks_v2.Queue:
        """Stop dispatching."""
        name = parse_queue(request.name)
        with self._engine.changing() as (queues, _):
            queue = queues.get(name)
            queue.pause()
            return self._told(queue, "paused")

    def resume_queue(self, request: tasks_v2.ResumeQueueRequest) -> tasks_v2.Queue:
        """Dispatch again."""
        name = parse_queue(request.name)
        with self._engine.changing() as (queues, _):
            queue = queues.get(name)
            queue.resume()
            return self._told(queue, "resumed")

    def _told(self, queue: Queue, change: str, **facts: object) -> tasks_v2.Queue:
        self._engine.note("queue", queue.name.short, change=change, **facts)
        return queue_message(queue)


def _state(text: str) -> str | None:
    if not text:
        return None
    match = _STATE_FILTER.fullmatch(text)
    if match is None:
        raise Refusal(
            Code.UNIMPLEMENTED,
            f"this local Cloud Tasks filters queues by state only, as in state:PAUSED: {text!r}",
        )
    return match[1]
