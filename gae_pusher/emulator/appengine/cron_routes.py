"""The front door's page about cron: what is due when, and a button that runs a job now."""

from __future__ import annotations

import html
import json
import time
from typing import Any, Final

from aiohttp import web

from gae_pusher.emulator.appengine.cron import Cron
from gae_pusher.emulator.appengine.cron_yaml import CronJob

__all__ = ["CRON_PATH", "CronRoutes"]

CRON_PATH: Final = "/_ah/gae_pusher/cron"  # App Engine keeps paths below /_ah/ for itself

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cron</title>
<style>
  :root {{ color-scheme: light dark; --line: light-dark(#e3e0ea, #3a3646);
    --soft: light-dark(#6b6577, #a49db3); --bad: light-dark(#b3261e, #ff8a80); }}
  body {{ margin: 0; padding: 6vh 1.25rem 3rem; background: light-dark(#f6f5f9, #121017);
    color: light-dark(#1f1b29, #ece8f4); font: 16px/1.5 system-ui, sans-serif; }}
  main {{ max-width: 58rem; margin: auto; }}
  h1 {{ font-size: 1.6rem; margin: 0 0 .4rem; }}
  p, small {{ color: var(--soft); }} small {{ display: block; }} .bad {{ color: var(--bad); }}
  ul {{ list-style: none; padding: 0; }}
  li {{ display: flex; gap: 1rem; align-items: center; border-top: 1px solid var(--line);
    padding: .9rem 0; }}
  li > div {{ flex: 1; min-width: 0; overflow-wrap: anywhere; }}
  code {{ font: 600 .95em ui-monospace, monospace; }}
  button {{ font: inherit; padding: .45rem .9rem; border-radius: 8px; cursor: pointer;
    border: 1px solid var(--line); background: light-dark(#fff, #1b1922); color: inherit; }}
</style>
<main>
  <h1>Cron</h1>
  <p>The jobs of cron.yaml. A run by hand has the same header as one on schedule.</p>
  <ul>{jobs}</ul>
</main>
<script>
  document.addEventListener("click", async ({{ target }}) => {{
    if (!target.dataset.url) return;
    target.disabled = true;
    await fetch("", {{ method: "POST", headers: {{ "Content-Type": "application/json" }},
      body: JSON.stringify({{ url: target.dataset.url }}) }}).catch(() => {{}});
    location.reload();
  }});
</script>
</html>
"""
_JOB: Final = """<li><div><code>{url}</code> {description}
<small>{schedule} ({timezone}), {due}</small>
<small{bad}>{last}</small></div><button data-url="{url}"{disabled}>Run now</button></li>"""


class CronRoutes:
    """GET shows the jobs, POST of `{"url": "/outbox"}` runs one and tells what came of it."""

    def __init__(self, cron: Cron) -> None:
        self._cron = cron

    async def show(self, request: web.Request) -> web.Response:
        """The page."""
        jobs = "".join(self._job(number, job) for number, job in enumerate(self._cron.agenda.jobs))
        page = _PAGE.format(jobs=jobs or "<li>There is no cron.yaml, or no job in it.</li>")
        return web.Response(text=page, content_type="text/html")

    async def run(self, request: web.Request) -> web.Response:
        """Run a job. A page of another site cannot ask: it may not send application/json."""
        if request.content_type != "application/json":
            return web.Response(status=415, text="Send application/json.\n")
        try:
            url = json.loads(await request.text())["url"]
            facts = await self._cron.run_now(url)
        except (ValueError, KeyError, TypeError):
            return web.Response(status=400, text='Send {"url": ...} with a url of cron.yaml.\n')
        except LookupError as error:
            return web.Response(status=404, text=f"{error}\n")
        if facts is None:
            return web.Response(status=409, text=f"{url} is running already.\n")
        return web.json_response(facts)

    def _job(self, number: int, job: CronJob) -> str:
        due, last = self._cron.agenda.due(number), self._cron.last.get(job)
        return _JOB.format(
            url=html.escape(job.url),
            description=html.escape(job.description),
            schedule=html.escape(job.text),
            timezone=html.escape(job.timezone),
            due="running now" if due is None else f"next at {_clock(due)}",
            disabled=" disabled" if due is None else "",
            last=html.escape(_told(last)),
            bad=' class="bad"' if last and last["problem"] else "",
        )


def _told(last: dict[str, Any] | None) -> str:
    if last is None:
        return "Has not run yet."
    outcome = last["problem"] or f"the answer was {last['status']}"
    return f"Last run: {outcome}, after {last['took_seconds']:g} s."


def _clock(moment: float) -> str:
    return time.strftime("%a %H:%M", time.localtime(moment))
