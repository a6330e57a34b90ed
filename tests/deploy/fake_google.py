"""As much of Google as `gcloud app deploy` talks to: Admin API, Storage, and the companions' APIs.

It remembers every request, so that a test can say what arrived: the exact files and version bodies.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PROJECT = "demo-test"
BUCKET = f"staging.{PROJECT}.appspot.com"
LOCATION = {
    "name": f"projects/{PROJECT}/locations/us-central1",
    "locationId": "us-central1",
    "labels": {"cloud.googleapis.com/region": "us-central1"},
}


@dataclass
class Google:
    """The state of the fake, and the faults that a test orders."""

    port: int = 0
    version_url: str = "http://127.0.0.1:9"
    app_exists: bool = True
    forbidden: bool = False
    bucket_known: bool = True
    create_error: str | None = None
    split_error: str | None = None
    dropped_uploads: int = 0
    stored: dict[str, bytes] = field(default_factory=dict)
    uploads: list[str] = field(default_factory=list)
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    split: dict[str, float] = field(default_factory=dict)
    split_by: str = "UNSPECIFIED"
    requests: list[str] = field(default_factory=list)
    jobs: list[Any] = field(default_factory=list)
    queues: list[Any] = field(default_factory=list)
    indexes: list[Any] = field(default_factory=list)
    dispatch: list[Any] = field(default_factory=list)
    scheduled: list[Any] = field(default_factory=list)
    policy: list[Any] = field(default_factory=list)
    secret_policies: dict[str, list[Any]] = field(default_factory=dict)

    def files_of(self, version: str) -> dict[str, bytes]:
        """The files of a version by path, as they arrived."""
        files = self.versions[version]["deployment"]["files"]
        return {path: self.stored[entry["sha1Sum"]] for path, entry in files.items()}

    def environ(self, home: str) -> dict[str, str]:
        """What makes gcloud talk to this fake and to nobody else."""
        base = f"http://127.0.0.1:{self.port}/"
        services = [
            *("APPENGINE", "SERVICEUSAGE", "CLOUDTASKS", "CLOUDSCHEDULER", "DATASTORE"),
            *("CLOUDRESOURCEMANAGER", "SECRETMANAGER"),
        ]
        overrides = {**dict.fromkeys(services, base), "STORAGE": f"{base}storage/v1/"}
        return {
            "HOME": home,
            "CLOUDSDK_CONFIG": home,
            "CLOUDSDK_CORE_PROJECT": PROJECT,
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
            "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "True",
            **{f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{key}": url for key, url in overrides.items()},
        }

    # Each answer: a pattern of "METHOD path", and what the fake says to it.

    def get_app(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        if self.forbidden:
            return 403, _error(403, "The caller does not have permission", "PERMISSION_DENIED")
        if not self.app_exists:
            return 404, _error(404, "Could not find Application", "NOT_FOUND")
        app = {
            "name": f"apps/{PROJECT}",
            "id": PROJECT,
            "locationId": "us-central",
            "defaultHostname": f"{PROJECT}.appspot.com",
            "servingStatus": "SERVING",
            "gcrDomain": "us.gcr.io",
            "serviceAccount": f"{PROJECT}@appspot.gserviceaccount.com",
        }
        return 200, app | ({"codeBucket": BUCKET} if self.bucket_known else {})

    def repair(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        self.bucket_known = True
        return 200, _operation("repair", {})

    def patch_app(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        self.dispatch = body["dispatchRules"]
        return 200, _operation("dispatch", {})

    def list_services(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        services = [self._service()] if self.versions else []
        return 200, {"services": services}

    def get_service(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        if not self.versions:
            return 404, _error(404, "Could not find Service default", "NOT_FOUND")
        return 200, self._service()

    def patch_service(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        self.split, self.split_by = body["split"]["allocations"], body["split"]["shardBy"]
        if self.split_error:
            return 200, _operation("split") | {"error": {"code": 13, "message": self.split_error}}
        return 200, _operation("split", self._service())

    def list_versions(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        return 200, {"versions": [self._version(name) for name in self.versions]}

    def get_version(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        if match["version"] not in self.versions:
            return 404, _error(404, "no such version", "NOT_FOUND")
        return 200, self._version(match["version"])

    def delete_version(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        del self.versions[match["version"]]
        return 200, _operation("delete", {})

    def create_version(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        if self.create_error:
            return 200, _operation("create") | {"error": {"code": 9, "message": self.create_error}}
        self.versions[body["id"]] = body
        self.split = self.split or {body["id"]: 1.0}
        return 200, _operation("create", self._version(body["id"]))

    def get_operation(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        return 200, _operation(match["name"], {})

    def get_bucket(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        return 200, {"name": BUCKET}

    def list_objects(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        return 200, {"kind": "storage#objects", "items": [{"name": name} for name in self.stored]}

    def upload(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        name = query["name"][0]
        # gcloud writes bare newlines around the parts; the boundary is the first line.
        boundary = body.split(b"\n", 1)[0].strip()
        content = body.split(boundary)[2].split(b"\n\n", 1)[1][: -len(b"\n")]
        return self._store(name, content)

    def start_upload(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        """A file over 5 MiB comes in a request of its own, to the address in Location."""
        name = query["name"][0]
        return 200, {"Location": f"http://127.0.0.1:{self.port}/resumable/upload/{name}"}

    def put_upload(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        return self._store(match["name"], body)

    def _store(self, name: str, content: bytes) -> tuple[int, Any]:
        assert hashlib.sha1(content).hexdigest() == name
        self.stored[name] = content
        self.uploads.append(name)
        return 200, {"name": name, "bucket": BUCKET, "generation": "1", "size": str(len(content))}

    def missing(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        return 404, _error(404, "not found", "NOT_FOUND")

    def enabled(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        return 200, {"state": "ENABLED"}

    def locations(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        return 200, {"locations": [LOCATION]}

    def list_jobs(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        legacy = query.get("legacyAppEngineCron", ["false"])[0].lower() == "true"
        return 200, {"jobs": self.jobs if legacy else []}

    def create_job(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        self.jobs.append(body)
        return 200, body

    def list_queues(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        return 200, {"queues": self.queues}

    def get_queue(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        for queue in self.queues:
            if queue["name"].endswith(f"/{match['name']}"):
                return 200, queue
        return 404, _error(404, "Requested entity was not found.", "NOT_FOUND")

    def list_scheduled(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        return 200, {"jobs": self.scheduled}

    def get_policy(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        return 200, {"bindings": self.policy}

    def get_secret_policy(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        return 200, {"bindings": self.secret_policies.get(match["name"], [])}

    def patch_queue(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        self.queues.append(body)
        return 200, body

    def list_indexes(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        return 200, {"indexes": self.indexes}

    def create_index(self, match: re.Match[str], query: Any, body: Any) -> tuple[int, Any]:
        self.indexes.append(body)
        return 200, _operation("index", {})

    def _service(self) -> dict[str, Any]:
        name = f"apps/{PROJECT}/services/default"
        return {
            "name": name,
            "id": "default",
            "split": {"allocations": self.split, "shardBy": self.split_by},
        }

    def _version(self, name: str) -> dict[str, Any]:
        return self.versions[name] | {
            "name": f"apps/{PROJECT}/services/default/versions/{name}",
            "servingStatus": "SERVING",
            "versionUrl": self.version_url,
            "env": "standard",
            "createTime": "2026-11-22T00:00:00Z",
        }


_ROUTES = [
    (r"GET /storage/v1/b/runtime-builders/o/.*", Google.missing),
    (r"GET /storage/v1/b/[^/]+", Google.get_bucket),
    (r"GET /storage/v1/b/[^/]+/o", Google.list_objects),
    (r"POST /upload/storage/v1/b/[^/]+/o", Google.upload),
    (r"POST /resumable/upload/storage/v1/b/[^/]+/o", Google.start_upload),
    (r"PUT /resumable/upload/(?P<name>.+)", Google.put_upload),
    (rf"GET /v1/apps/{PROJECT}", Google.get_app),
    (rf"PATCH /v1/apps/{PROJECT}", Google.patch_app),
    (rf"POST /v1/apps/{PROJECT}:repair", Google.repair),
    (rf"GET /v1/apps/{PROJECT}/services", Google.list_services),
    (rf"GET /v1/apps/{PROJECT}/services/default", Google.get_service),
    (rf"PATCH /v1/apps/{PROJECT}/services/default", Google.patch_service),
    (rf"GET /v1/apps/{PROJECT}/services/default/versions", Google.list_versions),
    (rf"POST /v1/apps/{PROJECT}/services/default/versions", Google.create_version),
    (rf"GET /v1/apps/{PROJECT}/services/default/versions/(?P<version>.+)", Google.get_version),
    (
        rf"DELETE /v1/apps/{PROJECT}/services/default/versions/(?P<version>.+)",
        Google.delete_version,
    ),
    (rf"GET /v1/apps/{PROJECT}/operations/(?P<name>.+)", Google.get_operation),
    (rf"GET /v1/projects/{PROJECT}/services/.*", Google.enabled),
    (rf"GET /v\w+/projects/{PROJECT}/locations", Google.locations),
    (rf"GET /v1beta1/projects/{PROJECT}/locations/[^/]+/jobs", Google.list_jobs),
    (rf"POST /v1beta1/projects/{PROJECT}/locations/[^/]+/jobs", Google.create_job),
    (rf"GET /v2beta3/projects/{PROJECT}/locations/[^/]+/queues", Google.list_queues),
    (rf"PATCH /v2beta3/projects/{PROJECT}/locations/[^/]+/queues/.+", Google.patch_queue),
    (rf"GET /v2/projects/{PROJECT}/locations/[^/]+/queues/(?P<name>.+)", Google.get_queue),
    (rf"GET /v1/projects/{PROJECT}/locations/[^/]+/jobs", Google.list_scheduled),
    (rf"POST /v1/projects/{PROJECT}:getIamPolicy", Google.get_policy),
    (rf"GET /v1/projects/{PROJECT}/secrets/(?P<name>.+):getIamPolicy", Google.get_secret_policy),
    (rf"GET /v1/projects/{PROJECT}/indexes", Google.list_indexes),
    (rf"POST /v1/projects/{PROJECT}/indexes", Google.create_index),
]


def _error(code: int, message: str, status: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status}}


def _operation(name: str, response: dict[str, Any] | None = None) -> dict[str, Any]:
    metadata = {
        "@type": "type.googleapis.com/google.appengine.v1.OperationMetadataV1",
        "insertTime": "2026-11-22T00:00:00Z",
        "method": "google.appengine.v1.Versions.CreateVersion",
        "target": f"apps/{PROJECT}",
    }
    operation = {"name": f"apps/{PROJECT}/operations/{name}", "metadata": metadata, "done": True}
    return operation if response is None else operation | {"response": response}


@contextmanager
def running_google() -> Iterator[Google]:
    """The fake on a free loopback port, for the time of a `with` block."""
    google = Google()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            uploads = "/upload/" in parts.path
            if uploads and google.dropped_uploads > 0:
                google.dropped_uploads -= 1
                self.close_connection = True
                return
            line = f"{self.command} {parts.path}"
            google.requests.append(line)
            body = raw if uploads or not raw else json.loads(raw)
            status, answer = _route(google, line, parse_qs(parts.query), body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            if "Location" in answer:
                self.send_header("Location", answer["Location"])
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    google.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield google
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _route(google: Google, line: str, query: Any, body: Any) -> tuple[int, Any]:
    for pattern, answer in _ROUTES:
        if match := re.fullmatch(pattern, line):
            return answer(google, match, query, body)
    return 501, _error(501, f"the fake does not know {line}", "UNIMPLEMENTED")
