"""Answers as values, and the exception that is one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["Header", "Refusal", "Response", "json_response", "text_response"]

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Response:
    """One answer: `status`, `body` in bytes, `headers` without Content-Length."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: tuple[Header, ...] = ()

    def with_headers(self, *headers: Header) -> Response:
        """The same answer with further headers."""
        return Response(self.status, self.body, self.headers + headers)

    def send(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Give the answer to a WSGI server; to HEAD and with 204 it has no body."""
        headers = list(self.headers)
        if self.status != HTTPStatus.NO_CONTENT:
            headers.append(("Content-Length", str(len(self.body))))
        start_response(f"{self.status} {HTTPStatus(self.status).phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" or not self.body else [self.body]


class Refusal(Exception):
    """Raised anywhere below an endpoint to answer with `response` instead."""

    def __init__(self, status: int, line: str, *headers: Header) -> None:
        super().__init__(line)
        self.response = text_response(status, line, *headers)


def text_response(status: int, line: str, *headers: Header) -> Response:
    """One line of plain text; it must hold nothing that the client sent."""
    kind = ("Content-Type", "text/plain; charset=utf-8")
    return Response(status, f"{line}\n".encode(), (kind, *headers))


def json_response(value: Any, *headers: Header) -> Response:
    """A 200 with JSON: pusher-js takes no other status as success (protocol section 5.2)."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(200, body, (("Content-Type", "application/json"), *headers))
