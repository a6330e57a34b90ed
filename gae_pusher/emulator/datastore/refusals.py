"""What the Datastore answers instead of a result: a canonical code and a message."""

from __future__ import annotations

from enum import Enum

__all__ = ["Code", "Refusal", "invalid"]


class Code(Enum):
    """The codes of google.rpc.Code that the Datastore uses, by their names."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    ABORTED = "ABORTED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    INTERNAL = "INTERNAL"


class Refusal(Exception):
    """A request that is not served: nothing was changed."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> Refusal:
    """The refusal of a request that is wrong whatever is stored."""
    return Refusal(Code.INVALID_ARGUMENT, message)
