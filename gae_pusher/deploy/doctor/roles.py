"""The question about roles: may the app's service account do what the app does?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gae_pusher.deploy.gcloud import Gcloud, GcloudError
from gae_pusher.deploy.outcome import Outcome

__all__ = ["ask_roles", "granted_roles"]

_EDITORS: Final = frozenset({"roles/owner", "roles/editor"})

# What a role is for, and which roles do as well. An editor may not read secrets.
_SUFFICIENT: Final = {
    "roles/datastore.user": _EDITORS | {"roles/datastore.user", "roles/datastore.owner"},
    "roles/cloudtasks.enqueuer": _EDITORS | {"roles/cloudtasks.enqueuer", "roles/cloudtasks.admin"},
    "roles/secretmanager.secretAccessor": frozenset(
        {"roles/owner", "roles/secretmanager.secretAccessor", "roles/secretmanager.admin"}
    ),
}


def ask_roles(
    gcloud: Gcloud, project_id: str, account: str, roles: list[str], secrets: list[str]
) -> Iterator[Outcome]:
    """One outcome for each of `roles`; access to `secrets` may be granted one by one instead."""
    if not roles:
        return
    try:
        granted = granted_roles(gcloud.run("projects", "get-iam-policy", project_id), account)
    except GcloudError as error:
        yield Outcome("roles", None, str(error))
        return
    for role in roles:
        question = f"role {role.rpartition('.')[2]}"
        enough = bool(granted & _SUFFICIENT[role])
        if not enough and role == "roles/secretmanager.secretAccessor":
            enough = _may_read(gcloud, account, secrets)
        do = (
            f"gcloud projects add-iam-policy-binding {project_id} "
            f"--member=serviceAccount:{account} --role={role}"
        )
        detail = f"{account} {'has' if enough else 'lacks'} {role}"
        yield Outcome(question, enough, detail, "" if enough else do)


def granted_roles(policy: Mapping[str, Any] | None, account: str) -> frozenset[str]:
    """The roles that a policy gives to a service account without a condition."""
    member = f"serviceAccount:{account}"
    return frozenset(
        binding["role"]
        for binding in (policy or {}).get("bindings", [])
        if member in binding.get("members", []) and "condition" not in binding
    )


def _may_read(gcloud: Gcloud, account: str, secrets: list[str]) -> bool:
    """Whether each secret's own policy lets the account read it."""
    wanted = _SUFFICIENT["roles/secretmanager.secretAccessor"]
    try:
        policies = [gcloud.run("secrets", "get-iam-policy", name) for name in secrets]
    except GcloudError:
        return False
    return bool(policies) and all(granted_roles(p, account) & wanted for p in policies)
