"""Whether a request comes from App Engine's own services, and not from outside."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Final

from gae_pusher.wsgi.http import Refusal
from gae_pusher.wsgi.request import Request

__all__ = ["FRONT_VARIABLE", "check_trusted"]

# Our own local front sets it for the app behind it: it strips these headers as App Engine does.
FRONT_VARIABLE: Final = "GAE_PUSHER_FRONT"

logger = logging.getLogger(__name__)


def check_trusted(request: Request, header: str, environ: Mapping[str, str] = os.environ) -> str:
    """The value of a header that only App Engine can have set.

    App Engine removes its own headers from outside requests, and nothing else does: anywhere else
    the header proves nothing. Raises Refusal, 403, and logs why.
    """
    value = request.header(header)
    if not value:
        raise _refused(f"it has no {header}: it does not come from App Engine")
    if environ.get("GAE_ENV") != "standard" and environ.get(FRONT_VARIABLE) != "1":
        raise _refused(
            f"nothing here strips {header} from outside requests: GAE_ENV is not standard, "
            f"and {FRONT_VARIABLE}=1 is not set"
        )
    return value


def _refused(reason: str) -> Refusal:
    logger.warning("refused a request: %s", reason)
    return Refusal(403, "only for App Engine's own requests")
