"""`gae-pusher webhooks`: receive webhooks here, show them, keep them, send them on."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gae_pusher.cli import values
from gae_pusher.cli.configured import add_app_options, configured_pusher
from gae_pusher.errors import ConfigurationError, ConnectionFailed

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from gae_pusher.pusher import Pusher

__all__ = ["register"]

DEFAULT_PORT: Final = 6002
_TIMEOUT_SECONDS: Final = 10

_EPILOG: Final = """\
examples:
  gae-pusher webhooks listen --forward http://localhost:8080/pusher/webhook
      from a Channels server, as they come
  gae-pusher webhooks replay hooks.jsonl --forward http://localhost:8080/pusher/webhook
      from a file, which `listen --save` wrote
"""
_LISTEN_EPILOG: Final = """\
examples:
  gae-pusher webhooks listen
      prints what arrives at http://127.0.0.1:6002/; give that URL to
      `gae-pusher emulators --webhook`
  gae-pusher webhooks listen --save hooks.jsonl --forward http://localhost:8080/pusher/webhook
      ... and keeps it, and sends it on, signed anew; the sender gets your app's answer

To send on what a file holds: gae-pusher webhooks replay FILE --forward URL
"""
_REPLAY_EPILOG: Final = """\
examples:
  gae-pusher webhooks replay hooks.jsonl --forward http://localhost:8080/pusher/webhook

Each line of FILE is a webhook, {"time_ms": ..., "events": [...]}; it is sent with the time of now,
signed with the configured app's secret. Exit code 1 when the app refuses one.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command with its two subcommands."""
    parser = subparsers.add_parser(
        "webhooks",
        help="receive, keep, forward and replay webhooks",
        description="Webhooks from a Channels server or a file: shown, kept, forwarded signed.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listen = commands.add_parser(
        "listen",
        help="receive webhooks from a Channels server",
        description="Receive webhooks from a Channels server, verify and print them.",
        epilog=_LISTEN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    listen.add_argument(
        "--port", type=values.port, default=DEFAULT_PORT, help="on 127.0.0.1; 0 takes a free one"
    )
    listen.add_argument(
        "--forward", type=values.http_url, metavar="URL", help="send them on to your app"
    )
    listen.add_argument("--save", type=Path, metavar="FILE", help="append them, one a line")
    add_app_options(listen)
    listen.set_defaults(run=run_listen)
    replay = commands.add_parser(
        "replay",
        help="send webhooks from a file to your app",
        description="Send each webhook of a file to your app, signed now.",
        epilog=_REPLAY_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    replay.add_argument("file", type=Path, metavar="FILE", help="what `listen --save` wrote")
    replay.add_argument(
        "--forward",
        type=values.http_url,
        metavar="URL",
        required=True,
        help="where your app takes them",
    )
    add_app_options(replay)
    replay.set_defaults(run=run_replay)


def run_listen(arguments: argparse.Namespace) -> int:
    """Receive until Ctrl-C."""
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        """Writes no log of its own: what arrives is printed anyway."""

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    pusher = configured_pusher(arguments, os.environ)
    application = _receiver(pusher, arguments.forward, arguments.save)
    try:
        server = make_server("127.0.0.1", arguments.port, application, handler_class=Quiet)
    except OSError as error:
        raise ConfigurationError(
            f"port {arguments.port} is taken: stop what listens there, or pass another --port"
        ) from error
    with server:
        _say(f"webhooks arrive at http://127.0.0.1:{server.server_port}/")
        server.serve_forever()
    return 0


def run_replay(arguments: argparse.Namespace) -> int:
    """Send every line of a file; 1 when the app refused one."""
    pusher = configured_pusher(arguments, os.environ)
    refused = 0
    for number, line in enumerate(arguments.file.read_text(encoding="utf-8").splitlines(), 1):
        status = _forward(pusher, arguments.forward, _events(line, number))
        print(f"line {number}: {status}", flush=True)  # noqa: T201
        refused += not 200 <= status < 300
    return int(refused > 0)


def _receiver(pusher: Pusher, forward: str | None, save: Path | None) -> WSGIApplication:
    from gae_pusher import limits
    from gae_pusher.errors import WebhookError
    from gae_pusher.wsgi.endpoint import Endpoint, check_method
    from gae_pusher.wsgi.http import Refusal, Response, text_response
    from gae_pusher.wsgi.request import Request

    class Receiver(Endpoint):
        """Verifies a webhook, prints it, keeps it, and answers as the app did."""

        def answer(self, request: Request) -> Response:
            check_method(request, "POST")
            body = request.body(limits.WEBHOOK_BODY_BYTES)
            key, signature = request.header("X-Pusher-Key"), request.header("X-Pusher-Signature")
            try:
                envelope = pusher.webhook(body, key, signature).verify()
            except WebhookError as error:
                _say(f"refused: {error}")
                raise Refusal(401, "not an authentic webhook") from None
            try:
                return text_response(self._passed_on(envelope), "received")
            except ConnectionFailed as error:
                _say(str(error))
                raise Refusal(502, "the app does not answer") from None

        def _passed_on(self, envelope: dict[str, Any]) -> int:
            line = json.dumps(envelope, ensure_ascii=False)
            print(line, flush=True)  # noqa: T201
            if save is not None:
                with save.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")
            return _forward(pusher, forward, envelope["events"]) if forward else 200

    return Receiver()


def _events(line: str, number: int) -> list[Any]:
    try:
        events = json.loads(line)["events"]
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(f'line {number} is no webhook, {{"events": [...]}}') from None
    if not isinstance(events, list):
        raise ConfigurationError(f"line {number}: events is no list")
    return events


def _forward(pusher: Pusher, url: str, events: list[Any]) -> int:
    """The status with which an app answers events that are signed now."""
    import requests

    from gae_pusher.deploy.asking import signed_webhook

    try:
        answer = requests.post(url, **signed_webhook(pusher, events), timeout=_TIMEOUT_SECONDS)
    except requests.RequestException as error:
        raise ConnectionFailed(f"{url} does not answer: {type(error).__name__}") from error
    return answer.status_code


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201
