"""Google's REST APIs with gcloud's own account, for what gcloud has no command for."""

from __future__ import annotations

from typing import Any, Final

import requests

from gae_pusher.deploy.gcloud import Gcloud, GcloudError

__all__ = ["get_json"]

_TIMEOUT_SECONDS: Final = 30


def get_json(gcloud: Gcloud, api: str, path: str, params: dict[str, str]) -> dict[str, Any]:
    """The answer of `api` at `path`, asked as gcloud itself would. Raises GcloudError."""
    endpoint = gcloud.run("config", "get", f"api_endpoint_overrides/{api}")
    url = f"{endpoint or f'https://{api}.googleapis.com/'}{path}"
    token = gcloud.run("auth", "print-access-token")["token"]
    headers = {"Authorization": f"Bearer {token}", "X-Goog-User-Project": gcloud.project}
    try:
        answer = requests.get(url, params=params, headers=headers, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    except requests.HTTPError as error:
        raise GcloudError(f"{api} answered {error.response.status_code}") from error
    except requests.RequestException as error:
        raise GcloudError(f"{api} does not answer: {type(error).__name__}") from error
    return found
