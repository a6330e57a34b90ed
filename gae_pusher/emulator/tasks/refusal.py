"""A call of the API that is answered with an error, in gRPC's terms but without gRPC."""

from __future__ import annotations

from enum import Enum

__all__ = ["Code", "Refusal"]


class Code(Enum):
    """The codes that Cloud Tasks answers with, and their numbers in google.rpc.Status."""

    INVALID_ARGUMENT = 3
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    FAILED_PRECONDITION = 9
    UNIMPLEMENTED = 12


class Refusal(Exception):
    """Raised anywhere below an RPC to answer with this code and these words."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
