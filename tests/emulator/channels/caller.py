"""Calls the HTTP API's core as a server library would: signed, without a socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from gae_pusher.emulator.channels.api import ApiResponse, answer
from gae_pusher.emulator.channels.gate import ApiRequest
from gae_pusher.sansio.signing import Credentials, signed_params

from .stage import KEY, SECRET, Stage

NOW = 1767225600.0
CREDENTIALS = Credentials(KEY, SECRET)


def signed(
    method: str,
    path: str,
    params: Mapping[str, str] | None = None,
    body: bytes = b"",
    credentials: Credentials = CREDENTIALS,
    now: float = NOW,
) -> ApiRequest:
    """A correctly signed request; the path is signed decoded and sent encoded."""
    query = signed_params(method, path, tuple((params or {}).items()), body, credentials, now)
    return ApiRequest(method, quote(path), urlencode(query), body)


class Caller:
    """Calls the API of a stage and carries out what it orders."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def send(self, request: ApiRequest) -> ApiResponse:
        services = {"4242": self.stage.service}
        response = answer(services, request, self.stage.now, NOW)
        self.stage._do(response.orders)
        return response

    def get(self, path: str, **params: str) -> Any:
        """The JSON of a GET, or status and text of a refusal."""
        return self._read(self.send(signed("GET", f"/apps/4242{path}", params)))

    def post(self, path: str, fields: Any, **params: str) -> Any:
        """The JSON of a POST, or status and text of a refusal."""
        body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
        return self._read(self.send(signed("POST", f"/apps/4242{path}", params, body)))

    @staticmethod
    def _read(response: ApiResponse) -> Any:
        if response.status == 200:
            assert response.content_type == "application/json"
            value = json.loads(response.body)
            assert isinstance(value, dict)
            return value
        assert response.status == 202 or response.body.endswith("\n")
        return response.status, response.body.strip()
