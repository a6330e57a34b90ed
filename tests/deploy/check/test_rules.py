"""Each rule of `gae-pusher check`, on the smallest project that breaks it and on a sound one."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from gae_pusher.deploy.check import CATALOGUE, Project, check_project
from gae_pusher.deploy.check.yaml_source import parse

TODAY = datetime.date(2026, 11, 22)
SOUND_APP = """\
runtime: python313
entrypoint: gunicorn --bind :$PORT --threads 8 main:app
inbound_services: [warmup]
automatic_scaling:
  max_instances: 3
handlers:
- url: /static
  static_dir: static
- url: /.*
  script: auto
"""
SOUND_FILES = {
    "main.py": "routes = ['/_ah/warmup', '/pusher/auth', '/pusher/webhook']\n",
    "requirements.txt": "gunicorn>=22\nFlask>=3.0\n",
    "static/site.css": "",
    ".gcloudignore": "",
}


def project(
    app: str = SOUND_APP,
    configs: dict[str, str] | None = None,
    ignored: frozenset[str] = frozenset(),
    **files: str | None,
) -> Project:
    """A sound project with some files replaced; None removes one."""
    changed = {name.replace("__", "/").replace("_dot_", "."): text for name, text in files.items()}
    texts = {path: text for path, text in (SOUND_FILES | changed).items() if text is not None}
    configs = configs or {}
    texts |= {"app.yaml": app, **configs}
    documents = {"app.yaml": parse(app), **{path: parse(text) for path, text in configs.items()}}
    return Project(
        documents=documents,
        texts=texts,
        sizes={path: len(text) for path, text in texts.items()},
        uploaded=frozenset(texts) - ignored,
    )


def codes(checked: Project) -> list[tuple[str, int]]:
    return [(finding.code, finding.line) for finding in check_project(checked, TODAY)]


def test_a_sound_project_has_no_findings() -> None:
    """An app as the documentation recommends it is left in peace."""
    assert codes(project()) == []


# One line of app.yaml is replaced; the finding names its code and its line.
APP_CASES = [
    ("runtime: python313", "runtime: pyhton313", ("A102", 1)),
    ("runtime: python313", "runtime: python39", ("A103", 1)),
    ("runtime: python313", "runtime: python310", ("A104", 1)),
    ("runtime: python313", "runtime: python315", ("A105", 1)),
    ("runtime: python313", "service: web", ("A101", 1)),
    ("runtime: python313", "runtime: python313\nruntimes: x", ("A003", 2)),
    ("runtime: python313", "runtime: python313\nthreadsafe: true", ("A005", 2)),
    ("runtime: python313", "runtime: python313\nnetwork: {}", ("A006", 2)),
    ("runtime: python313", "runtime: python313\nmodule: x", ("A007", 2)),
    ("runtime: python313", "runtime: python313\nstandard_websocket: true", ("A008", 2)),
    ("runtime: python313", "runtime: python313\napp_engine_apis: yep", ("A004", 2)),
    ("runtime: python313", "runtime: python313\ninstance_class: Z9", ("A203", 2)),
    ("runtime: python313", "runtime: python313\ninstance_class: B1", ("A202", 2)),
    ("runtime: python313", "runtime: python313\nincludes: [env.yaml]", ("A010", 2)),
    ("runtime: python313", "runtime: python313\nenv_variables:\n  A: null", ("A401", 3)),
    ("runtime: python313", "runtime: python313\nenv_variables:\n  A: yes", ("A402", 3)),
    ("runtime: python313", "runtime: python313\nenv_variables:\n  PORT: '1'", ("A403", 3)),
    ("  max_instances: 3", "  min_instances: 1", ("A205", 4)),
    ("  max_instances: 3", "  max_instances: -1", ("A204", 5)),
    ("  max_instances: 3", "  max_instances: 3\n  min_instances: 4", ("A204", 6)),
    ("  max_instances: 3", "  max_instances: 3\n  target_cpu_utilization: 2", ("A204", 6)),
    ("  max_instances: 3", "  max_instances: lots", ("A004", 5)),
    ("  max_instances: 3", "  max_instances: 3\nbasic_scaling: {}", ("A201", 6)),
    ("- url: /static", "- url: /(.*", ("A302", 7)),
    ("- url: /static", "- url: /.*", ("A305", 9)),
    ("- url: /static", "- secure: always", ("A301", 7)),
    ("  static_dir: static", "  static_dir: assets", ("A306", 8)),
    ("  static_dir: static", "  expiration: 1d", ("A303", 7)),
    (
        "  static_dir: static",
        "  secure: always\n  redirect_http_response_code: 301",
        ("A303", 7),
    ),
    ("  script: auto", "  script: auto\n  expiration: 1d", ("A309", 11)),
    (
        "  static_dir: static",
        "  static_files: static/\\1\n  upload: static/.*\\.png",
        ("A306", 9),
    ),
    ("- url: /.*", "- url: /static/js\n  static_dir: static\n- url: /.*", ("A305", 9)),
    ("runtime: python313", "runtime: python313\nenv_variables:\n  A: 010", ("A402", 3)),
    ("runtime: python313", "runtime: python313\nbuild_env_variables:\n  A: 1.10", ("A402", 3)),
    ("runtime: python313", "runtime: python313\nenv_variables:\n  A: {B: c}", ("A004", 3)),
    ("  max_instances: 3", "  max_instances: '3'\n  min_instances: 4", ("A204", 6)),
    (
        "automatic_scaling:\n  max_instances: 3",
        "basic_scaling:\n  idle_timeout: 5m",
        ("A004", 4),
    ),
    ("  static_dir: static", "  static_files: static/\\1", ("A303", 7)),
    ("  script: auto", "  script: main.app", ("A304", 10)),
    ("- url: /static", "- url: /pusher", ("A308", 7)),
    ("  script: auto", "  script: auto\n  login: admin", ("W001", 9)),
    ("- url: /.*", "- url: /api/.*", ("W001", 1)),
]


@pytest.mark.parametrize(("line", "replacement", "expected"), APP_CASES)
def test_app_yaml(line: str, replacement: str, expected: tuple[str, int]) -> None:
    """A line of app.yaml that Google's server or parser would refuse is found, with its number."""
    assert expected in codes(project(SOUND_APP.replace(line, replacement, 1)))


