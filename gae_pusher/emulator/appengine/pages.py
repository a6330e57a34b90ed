"""The pages that the front door shows in the place of the app's: for development only."""

from __future__ import annotations

import html
import re
from typing import Final

__all__ = ["READY_PATH", "crash_page", "crash_text"]

# App Engine keeps paths below /_ah/ for itself. The crash page waits here for the app.
READY_PATH: Final = "/_ah/gae_pusher/ready"

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The app did not start</title>
<style>
  :root {{ color-scheme: light dark; --line: light-dark(#e3e0ea, #3a3646);
    --soft: light-dark(#6b6577, #a49db3); --bad: light-dark(#b3261e, #ff8a80);
    --paper: light-dark(#fff, #1b1922); --desk: light-dark(#f6f5f9, #121017); }}
  body {{ margin: 0; padding: 6vh 1.25rem 3rem; background: var(--desk);
    color: light-dark(#1f1b29, #ece8f4); font: 16px/1.5 system-ui, sans-serif; }}
  main {{ max-width: 58rem; margin: auto; }}
  h1 {{ font-size: 1.6rem; line-height: 1.2; margin: 0 0 .4rem; }}
  h1::before {{ content: ""; display: inline-block; width: .6rem; height: .6rem;
    margin-right: .65rem; border-radius: 50%; background: var(--bad); vertical-align: .12em; }}
  p {{ margin: 0 0 1.4rem; color: var(--soft); }}
  .error {{ color: var(--bad); font: 600 1.02rem/1.45 ui-monospace, monospace;
    overflow-wrap: anywhere; margin: 0 0 .35rem; }}
  .place {{ font: .95rem/1.5 ui-monospace, monospace; margin: 0 0 1.2rem; }}
  .place b {{ font-weight: 600; }} .place span {{ color: var(--soft); }}
  pre {{ background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
    padding: 1rem 1.15rem; margin: 0 0 1.4rem; overflow-x: auto;
    font: 13px/1.55 ui-monospace, monospace; }}
  code {{ font-family: ui-monospace, monospace; font-size: .93em; }}
</style>
<main>
  <h1>The app did not start</h1>
  <p><code>{command}</code> ended with exit code {code}. Correct the error and save:
    this page comes back by itself.</p>
  <div class="error">{error}</div>
  <div class="place">{place}</div>
  <pre>{tail}</pre>
  <p>Shown by <code>gae-pusher dev</code>. Visitors of the deployed app never see this page.</p>
</main>
<script>
  (async function wait() {{
    try {{ if ((await fetch("{ready}")).ok) return location.reload(); }} catch (gone) {{}}
    setTimeout(wait, 1000);
  }})();
</script>
</html>
"""


_FRAME: Final = re.compile(r'  File "(?P<file>[^"]+)", line (?P<line>\d+)')


def crash_page(command: str, code: int, tail: tuple[str, ...], directory: str) -> str:
    """An HTML page with the end of the app's output; it reloads when the app is back.

    The error, and the last line of a file in `directory` that led to it, stand above the rest.
    """
    return _PAGE.format(
        command=html.escape(command),
        code=code,
        error=html.escape(_error_line(tail)),
        place=_place(tail, directory),
        tail=html.escape("\n".join(tail)) or "It printed nothing.",
        ready=READY_PATH,
    )


def crash_text(command: str, code: int, tail: tuple[str, ...]) -> str:
    """The same for a client that reads no HTML."""
    return f"The app did not start: {command} ended with exit code {code}.\n\n" + "\n".join(tail)


def _error_line(tail: tuple[str, ...]) -> str:
    """The last line of the last traceback: what is indented or a server's log line is not it."""
    start = max((i for i, line in enumerate(tail) if line.startswith("Traceback ")), default=None)
    if start is None:
        return ""
    after = (line for line in tail[start + 1 :] if line and not line.startswith((" ", "[")))
    return next(after, "")


def _place(tail: tuple[str, ...], directory: str) -> str:
    """Where in the app's own files the error is, as HTML: the servers' frames are no help."""
    for line, code in zip(reversed(tail[:-1]), reversed(tail[1:]), strict=True):
        frame = _FRAME.match(line)
        if frame is not None and _is_own(frame["file"], directory):
            name = html.escape(frame["file"].removeprefix(f"{directory}/"))
            shown = html.escape(code.strip())
            return f"<b>{name}</b>, line {frame['line']} <span>{shown}</span>"
    return ""


def _is_own(file: str, directory: str) -> bool:
    """A virtual environment inside the folder is not the app."""
    return file.startswith(f"{directory}/") and "/site-packages/" not in file
