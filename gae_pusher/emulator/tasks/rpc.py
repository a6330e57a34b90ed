"""The gRPC face: which method answers which RPC, and refusals as statuses."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

import grpc
from google.cloud import tasks_v2
from google.longrunning import operations_pb2

from gae_pusher.emulator.tasks.queue_service import QueueService
from gae_pusher.emulator.tasks.refusal import Refusal
from gae_pusher.emulator.tasks.task_service import TaskService

__all__ = ["handlers"]

SERVICE: Final = "google.cloud.tasks.v2.CloudTasks"
OPERATIONS: Final = "google.longrunning.Operations"

logger = logging.getLogger(__name__)


def handlers(queues: QueueService, tasks: TaskService) -> tuple[Any, ...]:
    """What a grpc.Server serves. RPCs that the installed client does not know are left out."""
    methods = {
        name: _handler(method, getattr(tasks_v2, f"{name}Request").deserialize)
        for name, method in _methods(queues, tasks)
        if hasattr(tasks_v2, f"{name}Request")
    }
    operation = _handler(tasks.get_operation, operations_pb2.GetOperationRequest.FromString)
    return (
        grpc.method_handlers_generic_handler(SERVICE, methods),
        grpc.method_handlers_generic_handler(OPERATIONS, {"GetOperation": operation}),
    )


def _methods(queues: QueueService, tasks: TaskService) -> Iterator[tuple[str, Callable[..., Any]]]:
    """In the proto's order."""
    yield "ListQueues", queues.list_queues
    yield "GetQueue", queues.get_queue
    yield "CreateQueue", queues.create_queue
    yield "UpdateQueue", queues.update_queue
    yield "DeleteQueue", queues.delete_queue
    yield "PurgeQueue", queues.purge_queue
    yield "PauseQueue", queues.pause_queue
    yield "ResumeQueue", queues.resume_queue
    yield "ListTasks", tasks.list_tasks
    yield "GetTask", tasks.get_task
    yield "CreateTask", tasks.create_task
    yield "BatchCreateTasks", tasks.batch_create_tasks
    yield "DeleteTask", tasks.delete_task
    yield "BatchDeleteTasks", tasks.batch_delete_tasks
    yield "RunTask", tasks.run_task


def _handler(method: Callable[..., Any], deserialize: Callable[[bytes], Any]) -> Any:
    def call(request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(request)
        except Refusal as refusal:
            context.abort(grpc.StatusCode[refusal.code.name], refusal.message)
        except Exception:
            logger.exception("%s failed", method.__name__)
            context.abort(grpc.StatusCode.INTERNAL, "the local Cloud Tasks failed, see its log")

    return grpc.unary_unary_rpc_method_handler(
        call, request_deserializer=deserialize, response_serializer=_serialize
    )


def _serialize(message: Any) -> bytes:
    """Of proto-plus's messages and of protobuf's own."""
    pb = type(message).pb(message) if hasattr(type(message), "pb") else message
    data: bytes = pb.SerializeToString()
    return data
