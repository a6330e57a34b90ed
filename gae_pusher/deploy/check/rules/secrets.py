"""Rules for secrets in files that would be uploaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gae_pusher.deploy.check.findings import Finding
from gae_pusher.deploy.check.project import Project

__all__ = ["check_secrets"]

_PUSHER_SECRET: Final = re.compile(
    r"PUSHER_(?:APP_)?SECRET['\"]?\s*[:=]\s*['\"]?[A-Za-z0-9+/=_-]{8,}['\"]?\s*(?:[,}#]|$)"
    r"|https?://[^\s:/@<{$]+:(?!SECRET)[^\s:/@<{$]{8,}@(?!localhost|127\.)[^\s/]+/apps/"
)
_OTHER_SECRETS: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\\n[A-Za-z0-9+/]{20}|$)"
    r"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b"
    r"|PUSHER_ENCRYPTION_MASTER_KEY_BASE64['\"]?\s*[:=]\s*['\"]?[A-Za-z0-9+/]{43}="
)


def check_secrets(project: Project) -> Iterator[Finding]:
    """Lines of uploaded files that hold a secret; app.yaml itself is uploaded as well.

    The message never repeats what was found.
    """
    for path, text in sorted(project.texts.items()):
        if path not in project.uploaded and path != project.app_yaml:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if _PUSHER_SECRET.search(line):
                yield Finding(path, number, "S001", "this line holds a Pusher secret")
            if _OTHER_SECRETS.search(line):
                yield Finding(path, number, "S002", "this line holds a key or token")