# Changes of a sound app.yaml that must stay without a finding.
SOUND_CASES = [
    ("runtime: python313", "runtime: python313\nenv_variables:"),
    ("runtime: python313", "runtime: python313\nenv_variables:\n  A: 1.5\n  B: 7\n  C: 2026-11-22"),
    ("runtime: python313", "runtime: python313\nenv_variables:\n  NODE_ENV: x\n  GAE_X: y"),
    (
        "runtime: python313",
        "runtime: python313\nenv_variables:\n  PUSHER_KEY: 0f1e2d3c4b5a69788796",
    ),
    ("runtime: python313", "runtime: python313\nenv_variables:\n  PUSHER_SECRET: sm://p/name/1"),
    ("runtime: python313", "runtime: python313\ndefault_expiration: '4d  5h'"),
    ("  max_instances: 3", "  max_instances: '3'"),
    ("- url: /.*", "- url: .*"),
    ("- url: /static", "- url: /statics\n  static_dir: static\n- url: /static"),
    (
        "- url: /static",
        "- url: /(.*)\n  static_files: static/\\1\n  upload: static/.*\n"
        "  require_matching_file: true\n- url: /static",
    ),
]


@pytest.mark.parametrize(("line", "replacement"), SOUND_CASES)
def test_sound_settings(line: str, replacement: str) -> None:
    """What Google takes, and does as it is written, is left in peace."""
    assert codes(project(SOUND_APP.replace(line, replacement, 1))) == []


ENTRYPOINTS = [
    ("gunicorn --threads 8 main:app", []),
    ("gunicorn --bind :8080 --threads 8 main:app", ["A405"]),
    ("gunicorn main:app", ["A408"]),
    ("uwsgi --http :${PORT}", []),
    ("python main.py", ["A405"]),
    ("[gunicorn, main:app]", ["A404"]),
]


@pytest.mark.parametrize(("entrypoint", "expected"), ENTRYPOINTS)
def test_entrypoint(entrypoint: str, expected: list[str]) -> None:
    """An entrypoint listens on $PORT, or leaves that to gunicorn, and serves several at once."""
    app = SOUND_APP.replace("gunicorn --bind :$PORT --threads 8 main:app", entrypoint)
    assert [code for code, _ in codes(project(app))] == expected


