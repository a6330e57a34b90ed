"""Django: the documentation's project, and what its views do with odd requests."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import django
import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.test import Client, override_settings
from django.urls import include, path, reverse

from gae_pusher import ConfigurationError
from gae_pusher.contrib.django import DjangoEndpoints, get_pusher
from gae_pusher.limits import AUTH_FORM_BYTES, WEBHOOK_BODY_BYTES
from gae_pusher.sansio.signing import sign
from tests.contrib.support import python_blocks
from tests.wsgi.support import FORM, KEY, SECRET, SOCKET_ID, envelope, signed

PUSHER = {"app_id": "81", "key": KEY, "secret": SECRET}
OCCUPIED = {"name": "channel_occupied", "channel": "shop"}

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["testserver"],
        MIDDLEWARE=[
            "django.middleware.csrf.CsrfViewMiddleware",
            f"{__name__}.signed_in",
        ],
        PUSHER=PUSHER,
        SECRET_KEY="test",
    )
    django.setup()

realtime = DjangoEndpoints(allow_origins=["https://app.example"])
urlpatterns = [path("live/", include(realtime.urls))]


def signed_in(get_response: Any) -> Any:
    """In the place of Django's authentication, which would need a database."""

    def middleware(request: HttpRequest) -> Any:
        orders = SimpleNamespace(filter=lambda pk: SimpleNamespace(exists=lambda: pk == 5))
        known = request.COOKIES.get("user") == "ada"
        ada = SimpleNamespace(is_authenticated=True, pk=19, username="ada", orders=orders)
        request.user = ada if known else SimpleNamespace(is_authenticated=False)
        return get_response(request)

    return middleware


@realtime.authorize("private-{case}")
def rule(request: HttpRequest, case: str) -> bool:
    if case == "missing":
        raise Http404
    if case == "denied":
        raise PermissionDenied
    assert case != "broken"
    return request.POST["channel_name"] == f"private-{case}"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The files of docs/django.md, importable."""
    root = tmp_path_factory.mktemp("django")
    for block in python_blocks("django.md"):
        file = root / block.partition("\n")[0].removeprefix("# ")
        file.parent.mkdir(exist_ok=True)
        file.write_text(block)
    sys.path.insert(0, str(root))
    yield
    sys.path.remove(str(root))
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


@pytest.fixture
def documented(project: None) -> Iterator[Client]:
    """A client of the documentation's project."""
    with override_settings(ROOT_URLCONF="shop.urls"):
        yield Client(enforce_csrf_checks=True)


@pytest.fixture
def client() -> Iterator[Client]:
    """A client of this module's project."""
    with override_settings(ROOT_URLCONF=__name__):
        yield Client(enforce_csrf_checks=True)


def ask(client: Client, where: str = "/live/auth", **fields: str) -> Any:
    form = {"socket_id": SOCKET_ID} | fields
    return client.post(where, "&".join(f"{k}={v}" for k, v in form.items()), content_type=FORM)


def test_documented_settings(project: None) -> None:
    """The documentation's PUSHER is accepted, and there is one Pusher for it."""
    from shop import settings as documented_settings

    with override_settings(PUSHER=documented_settings.PUSHER):
        assert get_pusher().host == "api-eu.pusher.com"
        assert get_pusher() is get_pusher()
    assert get_pusher().key == KEY


