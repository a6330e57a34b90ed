"""Values as bytes that compare as the Datastore orders values, and back.

Across types: null, integers and timestamps, booleans, strings and blobs, doubles, geographical
points, keys. No encoding is the beginning of another, so rows are encodings one after another.
"""

from __future__ import annotations

import math
import struct
from typing import Final

__all__ = [
    "INVERTED",
    "Reader",
    "encode_bytes",
    "encode_double",
    "encode_integer",
    "successor",
]

# `column.translate(INVERTED)` turns the order of encodings round.
INVERTED: Final = bytes(255 - byte for byte in range(256))

_SIGN: Final = 1 << 63
_MASK: Final = (1 << 64) - 1
_UNSIGNED: Final = struct.Struct(">Q")
_DOUBLE: Final = struct.Struct(">d")
_END: Final = b"\x00\x01"


def encode_bytes(data: bytes) -> bytes:
    """Bytes, ended by a mark that sorts below every byte: zeros in the data are escaped."""
    return data.replace(b"\x00", b"\x00\xff") + _END


def encode_integer(number: int) -> bytes:
    """A signed integer of 64 bits, in eight bytes."""
    return _UNSIGNED.pack(number + _SIGN)


def encode_double(number: float) -> bytes:
    """A double in eight bytes: -0.0 comes before 0.0, every NaN comes last and is the same."""
    if math.isnan(number):
        return b"\xff" * 8
    (bits,) = _UNSIGNED.unpack(_DOUBLE.pack(number))
    return _UNSIGNED.pack(bits ^ _MASK if bits & _SIGN else bits | _SIGN)


def successor(data: bytes) -> bytes | None:
    """The least bytes above all that begin with `data`; None when there are none."""
    stripped = data.rstrip(b"\xff")
    if not stripped:
        return None
    return stripped[:-1] + bytes((stripped[-1] + 1,))


class Reader:
    """Reads one encoding after the other."""

    __slots__ = ("_data", "position")

    def __init__(self, data: bytes, position: int = 0) -> None:
        self._data = data
        self.position = position

    def take(self, count: int) -> bytes:
        """The next bytes as they are."""
        start = self.position
        self.position = start + count
        return self._data[start : self.position]

    def read_bytes(self) -> bytes:
        """What `encode_bytes` was given."""
        start = self.position
        end = self._data.index(_END, start)
        self.position = end + len(_END)
        return self._data[start:end].replace(b"\x00\xff", b"\x00")

    def read_path(self) -> bytes:
        """A key's path, whose elements begin with 2; what comes after it does not."""
        start = self.position
        while self._data[self.position : self.position + 1] == b"\x02":
            self.position += 1
            self.read_bytes()
            if self.take(1) == b"\x01":
                self.take(8)
            else:
                self.read_bytes()
        return self._data[start : self.position]

    def read_integer(self) -> int:
        """What `encode_integer` was given."""
        number: int = _UNSIGNED.unpack(self.take(8))[0]
        return number - _SIGN

    def read_double(self) -> float:
        """What `encode_double` was given."""
        data = self.take(8)
        if data == b"\xff" * 8:
            return math.nan
        (bits,) = _UNSIGNED.unpack(data)
        number: float = _DOUBLE.unpack(_UNSIGNED.pack(bits ^ (_SIGN if bits & _SIGN else _MASK)))[0]
        return number
