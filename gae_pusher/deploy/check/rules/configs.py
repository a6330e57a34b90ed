"""Rules for cron.yaml, queue.yaml, dispatch.yaml and index.yaml."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from gae_pusher.deploy.check.config_schemas import CONFIG_SCHEMAS
from gae_pusher.deploy.check.findings import Finding
from gae_pusher.deploy.check.project import Project
from gae_pusher.deploy.check.schema import check_schema
from gae_pusher.deploy.check.yaml_source import Source
from gae_pusher.emulator.appengine.schedule_language import schedule_problem

__all__ = ["CONFIGS", "check_configs"]

_RATE: Final = re.compile(r"(\d+(?:\.\d+)?)/([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
MAX_RATE_PER_SECOND: Final = 500
MAX_CONCURRENT: Final = 5000
MAX_BUCKET_SIZE: Final = 500
MAX_JOB_RETRIES: Final = 5
MAX_DISPATCH_RULES: Final = 20
_NOTHING: Final = Source({}, 0)


def check_configs(project: Project) -> Iterator[Finding]:
    """Findings in each configuration file that is there."""
    for path, (key, code, check) in CONFIGS.items():
        document = project.documents.get(path)
        if document is None:
            continue
        if document.value == {}:
            yield Finding(path, 1, code, f"there is no list {key!r}")
        # Its codes are those of app.yaml.
        for found in check_schema(path, document, CONFIG_SCHEMAS[path]):
            yield replace(found, code=code)
        entries = section.entries() if (section := document.get(key)) else []
        if path == "queue.yaml" and section:
            yield Finding(path, section.line, "Q003", "queues are declared in queue.yaml")
        if path == "dispatch.yaml" and section and len(entries) > MAX_DISPATCH_RULES:
            text = f"{len(entries)} rules, the limit is {MAX_DISPATCH_RULES}"
            yield Finding(path, section.line, code, text)
        for entry in entries:
            yield from check(path, entry)


def _check_job(path: str, job: Source) -> Iterator[Finding]:
    url = job.get("url")
    if url is None or not str(url.value).startswith("/"):
        yield Finding(path, job.line, "C001", "a job needs a `url` that starts with '/'")
    schedule = job.get("schedule")
    if schedule is None:
        yield Finding(path, job.line, "C001", "a job needs a `schedule`")
    elif problem := schedule_problem(str(schedule.value)):
        yield Finding(path, schedule.line, "C002", problem)
    retries = (job.get("retry_parameters") or _NOTHING).get("job_retry_limit")
    if retries and isinstance(retries.value, int) and retries.value > MAX_JOB_RETRIES:
        text = f"job_retry_limit is {retries.value}, the limit is {MAX_JOB_RETRIES}"
        yield Finding(path, retries.line, "C001", text)
    zone = job.get("timezone")
    known = zoneinfo.available_timezones()
    if zone and known and str(zone.value) not in known:
        yield Finding(path, zone.line, "C003", f"{zone.value!r} is no time zone")


def _check_queue(path: str, queue: Source) -> Iterator[Finding]:
    name = queue.get("name")
    if name is None or not re.fullmatch(r"[a-zA-Z0-9-]{1,100}", str(name.value)):
        yield Finding(path, queue.line, "Q001", "a queue needs a `name` of letters, digits and -")
    rate = queue.get("rate")
    if rate is None and queue.plain("mode") != "pull":
        yield Finding(path, queue.line, "Q001", "a queue needs a `rate` such as 5/s")
    elif rate is not None:
        yield from _check_rate(path, rate)
    limits = (("max_concurrent_requests", MAX_CONCURRENT), ("bucket_size", MAX_BUCKET_SIZE))
    for key, limit in limits:
        source = queue.get(key)
        if source and isinstance(source.value, int) and source.value > limit:
            text = f"{key} is {source.value}, the limit is {limit}"
            yield Finding(path, source.line, "Q002", text)


def _check_rate(path: str, rate: Source) -> Iterator[Finding]:
    match = _RATE.fullmatch(str(rate.value))
    if not match and str(rate.value) != "0":
        yield Finding(path, rate.line, "Q001", f"rate is {rate.value!r}, not like 5/s or 10/m")
    elif match and float(match[1]) / _SECONDS[match[2]] > MAX_RATE_PER_SECOND:
        text = f"rate is {rate.value}, the limit is {MAX_RATE_PER_SECOND}/s"
        yield Finding(path, rate.line, "Q002", text)


def _check_dispatch(path: str, rule: Source) -> Iterator[Finding]:
    url = str(rule.plain("url", ""))
    if not re.fullmatch(r"[^/]+/.*", url) or "*" in url[1:-1]:
        text = f"url is {url!r}: a host, a path, and `*` at the ends only, such as */tasks/*"
        yield Finding(path, rule.line, "D001", text)
    if not rule.get("service") and not rule.get("module"):
        yield Finding(path, rule.line, "D001", "a rule needs a `service`")


def _check_index(path: str, index: Source) -> Iterator[Finding]:
    if not index.get("kind"):
        yield Finding(path, index.line, "I001", "an index needs a `kind`")
    properties = (index.get("properties") or Source([], 1)).entries()
    if not properties:
        yield Finding(path, index.line, "I001", "an index needs `properties`")
    for entry in properties:
        if not entry.get("name"):
            yield Finding(path, entry.line, "I001", "a property needs a `name`")


_Check = Callable[[str, Source], Iterator[Finding]]

# File, the list in it, the code when that is missing, and the check of one entry.
CONFIGS: Final[dict[str, tuple[str, str, _Check]]] = {
    "cron.yaml": ("cron", "C001", _check_job),
    "queue.yaml": ("queue", "Q001", _check_queue),
    "dispatch.yaml": ("dispatch", "D001", _check_dispatch),
    "index.yaml": ("indexes", "I001", _check_index),
}
