"""Secrets by reference: PUSHER_SECRET=sm://project/name/version is read from Secret Manager."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

from gae_pusher.errors import ConfigurationError

if TYPE_CHECKING:
    from google.cloud.secretmanager import SecretManagerServiceClient

__all__ = ["read_secret", "with_secrets"]

PREFIX: Final = "sm://"
EMULATOR_VARIABLE: Final = "SECRET_MANAGER_EMULATOR_HOST"

_REFERENCE: Final = re.compile(r"sm://([a-z][a-z0-9:.-]+)/([A-Za-z0-9_-]{1,255})(?:/(\d+|latest))?")
_TIMEOUT_SECONDS: Final = 10


def with_secrets(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment with the secrets that its PUSHER_* variables refer to in their place.

    Loads nothing when there is no reference. Raises what `read_secret` raises.
    """
    references = {
        name: value
        for name, value in environ.items()
        if name.startswith("PUSHER_") and value.startswith(PREFIX)
    }
    if not references:
        return environ
    return {**environ, **{name: read_secret(value) for name, value in references.items()}}


@cache
def read_secret(reference: str) -> str:
    """The text of a secret version, sm://PROJECT/NAME[/VERSION]; the newest one by default.

    Asked for once in a process. Where SECRET_MANAGER_EMULATOR_HOST is set that server is asked.
    Raises ConfigurationError, which names the reference and never the secret.
    """
    match = _REFERENCE.fullmatch(reference)
    if not match:
        raise ConfigurationError(f"{reference!r} is not like sm://PROJECT/NAME/VERSION")
    project, name, version = match.groups()
    path = f"projects/{project}/secrets/{name}/versions/{version or 'latest'}"
    return _access(reference, path).strip()


def _access(reference: str, path: str) -> str:
    client = _client(reference)
    from google.api_core import exceptions

    try:
        answer = client.access_secret_version(name=path, timeout=_TIMEOUT_SECONDS)
        return answer.payload.data.decode()
    except exceptions.NotFound:
        raise ConfigurationError(f"{reference} does not exist, or this version of it") from None
    except exceptions.PermissionDenied:
        raise ConfigurationError(
            f"{reference} may not be read: give the app's service account the role "
            "roles/secretmanager.secretAccessor"
        ) from None
    except exceptions.GoogleAPIError as error:
        raise ConfigurationError(f"{reference} cannot be read: {error}") from error
    except UnicodeDecodeError:
        raise ConfigurationError(f"{reference} holds no text") from None


def _client(reference: str) -> SecretManagerServiceClient:
    try:
        from google.cloud import secretmanager
    except ImportError as error:
        raise ConfigurationError(
            "references to Secret Manager need its library: pip install 'gae-pusher[secrets]'"
        ) from error
    host = os.environ.get(EMULATOR_VARIABLE)
    if not host:
        from google.auth.exceptions import GoogleAuthError

        try:
            return secretmanager.SecretManagerServiceClient()
        except GoogleAuthError as error:
            raise ConfigurationError(
                f"{reference} cannot be read without credentials: on your machine run "
                "`gcloud auth application-default login`, or set the value itself"
            ) from error
    import grpc
    from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
        SecretManagerServiceGrpcTransport,
    )

    transport = SecretManagerServiceGrpcTransport(channel=grpc.insecure_channel(host))
    return secretmanager.SecretManagerServiceClient(transport=transport)