def test_documented_authorization(documented: Client) -> None:
    """Rules see the signed-in user; the token is for the connection that asked."""
    form = {"channel_name": "private-order-5"}
    assert ask(documented, "/pusher/auth", **form).status_code == 403
    documented.cookies["user"] = "ada"
    answer = ask(documented, "/pusher/auth", **form)
    assert answer.json() == {"auth": f"{KEY}:{sign(SECRET, f'{SOCKET_ID}:private-order-5')}"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert ask(documented, "/pusher/auth", channel_name="private-order-6").status_code == 403
    member = ask(documented, "/pusher/auth", channel_name="presence-lobby").json()
    assert json.loads(member["channel_data"]) == {"user_id": "19", "user_info": {"name": "ada"}}


def test_documented_user(documented: Client) -> None:
    """The user function sees the signed-in user."""
    assert ask(documented, "/pusher/user-auth").status_code == 403
    documented.cookies["user"] = "ada"
    assert json.loads(ask(documented, "/pusher/user-auth").json()["user_data"]) == {"id": "19"}


def test_documented_webhook(documented: Client) -> None:
    """A signed webhook reaches its handler without a CSRF token, another one is a 401."""
    from shop.realtime import occupied

    body = envelope(OCCUPIED)
    where = reverse("pusher-webhook")
    kind = "application/json"
    refused = documented.post(where, body, content_type=kind, headers=signed(body, secret="x"))
    assert (refused.status_code, occupied) == (401, set())
    answer = documented.post(where, body, content_type=kind, headers=signed(body))
    assert (answer.status_code, occupied) == (200, {"shop"})


@pytest.mark.parametrize(
    ("case", "status"), [("fine", 200), ("missing", 403), ("denied", 403), ("broken", 500)]
)
def test_djangos_own_exceptions(client: Client, case: str, status: int) -> None:
    """Http404 and PermissionDenied in a rule refuse; any other exception is a 500."""
    assert ask(client, channel_name=f"private-{case}").status_code == status


def test_methods(client: Client) -> None:
    """GET is a 405 with Allow; OPTIONS is a preflight for a listed origin."""
    answer = client.get("/live/auth")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    answer = client.options("/live/auth", headers={"Origin": "https://app.example"})
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"


def test_odd_forms(client: Client) -> None:
    """Doubled fields, too many, no form, too large: each is refused as over plain WSGI."""
    body = f"socket_id={SOCKET_ID}&channel_name=private-fine"
    for odd, kind, status in (
        (f"{body}&channel_name=private-denied", FORM, 400),
        (body + "&a=b" * 2_000, FORM, 400),
        (body, "text/plain", 415),
        (body, "multipart/form-data; boundary=x", 415),
        ("x=", FORM, 400),
        (body + "x" * AUTH_FORM_BYTES, FORM, 413),
    ):
        assert client.post("/live/auth", odd, content_type=kind).status_code == status


def test_oversize_webhook(client: Client) -> None:
    """A webhook over our cap, or over Django's own lower one, is a 413; without a length 411."""
    body = envelope(OCCUPIED)
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=len(body) - 1):
        answer = client.post("/live/webhook", body, "application/json", headers=signed(body))
    assert answer.status_code == 413
    large = b" " * (WEBHOOK_BODY_BYTES + 1)
    assert client.post("/live/webhook", large, "application/json").status_code == 413
    assert client.generic("POST", "/live/webhook").status_code == 411


def test_pusher_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """PUSHER goes before PUSHER_URL, that before the environment; data is encoded Django's way."""
    monkeypatch.setenv("PUSHER_URL", "https://k:s@env.example/apps/1")
    with override_settings(PUSHER_URL="https://k:s@url.example/apps/1"):
        assert get_pusher().host == "api.pusherapp.com"
        with override_settings(PUSHER=None):
            assert get_pusher().host == "url.example"
    with override_settings(PUSHER=None):
        pusher = get_pusher()
        assert pusher.host == "env.example"
    assert "2026" in pusher.config.json_encoder().encode(datetime.date(2026, 1, 2))
    with override_settings(PUSHER=PUSHER | {"json_encoder": json.JSONEncoder}):
        assert get_pusher().config.json_encoder is json.JSONEncoder
    with override_settings(PUSHER=PUSHER | {"encoder": json.JSONEncoder}):
        assert get_pusher().config.json_encoder is json.JSONEncoder
    with override_settings(PUSHER="https://k:s@url.example/apps/1"):
        with pytest.raises(ConfigurationError, match="must be a dict") as caught:
            get_pusher()
        assert "s@" not in str(caught.value)


def test_files_of_the_page() -> None:
    """Each block of the page says which file it is."""
    names = [
        Path(block.partition("\n")[0].removeprefix("# ")) for block in python_blocks("django.md")
    ]
    assert [name.suffix for name in names] == [".py"] * 4
