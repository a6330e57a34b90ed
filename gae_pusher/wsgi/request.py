"""A request as an endpoint sees it, and how plain WSGI delivers one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from gae_pusher.wsgi.body import read_body
from gae_pusher.wsgi.http import Refusal

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

__all__ = ["FORM_TYPE", "BrowserRequest", "Form", "Request", "WsgiRequest"]

FORM_TYPE: Final = "application/x-www-form-urlencoded"
FORM_FIELDS: Final = 100

Form = tuple[tuple[str, str], ...]


class Request(ABC):
    """What an endpoint asks of a request; WSGI, Django and Flask each fill it in.

    `method` is in upper case.
    """

    method: str

    @abstractmethod
    def header(self, name: str) -> str | None:
        """The value of a header, None when it is absent."""

    @abstractmethod
    def body(self, limit: int) -> bytes:
        """The raw body. Raises Refusal, 413 for more than `limit` bytes."""

    @abstractmethod
    def form(self, limit: int) -> Form:
        """The urlencoded fields in order. Raises Refusal, 415 for another kind of body."""

    @abstractmethod
    def for_rule(self, form: Form) -> Any:
        """What the app's own code is given: the request as its framework shows it."""

    def refusal(self, error: Exception) -> Refusal | None:
        """The answer that the framework gives to an exception of its own; None for any other."""
        return error if isinstance(error, Refusal) else None


@dataclass(frozen=True, slots=True)
class BrowserRequest:
    """What a browser asks an authorization rule or the user function, over plain WSGI."""

    environ: WSGIEnvironment = field(repr=False)
    form: Mapping[str, str] = field(repr=False)

    @property
    def socket_id(self) -> str:
        """The connection that the token will be for."""
        return self.form["socket_id"]

    @property
    def channel(self) -> str | None:
        """The channel to authorize; None when a user is to be authenticated."""
        return self.form.get("channel_name")

    def header(self, name: str) -> str | None:
        """The value of a header, None when it is absent."""
        return _header(self.environ, name)

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies as they came, the first of each name; quotes around a value are dropped."""
        pairs = (pair.partition("=") for pair in self.environ.get("HTTP_COOKIE", "").split(";"))
        found: dict[str, str] = {}
        for name, _, value in pairs:
            found.setdefault(name.strip(), value.strip().strip('"'))
        return found


class WsgiRequest(Request):
    """A request of plain WSGI (PEP 3333)."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.environ = environ
        self.method = environ["REQUEST_METHOD"].upper()

    def header(self, name: str) -> str | None:
        return _header(self.environ, name)

    def body(self, limit: int) -> bytes:
        return read_body(self.environ, limit)

    def form(self, limit: int) -> Form:
        kind = self.environ.get("CONTENT_TYPE", "").partition(";")[0]
        if kind.strip().lower() != FORM_TYPE:
            raise Refusal(415, f"send {FORM_TYPE}")
        try:
            text = self.body(limit).decode()
            pairs = parse_qsl(
                text, keep_blank_values=True, errors="strict", max_num_fields=FORM_FIELDS
            )
        except ValueError:
            raise Refusal(400, "the form is malformed") from None
        return tuple(pairs)

    def for_rule(self, form: Form) -> BrowserRequest:
        return BrowserRequest(self.environ, dict(form))


def _header(environ: WSGIEnvironment, name: str) -> str | None:
    key = name.upper().replace("-", "_")
    prefix = "" if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_"
    value: str | None = environ.get(prefix + key)
    return value
