"""JSON as the wire has it: compact, UTF-8, and nothing in it that could not be sent on."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

__all__ = ["dumps", "loads", "utf8_length"]


def dumps(value: object) -> str:
    """Compact JSON with characters as they are, as browsers write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def loads(text: str) -> Any:
    """Parse JSON. Raises ValueError: not JSON, NaN, lone surrogates, nested too deeply."""
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if "\\ud" in text or "\\uD" in text:
        # An escaped half of a surrogate pair parses, but has no UTF-8 form to be relayed in.
        dumps(value).encode()
    return value


def utf8_length(text: str) -> int:
    """The bytes of a text on the wire."""
    return len(text.encode())


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is too large a number")
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
