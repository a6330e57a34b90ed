"""The RPCs on tasks, in the order of the proto."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from google.cloud import tasks_v2
from google.protobuf.empty_pb2 import Empty

from gae_pusher.emulator.tasks.engine import Engine
from gae_pusher.emulator.tasks.names import QueueName, parse_queue, parse_task
from gae_pusher.emulator.tasks.operations import Batch, Operations
from gae_pusher.emulator.tasks.pages import page
from gae_pusher.emulator.tasks.queue import Queue
from gae_pusher.emulator.tasks.refusal import Code, Refusal
from gae_pusher.emulator.tasks.task import Dispatch, Task
from gae_pusher.emulator.tasks.task_messages import new_task, task_message

if TYPE_CHECKING:
    from google.longrunning.operations_pb2 import GetOperationRequest, Operation

__all__ = ["TaskService"]

MOST_TASKS: Final = 1_000
MOST_CREATED: Final = 100
MOST_DELETED: Final = 1_000


class TaskService:
    """Each method takes a request message and returns the answer. Raises Refusal.

    `deliver` is called with what RunTask starts; `app_host` is the host that tasks are sent to.
    """

    def __init__(
        self,
        engine: Engine,
        deliver: Callable[[Queue, Dispatch], None],
        app_host: Callable[[], str],
    ) -> None:
        self._engine = engine
        self._deliver = deliver
        self._app_host = app_host
        self._operations = Operations()

    def list_tasks(self, request: tasks_v2.ListTasksRequest) -> tasks_v2.ListTasksResponse:
        """Tasks of a queue by name."""
        name = parse_queue(request.parent)
        with self._engine.locked() as (queues, _):
            tasks = [(task.name.short, task) for task in queues.get(name)]
            shown, token = page(tasks, str(name), request.page_size, request.page_token, MOST_TASKS)
            messages = [self._message(task, request.response_view) for task in shown]
        return tasks_v2.ListTasksResponse(tasks=messages, next_page_token=token)

    def get_task(self, request: tasks_v2.GetTaskRequest) -> tasks_v2.Task:
        """One task."""
        name = parse_task(request.name)
        with self._engine.locked() as (queues, _):
            return self._message(queues.get(name.queue).get(name), request.response_view)

    def create_task(self, request: tasks_v2.CreateTaskRequest) -> tasks_v2.Task:
        """A new task. A queue that does not exist is FAILED_PRECONDITION, as in production."""
        return self._create(parse_queue(request.parent), request)

    def batch_create_tasks(self, request: tasks_v2.BatchCreateTasksRequest) -> Operation:
        """Up to 100 tasks of one queue; what fails of them is in the metadata."""
        queue = parse_queue(request.parent)
        _check_count(len(request.requests), MOST_CREATED)
        if any(parse_queue(each.parent) != queue for each in request.requests):
            raise Refusal(Code.INVALID_ARGUMENT, f"every request must have the parent {queue}")
        name = self._operations.name(queue, request.request_id)
        return self._operations.find(name) or self._create_all(name, queue, request)

    def delete_task(self, request: tasks_v2.DeleteTaskRequest) -> Empty:
        """Delete a task, even one that runs."""
        name = parse_task(request.name)
        with self._engine.changing() as (queues, now):
            queues.get(name.queue).delete(name, now)
        self._engine.note("task", name.queue.short, task=name.short, change="deleted")
        return Empty()

    def batch_delete_tasks(self, request: tasks_v2.BatchDeleteTasksRequest) -> Operation:
        """Delete up to 1000 tasks of one queue; what fails of them is in the metadata."""
        queue = parse_queue(request.parent)
        _check_count(len(request.names), MOST_DELETED)
        if any(parse_task(name).queue != queue for name in request.names):
            raise Refusal(Code.INVALID_ARGUMENT, f"every name must belong to the parent {queue}")
        name = self._operations.name(queue, request.request_id)
        return self._operations.find(name) or self._delete_all(name, request)

    def run_task(self, request: tasks_v2.RunTaskRequest) -> tasks_v2.Task:
        """Dispatch a task now, whatever its time, the rate limits and the queue's state."""
        name = parse_task(request.name)
        with self._engine.changing() as (queues, now):
            queue = queues.get(name.queue)
            dispatch = queue.force(name, now)
            message = self._message(queue.get(name), request.response_view)
        self._deliver(queue, dispatch)
        return message

    def get_operation(self, request: GetOperationRequest) -> Operation:
        """A batch's answer once more."""
        return self._operations.get(request.name)

    def _create(self, name: QueueName, request: tasks_v2.CreateTaskRequest) -> tasks_v2.Task:
        with self._engine.changing() as (queues, now):
            queue = queues.get(name, missing=Code.FAILED_PRECONDITION)
            task = new_task(request.task, name, now)
            queue.add(task, now)
            self._engine.note(
                "task",
                name.short,
                task=task.name.short,
                change="created",
                due_seconds=round(task.scheduled - now, 3),
            )
            return self._message(task, request.response_view)

    def _create_all(
        self, name: str, queue: QueueName, request: tasks_v2.BatchCreateTasksRequest
    ) -> Operation:
        created, failed = [], {}
        for index, each in enumerate(request.requests):
            try:
                created.append(self._create(queue, each))
            except Refusal as refusal:
                failed[index] = refusal
        response = tasks_v2.BatchCreateTasksResponse(tasks=created)
        batch = Batch(
            size=len(request.requests),
            response=tasks_v2.BatchCreateTasksResponse.pb(response),
            failed=failed,
            metadata_type=tasks_v2.BatchCreateTasksMetadata,
        )
        return self._operations.keep(name, batch, self._engine.clock())

    def _delete_all(self, name: str, request: tasks_v2.BatchDeleteTasksRequest) -> Operation:
        failed = {}
        for index, task in enumerate(request.names):
            try:
                self.delete_task(tasks_v2.DeleteTaskRequest(name=task))
            except Refusal as refusal:
                failed[index] = refusal
        batch = Batch(
            size=len(request.names),
            response=Empty(),
            failed=failed,
            metadata_type=tasks_v2.BatchDeleteTasksMetadata,
        )
        return self._operations.keep(name, batch, self._engine.clock())

    def _message(self, task: Task, view: int) -> tasks_v2.Task:
        return task_message(task, view, self._app_host())


def _check_count(count: int, most: int) -> None:
    if not 0 < count <= most:
        raise Refusal(Code.INVALID_ARGUMENT, f"a batch has 1 to {most} tasks, not {count}")