def test_without_entrypoint_main_must_have_an_app() -> None:
    """Without an entrypoint App Engine serves `app` of main.py."""
    app = SOUND_APP.replace("entrypoint: gunicorn --bind :$PORT --threads 8 main:app\n", "")
    routes = SOUND_FILES["main.py"]
    assert ("A407", 1) in codes(project(app))
    tried = "try:\n    from site.wsgi import (\n        app,\n    )\nfinally:\n    pass\n"
    for text in ("app = make()\n", tried, "from site.wsgi import application as app\n"):
        assert codes(project(app, main_dot_py=routes + text)) == []
    assert codes(project(app + "main: site.wsgi\n")) == []


def test_gunicorn_must_be_required() -> None:
    """With an entrypoint of one's own nobody else installs gunicorn."""
    assert ("A406", 2) in codes(project(requirements_dot_txt="Flask>=3.0\n"))


def test_gunicorn_may_be_required_elsewhere() -> None:
    """A requirement of an included file counts, and so do hashes and names that begin alike."""
    text = (
        "-r deploy/base.txt\nFlask==3.0.0 \\\n    --hash=sha256:ab12 \\\n    --hash=sha256:cd34\n"
    )
    assert codes(project(requirements_dot_txt=text, deploy__base_dot_txt="gunicorn==23\n")) == []
    assert ("A406", 2) in codes(project(requirements_dot_txt="gunicorn-logging==1\n"))


def test_a_program_may_read_port_itself() -> None:
    """An entrypoint that is a program of the app needs no $PORT when the program reads it."""
    app = SOUND_APP.replace("gunicorn --bind :$PORT --threads 8 main:app", "python main.py")
    assert ("A405", 2) in codes(project(app))
    text = SOUND_FILES["main.py"] + "port = os.environ['PORT']\n"
    assert codes(project(app, main_dot_py=text)) == []


def test_threads_may_be_set_in_gunicorns_own_file() -> None:
    """gunicorn reads gunicorn.conf.py by itself."""
    app = SOUND_APP.replace(" --threads 8", "")
    assert ("A408", 2) in codes(project(app))
    assert codes(project(app, gunicorn_dot_conf_dot_py="threads = 8\n")) == []


def test_warmup_needs_a_route() -> None:
    """The warmup service is found useless when nothing routes its request, in any framework."""
    assert ("A409", 3) in codes(project(main_dot_py="x = 1\n"))
    for text in ("path('_ah/warmup', warmup)\n", "@ah.route('/warmup')\n"):
        assert codes(project(main_dot_py=text)) == []


def test_a_static_handler_before_a_route() -> None:
    """A route that a static handler takes first is named with the handler's line."""
    routes = SOUND_FILES["main.py"] + "@app.route('/static/new')\ndef new(): ...\n"
    assert ("A308", 7) in codes(project(main_dot_py=routes))
    assert codes(project(main_dot_py=routes.replace("@app", "@blueprint"))) == []


