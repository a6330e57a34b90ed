"""Files for the browser: our own, and pusher-js."""

from __future__ import annotations

import os
from pathlib import Path

import flask

files = flask.Blueprint("assets", __name__)

PUSHER_JS_VERSION = "8.6.0"  # as in package.json
PUSHER_JS = Path(__file__).parents[1] / "node_modules" / "pusher-js" / "dist" / "web"
STATIC = Path(__file__).parent / "static"

# pusher-js connects to Pusher's hosts, or to the local server; both are the only foreign places.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' https://js.pusher.com",
        "connect-src 'self' ws: wss: https://*.pusher.com",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


def static_url(name: str) -> str:
    """The address of a file in static/. It is new for each version, so browsers may keep it."""
    if os.environ.get("GAE_ENV") == "standard":
        version = os.environ["GAE_VERSION"]
    else:
        version = str((STATIC / name).stat().st_mtime_ns)
    return flask.url_for("static", filename=name, v=version)


def pusher_js_url() -> str:
    """Where the page loads pusher-js from: node_modules when installed, else Pusher's CDN."""
    if (PUSHER_JS / "pusher.min.js").is_file():
        return flask.url_for("assets.pusher_js")
    return f"https://js.pusher.com/{PUSHER_JS_VERSION}/pusher.min.js"


@files.get("/vendor/pusher.min.js")
def pusher_js() -> flask.Response:
    return flask.send_from_directory(PUSHER_JS, "pusher.min.js")
