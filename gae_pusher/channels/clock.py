"""This machine's clock, corrected by the service's when it is too far off to be accepted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

__all__ = ["CorrectedClock"]

_SAME_SECONDS: Final = 5


class CorrectedClock:
    """Unix seconds out of `base`, plus what the service's Date said that was missing."""

    def __init__(self, base: Callable[[], float]) -> None:
        self._base = base
        self._offset = 0.0

    def __call__(self) -> float:
        """Now, as the service has it."""
        return self._base() + self._offset

    def correct(self, headers: Mapping[str, str]) -> bool:
        """Take the time of an answer; False when it has none, or the same as ours."""
        import logging  # both are rarely needed here, and slow to import
        from email.utils import parsedate_to_datetime

        try:
            theirs = parsedate_to_datetime(headers.get("date", "")).timestamp()
        except ValueError:
            return False
        offset = theirs - self._base()
        if abs(offset - self._offset) < _SAME_SECONDS:
            return False
        self._offset = offset
        logging.getLogger("gae_pusher").warning(
            "this machine's clock is %.0f seconds off the service's", -offset
        )
        return True
