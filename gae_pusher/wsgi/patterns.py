"""ChannelPattern: 'private-order-{order_id}' against the names of channels."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from gae_pusher.errors import ConfigurationError, InvalidRequest
from gae_pusher.names import ChannelKind, check_channel

__all__ = ["ChannelPattern", "Converter", "numeric_id"]

Converter = Callable[[str], Any]

_PARAMETER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_ID: Final = re.compile(r"[1-9][0-9]{0,18}")
_LARGEST_ID: Final = 2**63 - 1


def numeric_id(text: str) -> int:
    """The converter for ids that Datastore gave out: 1 to 2**63 - 1, spelled in one way only.

    Raises ValueError for anything else, `007` and `1_0` among it, which `int` would take.
    """
    if not _ID.fullmatch(text) or int(text) > _LARGEST_ID:
        raise ValueError("no numeric id")
    return int(text)


class ChannelPattern:
    """A channel's name with `{parameters}`, each of one or more characters.

    A parameter ends where the text after it begins, so it never holds the character that follows it
    in the pattern; one at the end takes all the rest. The whole name must match, and its kind too:
    'private-{name}' is no pattern for 'private-encrypted-vault'.
    `converters` turn parameters into values; a ValueError or a None says that there is no such one.
    Raises ConfigurationError for a pattern that could match no name, or in more than one way.
    """

    def __init__(self, text: str, converters: Mapping[str, Converter] | None = None) -> None:
        self.text = text
        self._converters = dict(converters or {})
        literals = _PARAMETER.split(text)
        self.parameters = tuple(literals[1::2])
        self.shape = tuple(literals[::2])
        self._check()
        self.kind = ChannelKind.of(self.shape[0])
        self._regex = re.compile(_regex(self.shape))

    def __repr__(self) -> str:
        return f"ChannelPattern({self.text!r})"

    def match(self, channel: str) -> dict[str, str] | None:
        """The parameters as they stand in the name; None when it does not match."""
        found = self._regex.fullmatch(channel)
        if found is None or ChannelKind.of(channel) != self.kind or not _is_channel(channel):
            return None
        return dict(zip(self.parameters, found.groups(), strict=True))

    def convert(self, parameters: Mapping[str, str]) -> dict[str, Any] | None:
        """The parameters as values; None when a converter knows no such one."""
        values: dict[str, Any] = dict(parameters)
        for name, converter in self._converters.items():
            try:
                values[name] = converter(parameters[name])
            except ValueError:
                return None
            if values[name] is None:
                return None
        return values

    def _check(self) -> None:
        if not _is_channel("x".join(self.shape)):
            raise ConfigurationError(
                f"pattern {self.text!r} matches no channel name: use letters, digits, _-=@,.; "
                "and {parameters} that are named like variables"
            )
        if "" in self.shape[1:-1]:
            raise ConfigurationError(f"pattern {self.text!r} needs text between its parameters")
        if len(set(self.parameters)) < len(self.parameters):
            raise ConfigurationError(f"pattern {self.text!r} names a parameter twice")
        unknown = sorted(self._converters.keys() - set(self.parameters))
        if unknown:
            raise ConfigurationError(f"pattern {self.text!r} has no parameter {unknown[0]!r}")


def _regex(shape: tuple[str, ...]) -> str:
    """One group between any two texts, which stops at the first character of the second."""
    head, *rest = shape
    return re.escape(head) + "".join(
        f"([^{re.escape(text[0])}]+){re.escape(text)}" if text else "(.+)" for text in rest
    )


def _is_channel(name: str) -> bool:
    try:
        check_channel(name)
    except InvalidRequest:  # of the user, for #server-to-user-
        return False
    return True
