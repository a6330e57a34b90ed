"""Cron's own requests to a real app behind the front door."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from gae_pusher.emulator.activity import Activity
from gae_pusher.emulator.appengine.cron import Cron
from gae_pusher.emulator.appengine.cron_routes import CRON_PATH
from tests.emulator.appengine.site import ECHO_APP, Reply, Site, SiteMaker

JSON = {"Content-Type": "application/json"}
CRON_YAML = "cron:\n- description: <sweep>\n  url: /sweep?all=1\n  schedule: every 24 hours\n"
# Prints what it was asked with, for the console and for this test.
APP = ECHO_APP.replace(
    "    start_response(",
    '    print(json.dumps(answer["headers"]) + answer["path"] + answer["method"])\n'
    "    start_response(",
    1,
)


def run_now(site: Site, url: str, headers: dict[str, str] = JSON) -> Reply:
    return site.request(CRON_PATH, "POST", headers, json.dumps({"url": url}).encode())


def test_a_job_runs_with_app_engine_s_headers(start_site: SiteMaker) -> None:
    """A GET from App Engine: X-Appengine-Cron, its user agent and address; told to the console."""
    site = start_site({"cron.yaml": CRON_YAML, "main.py": APP})
    reply = run_now(site, "/sweep?all=1")
    facts = json.loads(reply.body)
    assert (reply.status, facts["status"], facts["problem"]) == (200, 200, None)
    assert dict(site.wait_for("cron", "/sweep").facts) == facts
    line = site.wait_for("output", "X_APPENGINE_CRON").facts["text"]
    assert line.endswith("/sweepGET")
    headers = json.loads(line.removesuffix("/sweepGET"))
    assert headers["X_APPENGINE_CRON"] == "true"
    assert headers["USER_AGENT"].startswith("AppEngine-Google")
    assert headers["X_APPENGINE_USER_IP"] == "0.1.0.2"
    assert headers["X_APPENGINE_COUNTRY"] == "ZZ"


def test_what_is_due_is_run(start_site: SiteMaker) -> None:
    """On the clock: the first run comes when its time has come, and the next one after it."""
    site = start_site({"cron.yaml": "cron:\n- url: /sweep\n  schedule: every 1 minutes\n"})
    told: list[Activity] = []
    now = 1_795_564_800.0

    async def two_runs() -> None:
        nonlocal now
        ran = asyncio.Event()

        def tell(activity: Activity) -> None:
            nonlocal now
            told.append(activity)
            now += 60
            if len(told) == 2:
                ran.set()

        cron = Cron(site.server.instance, tell, lambda: now)
        now += 60
        cron.start()
        await ran.wait()
        await cron.stop()

    site.run(two_runs())
    assert [activity.facts["url"] for activity in told] == ["/sweep"] * 2
    assert [activity.facts["status"] for activity in told] == [200] * 2


def test_a_job_that_fails_is_told(start_site: SiteMaker) -> None:
    """Whatever is no 2xx is a failure, as in production."""
    files = {"cron.yaml": CRON_YAML, "main.py": ECHO_APP.replace("200 OK", "500 Oh")}
    facts = json.loads(run_now(start_site(files), "/sweep?all=1").body)
    assert (facts["status"], facts["problem"]) == (500, "the answer was 500")


def test_an_app_that_does_not_start_is_told(start_site: SiteMaker) -> None:
    """The job has failed, and the next one will be tried."""
    crash = "runtime: python311\nentrypoint: python -c 'raise SystemExit(3)'\n"
    site = start_site({"cron.yaml": CRON_YAML, "app.yaml": crash})
    facts = json.loads(run_now(site, "/sweep?all=1").body)
    assert (facts["status"], facts["problem"]) == (None, "the app did not start")


def test_the_page_shows_the_jobs(start_site: SiteMaker) -> None:
    """What is due when, how the last run ended, and a button for each; texts are escaped."""
    site = start_site({"cron.yaml": CRON_YAML})
    page = site.request(CRON_PATH).body.decode()
    assert "every 24 hours (UTC)" in page
    assert "&lt;sweep&gt;" in page
    assert "Has not run yet." in page
    assert 'data-url="/sweep?all=1"' in page
    run_now(site, "/sweep?all=1")
    assert "Last run: the answer was 200" in site.request(CRON_PATH).body.decode()


def test_only_jobs_of_cron_yaml_are_run(start_site: SiteMaker) -> None:
    """Nobody gets App Engine's header for another path, nor a page of another site for any."""
    site = start_site({"cron.yaml": CRON_YAML})
    assert run_now(site, "/admin").status == 404
    assert run_now(site, "/sweep?all=1", {"Content-Type": "text/plain"}).status == 415
    assert site.request(CRON_PATH, "POST", JSON, b"[]").status == 400
    assert [activity for activity in site.activities if activity.kind == "cron"] == []


def test_a_changed_cron_yaml_is_taken(start_site: SiteMaker) -> None:
    """New jobs come at once, without a restart of the app; a mistake leaves the former."""
    site = start_site({"cron.yaml": CRON_YAML})

    def change(text: str) -> Any:
        site.write("cron.yaml", text)

        async def reload() -> int:
            site.server.cron.reload()
            return len(site.server.cron.agenda.jobs)

        return site.run(reload())

    assert change(CRON_YAML + "- url: /b\n  schedule: every day 03:00\n") == 2
    assert change("cron:\n- url: /b\n  schedule: now and then\n") == 2
    assert "stays in force" in site.wait_for("problem", "now and then").facts["text"]


def test_an_app_without_cron_yaml(start_site: SiteMaker, tmp_path: Path) -> None:
    """Has no jobs, and a page that says so."""
    assert "There is no cron.yaml" in start_site().request(CRON_PATH).body.decode()
