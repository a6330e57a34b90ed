"""`gae-pusher listen`: what a page would get, in the terminal."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gae_pusher.cli import values
from gae_pusher.cli.configured import add_app_options, configured_pusher
from gae_pusher.cli.console import paint
from gae_pusher.errors import ConfigurationError

if TYPE_CHECKING:
    from gae_pusher.client import Authorize, Happening
    from gae_pusher.config import Config

__all__ = ["register", "render", "render_json", "run"]

_EPILOG: Final = """\
examples:
  gae-pusher listen my-channel
  gae-pusher listen presence-board private-orders --user-id me
      private channels are authorized with the app's own secret
  gae-pusher listen private-order-7 --auth-endpoint http://localhost:8080/pusher/auth \\
      --auth-header 'Cookie: session=...'
      ... or by your app, as a page's would be
  gae-pusher listen my-channel --event tick --count 3 --json
      three events as lines of JSON, then the end

The app is the one of PUSHER_URL, or of PUSHER_APP_ID, PUSHER_KEY, PUSHER_SECRET and PUSHER_CLUSTER.
Exit code 0: the count was reached; 1: the server does not want this client back; 130: Ctrl-C.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "listen",
        help="subscribe to channels and print their events",
        description="Subscribe to channels as a page would, and print what happens.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("channels", nargs="+", metavar="CHANNEL", help="names of channels")
    parser.add_argument(
        "--event", action="append", default=[], metavar="NAME", help="print only these events"
    )
    parser.add_argument(
        "--count",
        type=values.count,
        metavar="N",
        help="end after so many events, the service's own (pusher:...) not counted",
    )
    parser.add_argument(
        "--user-id", default="gae-pusher-listen", metavar="ID", help="member of presence channels"
    )
    parser.add_argument(
        "--auth-endpoint",
        type=values.http_url,
        metavar="URL",
        help="let the app authorize channels",
    )
    parser.add_argument(
        "--auth-header", action="append", default=[], metavar="'NAME: VALUE'", help="for it"
    )
    add_app_options(parser)
    parser.add_argument("--json", action="store_true", help="one line of JSON a happening")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Listen until the count, Ctrl-C, or a refusal."""
    config = configured_pusher(arguments, os.environ).config
    printer = _Printer(arguments.json, tuple(arguments.event), arguments.count)
    return asyncio.run(_listen(config, arguments.channels, _authorize(arguments, config), printer))


async def _listen(
    config: Config, channels: Sequence[str], authorize: Authorize, printer: _Printer
) -> int:
    from gae_pusher.client import Listener

    async for happening in Listener(config, channels, authorize):
        if printer.tell(happening):
            return 0
    return 1


def _authorize(arguments: argparse.Namespace, config: Config) -> Authorize:
    from gae_pusher.client import by_endpoint, by_key

    if not arguments.auth_endpoint:
        return by_key(config, arguments.user_id)
    headers = {}
    for text in arguments.auth_header:
        name, colon, value = text.partition(":")
        if not colon:
            raise ConfigurationError("--auth-header looks like 'NAME: VALUE'")
        headers[name.strip()] = value.strip()
    return by_endpoint(arguments.auth_endpoint, headers)


@dataclass(slots=True)
class _Printer:
    """Prints what was asked for and counts it."""

    as_json: bool
    events: tuple[str, ...]
    left: int | None

    def tell(self, happening: Happening) -> bool:
        """Print one happening; True when it was the last that is wanted."""
        from gae_pusher.client import Event

        event = happening.event if isinstance(happening, Event) else ""
        if event and self.events and event not in self.events:
            return False
        colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        text = render_json(happening) if self.as_json else render(happening, colours)
        print(text, flush=True)  # noqa: T201
        if event and not event.startswith("pusher:") and self.left is not None:
            self.left -= 1
        return self.left == 0


def render(happening: Happening, colours: bool = False) -> str:
    """One line for a person."""
    from gae_pusher.client import Connected, Disconnected, Event, Problem

    clock = paint(time.strftime("%H:%M:%S"), "dim", colours)
    match happening:
        case Event():
            channel = paint(happening.channel or "-", "cyan", colours)
            user = f"  from {_shown(happening.user_id)}" if happening.user_id else ""
            name = paint(_shown(happening.event), "bold", colours)
            return f"{clock}  {channel}  {name}  {_compact(happening.data)}{user}"
        case Connected():
            return f"{clock}  connected as {happening.socket_id}"
        case Disconnected():
            return f"{clock}  {paint(_ended(happening), 'yellow', colours)}"
        case Problem():
            code = f" ({happening.code})" if happening.code else ""
            return f"{clock}  {paint(_shown(happening.message) + code, 'red', colours)}"
        case _:
            members = f" with {_shown(', '.join(happening.members))}" if happening.members else ""
            return f"{clock}  subscribed to {happening.channel}{members}"


def render_json(happening: Happening) -> str:
    """One line for a program: `kind`, then the fields of the happening."""
    facts = {name: getattr(happening, name) for name in happening.__dataclass_fields__}
    return json.dumps({"kind": type(happening).__name__.lower(), "time": time.time(), **facts})


def _compact(data: Any) -> str:
    if isinstance(data, str):
        return _shown(data)
    text = json.dumps(data, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(data)


def _shown(text: str) -> str:
    """A text that cannot steer the terminal: who may trigger events may not do that."""
    return text if text.isprintable() else json.dumps(text)


def _ended(happening: Any) -> str:
    code = f" {happening.code}" if happening.code else ""
    reason = f": {_shown(happening.reason)}" if happening.reason else ""
    wait = happening.retry_seconds
    then = "not wanted back" if wait is None else f"again in {wait:g} s"
    return f"disconnected{code}{reason}; {then}"