CONFIG_CASES = [
    ("cron.yaml", "cron:\n- url: /x\n  schedule: every 5 minutes", None),
    ("cron.yaml", "cron:\n- url: /x\n  schedule: '*/5 * * * *'", ("C002", 3)),
    ("cron.yaml", "cron:\n- url: /x", ("C001", 2)),
    ("cron.yaml", "cron:\n- schedule: every 5 minutes", ("C001", 2)),
    (
        "cron.yaml",
        "cron:\n- url: /x\n  schedule: every day 03:00\n  timezone: Mars/Base",
        ("C003", 4),
    ),
    ("cron.yaml", "jobs: []", ("C001", 1)),
    ("queue.yaml", "queue:\n- name: push\n  rate: 5/s", ("Q003", 1)),
    ("queue.yaml", "queue:\n- name: push\n  rate: 600/s", ("Q002", 3)),
    ("queue.yaml", "queue:\n- name: push\n  rate: fast", ("Q001", 3)),
    ("queue.yaml", "queue:\n- name: a b\n  rate: 5/s", ("Q001", 2)),
    (
        "queue.yaml",
        "queue:\n- name: push\n  rate: 5/s\n  max_concurrent_requests: 6000",
        ("Q002", 4),
    ),
    ("dispatch.yaml", "dispatch:\n- url: '*/tasks/*'\n  service: worker", None),
    ("dispatch.yaml", "dispatch:\n- url: /tasks/*\n  service: worker", ("D001", 2)),
    ("dispatch.yaml", "dispatch:\n- url: '*/tasks/*'", ("D001", 2)),
    ("index.yaml", "indexes:\n- kind: Card\n  properties:\n  - name: at", None),
    ("index.yaml", "indexes:\n- kind: Card", ("I001", 2)),
    (
        "index.yaml",
        "indexes:\n- kind: Card\n  properties:\n  - name: at\n    direction: down",
        ("I001", 5),
    ),
    ("index.yaml", "indexes:", None),
    ("index.yaml", "# nothing yet", ("I001", 1)),
    (
        "index.yaml",
        "indexes:\n- kind: Card\n  ancestr: yes\n  properties: [{name: a}]",
        ("I001", 3),
    ),
    ("cron.yaml", "cron:\n- url: /x\n  schedule: every 5 minutes\n  shedule: x", ("C001", 4)),
    (
        "cron.yaml",
        "cron:\n- url: /x\n  schedule: every 5 minutes\n  retry_parameters: {job_retry_limit: 6}",
        ("C001", 4),
    ),
    ("cron.yaml", "cron:\n- url: /x\n  schedule: every 5 minutes\n  target: v1:web", None),
    ("cron.yaml", "cron:\n- url: /x\n  schedule: every 5 minutes\n  target: Web_1", ("C001", 4)),
    ("queue.yaml", "queue:\n- name: push\n  rate: 5/s\n  bucket_size: 501", ("Q002", 4)),
    ("queue.yaml", "queue:\n- name: push\n  rate: 5/s\n  max_doublings: 3", ("Q001", 4)),
    ("dispatch.yaml", "dispatch:\n- url: '*/tasks/*'\n  service: Web_1", ("D001", 3)),
]


@pytest.mark.parametrize(("path", "text", "expected"), CONFIG_CASES)
def test_other_configs(path: str, text: str, expected: tuple[str, int] | None) -> None:
    """A malformed entry of a companion file is found, with its line; a sound one is not."""
    found = codes(project(configs={path: text}))
    assert found == [] if expected is None else expected in found


REQUIREMENT_CASES = [
    ("gunicorn\n-e ../mine\n", ("R007", 2)),
    ("gunicorn\n./local\n", ("R007", 2)),
    ("gunicorn\n-e .\n./static\ngit+https://host/x.git#egg=x\nhttps://host/x.whl\n", None),
    ("gunicorn\nFlask = 3\n", ("R006", 2)),
    ("gunicorn\nappengine-python-standard>=1\n", ("R004", 2)),
    ("gunicorn\n--extra-index-url x\n-r more.txt\nFlask[async]>=3 ; python_version>'3'\n", None),
]


@pytest.mark.parametrize(("text", "expected"), REQUIREMENT_CASES)
def test_requirements(text: str, expected: tuple[str, int] | None) -> None:
    """A requirement that the build would stumble over is found, with its line."""
    found = codes(project(requirements_dot_txt=text))
    assert found == [] if expected is None else expected in found


def test_bundled_services_need_their_sdk() -> None:
    """app_engine_apis without the SDK is found."""
    app = SOUND_APP.replace("runtime: python313", "runtime: python313\napp_engine_apis: true")
    assert ("R003", 2) in codes(project(app))


def test_missing_and_refused_files() -> None:
    """Missing requirements, a Pipfile and a missing .gcloudignore are found."""
    found = codes(project(requirements_dot_txt=None, Pipfile="", _dot_gcloudignore=None))
    assert {("R001", 0), ("R002", 0), ("U002", 0)} <= set(found)


def test_upload() -> None:
    """Files of secrets, too many files and static files that stay behind are found."""
    assert ("U003", 0) in codes(project(_dot_env="A=1"))
    assert (
        codes(project(_dot_env_dot_example="A=1", ca_dot_pem="-----BEGIN CERTIFICATE-----")) == []
    )
    many = Project(sizes={f"f{n}": 1 for n in range(10_001)})
    many = Project(sizes=many.sizes, uploaded=frozenset(many.sizes))
    assert "U001" in [code for code, _ in codes(many)]
    assert ("A307", 8) in codes(project(ignored=frozenset({"static/site.css"})))


