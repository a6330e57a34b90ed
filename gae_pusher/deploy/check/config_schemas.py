"""The keys of cron.yaml, queue.yaml, dispatch.yaml and index.yaml, and what their values may be.

Seen with gcloud 528 in November 2026.
"""

from __future__ import annotations

import datetime
import re
from typing import Final

from gae_pusher.deploy.check.schema import (
    BOOL,
    INT,
    MAP,
    NUMBER,
    SCALAR,
    STR,
    Kind,
    choice,
    listing,
    section,
    text,
)

__all__ = ["CONFIG_SCHEMAS"]

_SERVICE: Final = r"(?!-)[a-z\d\-]{1,63}(?<!-)"
_NAME: Final = text("a service name", _SERVICE)
_AGE: Final = Kind("seconds, or a duration such as 2d", (str, int, float, datetime.date))
_BACKOFF: Final = {
    "min_backoff_seconds": NUMBER,
    "max_backoff_seconds": NUMBER,
    "max_doublings": INT,
}


def _target(separator: str) -> Kind:
    name = f"a service, or version{separator}service"
    return Kind(name, (str, int), re.compile(rf"({_SERVICE}{re.escape(separator)})?{_SERVICE}"))


_JOB: Final = section(
    url=STR,
    schedule=STR,
    timezone=STR,
    description=SCALAR,
    target=_target(":"),
    retry_parameters=section(job_retry_limit=INT, job_age_limit=_AGE, **_BACKOFF),
)
_QUEUE: Final = section(
    name=STR,
    rate=SCALAR,
    mode=choice("push", "pull"),
    bucket_size=INT,
    max_concurrent_requests=INT,
    target=_target("."),
    retry_parameters=section(task_retry_limit=INT, task_age_limit=_AGE, **_BACKOFF),
    acl=listing(MAP),
)
_RULE: Final = section(url=STR, service=_NAME, module=_NAME)
_PROPERTY: Final = section(
    name=STR,
    direction=choice("asc", "desc", "ascending", "descending"),
    mode=choice("geospatial"),
    vectorConfig=MAP,
)
_INDEX: Final = section(kind=STR, ancestor=BOOL, properties=listing(_PROPERTY))

CONFIG_SCHEMAS: Final[dict[str, Kind]] = {
    "cron.yaml": section(cron=listing(_JOB)),
    "queue.yaml": section(
        queue=listing(_QUEUE), total_storage_limit=SCALAR, resume_paused_queues=BOOL
    ),
    "dispatch.yaml": section(dispatch=listing(_RULE)),
    "index.yaml": section(indexes=listing(_INDEX)),
}
