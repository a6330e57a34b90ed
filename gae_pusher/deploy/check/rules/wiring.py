"""Rules for the way between app.yaml and the app: do the endpoints get their requests?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gae_pusher.deploy.check.findings import Finding
from gae_pusher.deploy.check.project import Project
from gae_pusher.deploy.check.rules.handlers import matches
from gae_pusher.deploy.check.yaml_source import Source

__all__ = ["authorizes_channels", "check_wiring", "takes_webhooks"]

_STARTS: Final = ("/pusher/", "/_ah/warmup", "/tasks/")
_ENDPOINT: Final = re.compile(r"""["'](/pusher/[a-z-]+|/_ah/warmup|/tasks/)""")
_AUTHORIZES: Final = re.compile(
    r"ChannelAuthorizationApp|Endpoints\b|authorize_channel|\.authorize\b|\.authenticate\("
)
_TAKES_WEBHOOKS: Final = re.compile(
    r"WebhookApp|Endpoints\b|/pusher/webhook|\.webhook\(|validate_webhook"
)
_ROUTE: Final = re.compile(
    r"""^@(?:app|application)\.(?:route|get|post|put|patch|delete)\( *["'](/[^"'<{]*)["']""",
    re.MULTILINE,
)
_ROUTES_WARMUP: Final = re.compile(r"""_ah/warmup|["']/?warmup/?["']""")


def check_wiring(project: Project) -> Iterator[Finding]:
    """Findings for endpoints that the app has and nobody reaches, or that it needs and lacks."""
    sources = project.sources
    endpoints = _endpoints(sources)
    yield from _check_warmup(project, sources)
    for endpoint, (path, line) in endpoints.items():
        yield from _check_reached(project, endpoint, path, line)
    for text in (text for text in sources.values() if "@app" in text):
        for route in sorted(set(_ROUTE.findall(text)) - endpoints.keys()):
            yield from _check_shadowed(project, route)
    uses = next((path for path, text in sources.items() if _uses_private(text)), None)
    if uses and not authorizes_channels(project):
        yield Finding(uses, 0, "W002", "it uses private channels and nothing authorizes them")


def authorizes_channels(project: Project) -> bool:
    """Whether the app's code authorizes channels."""
    return any(_AUTHORIZES.search(text) for text in project.sources.values())


def takes_webhooks(project: Project) -> bool:
    """Whether the app's code takes webhooks."""
    return any(_TAKES_WEBHOOKS.search(text) for text in project.sources.values())


def _uses_private(text: str) -> bool:
    return any(f"{quote}{kind}-" in text for quote in "'\"" for kind in ("private", "presence"))


def _endpoints(sources: dict[str, str]) -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    for path, text in sources.items():
        if not any(start in text for start in _STARTS):
            continue
        for match in _ENDPOINT.finditer(text):
            found.setdefault(match[1], (path, text.count("\n", 0, match.start()) + 1))
    return found


def _check_warmup(project: Project, sources: dict[str, str]) -> Iterator[Finding]:
    services = project.app.get("inbound_services") or Source([], 1)
    for service in services.entries():
        if service.value == "warmup" and not any(map(_ROUTES_WARMUP.search, sources.values())):
            yield Finding(project.app_yaml, service.line, "A409", "nothing routes /_ah/warmup")


def _check_reached(project: Project, endpoint: str, path: str, line: int) -> Iterator[Finding]:
    handlers = (project.app.get("handlers") or Source([], 1)).entries()
    handler = _first(project, endpoint)
    if handler is None:
        if handlers:
            yield Finding(path, line, "W001", f"no handler of {project.app_yaml} serves {endpoint}")
    elif not handler.get("script"):
        yield from _check_shadowed(project, endpoint)
    elif endpoint.startswith("/pusher/") and handler.plain("login") in ("required", "admin"):
        text = f"{endpoint} needs a Google login here: Pusher and browsers have none"
        yield Finding(handler.path, handler.line, "W001", text)


def _check_shadowed(project: Project, route: str) -> Iterator[Finding]:
    handler = _first(project, route)
    if handler and not handler.get("script"):
        text = f"{route} goes to this handler and never to the app"
        yield Finding(handler.path, handler.line, "A308", text)


def _first(project: Project, path: str) -> Source | None:
    """The handler that takes a path, those aside that let go what they have no file for."""
    handlers = (project.app.get("handlers") or Source([], 1)).entries()
    return next(
        (
            entry
            for entry in handlers
            if matches(entry, path) and entry.plain("require_matching_file") is not True
        ),
        None,
    )
