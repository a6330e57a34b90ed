"""What serves now: the versions that share a service's traffic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gae_pusher.deploy.gcloud import Gcloud, GcloudError

__all__ = ["Serving", "read_serving"]

_SPLIT_BY: Final = frozenset({"cookie", "ip", "random"})


@dataclass(frozen=True, slots=True)
class Serving:
    """A service's traffic: `split` from version to share, empty before the first deployment.

    `config` is the Admin API's description of the version with the largest share; `split_by` is
    empty while one version has it all.
    """

    split: Mapping[str, float] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    split_by: str = ""

    def __str__(self) -> str:
        if len(self.split) < 2:
            return "".join(self.split)
        return ", ".join(f"{version} ({share:.0%})" for version, share in self.split.items())

    @property
    def arguments(self) -> str:
        """What makes `gcloud app services set-traffic` restore exactly this."""
        splits = ",".join(f"{version}={share:g}" for version, share in self.split.items())
        return f"--splits={splits}" + (f" --split-by={self.split_by}" if self.split_by else "")


def read_serving(gcloud: Gcloud, service: str) -> Serving:
    """What serves now. Raises GcloudError, except for a service that does not exist yet."""
    try:
        answer = gcloud.run("app", "services", "describe", service)
    except GcloudError as error:
        if "NOT_FOUND" in str(error):
            return Serving()
        raise
    traffic = answer.get("split") or {}
    split = {name: float(share) for name, share in (traffic.get("allocations") or {}).items()}
    if not split:
        return Serving()
    largest = max(split, key=lambda version: split[version])
    config = gcloud.run("app", "versions", "describe", largest, f"--service={service}")
    by = str(traffic.get("shardBy", "")).lower()
    return Serving(split, config or {}, by if len(split) > 1 and by in _SPLIT_BY else "")
