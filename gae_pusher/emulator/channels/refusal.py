"""A frame that the server answers with `pusher:error`, while the connection stays open."""

from __future__ import annotations

__all__ = ["Refusal"]


class Refusal(Exception):
    """The message and code of a `pusher:error`; nearly all of them have no code (section 3.5)."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