SECRETS = [
    ("PUSHER_SECRET: 0f1e2d3c4b5a69788796", "S001"),
    ("PUSHER_SECRET = '0f1e2d3c4b5a69788796'", "S001"),
    ("url = 'https://key:0f1e2d3c4b5a69788796@api-eu.pusher.com/apps/1'", "S001"),
    ("-----BEGIN RSA PRIVATE KEY-----", "S002"),
    ("os.environ.get('PUSHER_SECRET', '0f1e2d3c4b5a69788796')", "S001"),
    ("Pusher('1', 'key', secret='0f1e2d3c4b5a69788796')", "S001"),
    ("PUSHER_SECRET=your-secret-here", None),
    ("PUSHER_SECRET: my-secret", None),
    ("PUSHER_SECRET: sm://project/name/latest", None),
    ("PUSHER_SECRET = os.environ['X']", None),
    ("http://local-key:local-secret@127.0.0.1:6001/apps/4242", None),
    ("https://KEY:SECRET@HOST/apps/APP_ID", None),
]


@pytest.mark.parametrize(("line", "expected"), SECRETS)
def test_secrets(line: str, expected: str | None) -> None:
    """A literal secret is found and never repeated; a reference or a placeholder is left alone."""
    checked = project(settings_dot_txt=f"# settings\n{line}\n")
    found = check_project(checked, TODAY)
    assert [(f.path, f.line, f.code) for f in found] == (
        [("settings.txt", 2, expected)] if expected else []
    )
    assert all("0f1e2d3c4b5a69788796" not in finding.message for finding in found)


@pytest.mark.parametrize(
    ("path", "line", "found"),
    [
        ("Dockerfile", "ENV PUSHER_SECRET 0f1e2d3c4b5a69788796", True),
        ("config/app.properties", "PUSHER_SECRET=0f1e2d3c4b5a69788796", True),
        ("static/app.ts", "const secret = '0f1e2d3c4b5a69788796'", True),
        ("static/app.ts", "PUSHER_SECRET = secret0ofTheApp", False),
        ("README.md", "    export PUSHER_SECRET=0f1e2d3c4b5a69788796", True),
        ("README.md", "    export PUSHER_SECRET=your-secret-number-1", False),
    ],
)
def test_secrets_in_files_of_any_kind(path: str, line: str, found: bool) -> None:
    """Code needs quotes, prose a value that is no word; anything else is read as data."""
    checked = project()
    texts = {**checked.texts, path: f"{line}\n"}
    checked = replace(
        checked,
        texts=texts,
        sizes=dict.fromkeys(texts, 1),
        uploaded=frozenset(texts),
    )
    assert ("S001" in [code for code, _ in codes(checked)]) is found


def test_a_secret_under_another_name() -> None:
    """In app.yaml whatever looks like a Pusher secret is found, a key is not."""
    text = "env_variables:\n  REALTIME: 0f1e2d3c4b5a69788796\n  APP_KEY: 0f1e2d3c4b5a69788796\n"
    assert codes(project(SOUND_APP + text)) == [("S001", 12)]


def test_code_that_names_a_secret_holds_none() -> None:
    """In Python only a text in quotes is a secret."""
    routes = SOUND_FILES["main.py"]
    assert codes(project(main_dot_py=routes + "PUSHER_SECRET = SETTINGS_V2\n")) == []


def test_private_channels_need_authorization() -> None:
    """An app that names private channels and authorizes none of them is told so."""
    routes = SOUND_FILES["main.py"]
    assert ("W002", 0) in codes(project(main_dot_py=routes + "p['private-x']\n"))
    for use in (
        "p['private-x'].authenticate(s)",
        "e = FlaskEndpoints()\n@e.authorize('private-x')",
    ):
        assert codes(project(main_dot_py=f"{routes}{use}\n")) == []


def test_every_code_can_be_found_somewhere() -> None:
    """The catalogue holds no code that no rule uses."""
    from pathlib import Path

    import gae_pusher.deploy.check as package

    source = "".join(path.read_text() for path in Path(package.__file__).parent.rglob("*.py"))
    assert [code for code in CATALOGUE if f'"{code}"' not in source] == []
