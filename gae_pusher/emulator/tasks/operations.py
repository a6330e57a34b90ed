"""Batches: long-running operations that are done when they are answered."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from google.longrunning.operations_pb2 import Operation

from gae_pusher.emulator.tasks.refusal import Code, Refusal

__all__ = ["Batch", "Operations"]

MOST_KEPT: Final = 1_000
ABORTED: Final = 10
NONE_SUCCEEDED: Final = (
    "None of the requests succeeded, refer to failed_requests of the metadata for each error"
)


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of a batch of `size` requests: the response message, and what failed by index.

    `metadata_type` is the proto-plus message that tells it.
    """

    size: int
    response: Any
    failed: Mapping[int, Refusal]
    metadata_type: Any


class Operations:
    """Keeps the answers, so that a batch that is sent again with its id is not done again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Operation] = OrderedDict()

    def name(self, parent: object, request_id: str) -> str:
        """The name of a batch in a queue; without an id of the caller's it is a fresh one."""
        return f"{parent}/operations/{request_id or uuid.uuid4()}"

    def find(self, name: str) -> Operation | None:
        """The answer that was given, None for a new one."""
        return self._kept.get(name)

    def get(self, name: str) -> Operation:
        """Raises Refusal, NOT_FOUND."""
        operation = self.find(name)
        if operation is None:
            raise Refusal(Code.NOT_FOUND, f"there is no operation {name}")
        return operation

    def keep(self, name: str, batch: Batch, now: float) -> Operation:
        """The answer of a batch that was done just now."""
        operation = Operation(name=name, done=True)
        operation.metadata.Pack(batch.metadata_type.pb(_metadata(batch, now)))
        if batch.size and len(batch.failed) == batch.size:
            operation.error.code = ABORTED
            operation.error.message = NONE_SUCCEEDED
        else:
            operation.response.Pack(batch.response)
        self._kept[name] = operation
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return operation


def _metadata(batch: Batch, now: float) -> Any:
    time = datetime.fromtimestamp(now, UTC)
    states = batch.metadata_type.State
    return batch.metadata_type(
        start_time=time,
        end_time=time,
        state=states.PARTIALLY_SUCCEEDED if batch.failed else states.SUCCEEDED,
        failed_requests={
            index: {"code": refusal.code.value, "message": refusal.message}
            for index, refusal in batch.failed.items()
        },
    )
