"""Sends the files of static handlers."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import time
from email.utils import formatdate
from pathlib import Path
from typing import Final

from aiohttp import web

from gae_pusher.emulator.appengine.handlers import Serving

__all__ = ["send_file"]

_UNKNOWN_TYPE: Final = "application/octet-stream"
_TEXT_TYPES: Final = ("application/javascript", "application/json", "image/svg+xml")


async def send_file(request: web.Request, path: Path, serving: Serving) -> web.Response:
    """Answer with a file: GET and HEAD, an ETag of its content, 304 when the client has it."""
    if request.method not in ("GET", "HEAD"):
        return web.Response(status=405, text="Method Not Allowed", headers={"Allow": "GET, HEAD"})
    body = await asyncio.to_thread(path.read_bytes)
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    headers = _headers(path, serving, etag, time.time())
    if _knows(request.headers.get("If-None-Match", ""), etag):
        headers.pop("Content-Type", None)
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, headers=headers)


def _headers(path: Path, serving: Serving, etag: str, now: float) -> dict[str, str]:
    headers = {"Content-Type": serving.mime_type or _mime_type(path), "ETag": etag}
    if serving.expiration_seconds is None:
        # Production says ten minutes; while one edits, a file must be asked for each time.
        headers["Cache-Control"] = "no-cache"
    else:
        headers["Cache-Control"] = f"public, max-age={serving.expiration_seconds}"
        headers["Expires"] = formatdate(now + serving.expiration_seconds, usegmt=True)
    own = {name.lower() for name, _ in serving.http_headers}
    kept = {name: value for name, value in headers.items() if name.lower() not in own}
    return kept | dict(serving.http_headers)


def _mime_type(path: Path) -> str:
    mime_type = mimetypes.guess_type(path.name, strict=False)[0] or _UNKNOWN_TYPE
    is_text = mime_type.startswith("text/") or mime_type in _TEXT_TYPES
    return f"{mime_type}; charset=utf-8" if is_text else mime_type


def _knows(if_none_match: str, etag: str) -> bool:
    known = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return any(tag in (etag, "*") for tag in known)
