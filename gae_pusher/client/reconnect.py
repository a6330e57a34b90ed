"""What a client does after its connection closed (protocol sections 3.11 and 3.12)."""

from __future__ import annotations

from typing import Final

__all__ = ["retry_seconds", "unreachable_seconds"]

_SOON: Final = 1.0
_LONGEST: Final = 60.0


def retry_seconds(code: int | None) -> float | None:
    """Seconds until the next try after a close code; None when the server wants nobody back.

    4000 to 4099 and 4300 to 4399 end it, 4100 to 4199 mean in a second, 4200 to 4299 at once.
    Every other end of a connection is an accident.
    """
    if code is None or not 4000 <= code < 4400:
        return _SOON
    if code < 4100 or code >= 4300:
        return None
    return _SOON if code < 4200 else 0.0


def unreachable_seconds(attempts: int) -> float:
    """Seconds until the next try when the server could not be reached so often in a row."""
    return min(_SOON * 2.0 ** (attempts - 1), _LONGEST)
