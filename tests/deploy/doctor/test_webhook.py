"""Does an app take signed webhooks, and only those?"""

from __future__ import annotations

from gae_pusher import Pusher, WebhookApp
from gae_pusher.deploy.doctor.webhook import ask_webhook
from tests.serving import serving

PUSHER = Pusher.from_url("http://key:secret@127.0.0.1:9/apps/1")


def answering(status: str):  # type: ignore[no-untyped-def]
    def application(environ, start_response):  # type: ignore[no-untyped-def]
        start_response(status, [("Content-Length", "0")])
        return []

    return application


def test_a_sound_endpoint() -> None:
    """It takes the signed one and refuses the other."""
    with serving(WebhookApp(PUSHER)) as url:
        assert [outcome.ok for outcome in ask_webhook(url, PUSHER)] == [True, True]


def test_another_secret() -> None:
    """The app that serves may have other credentials than this environment."""
    other = Pusher.from_url("http://key:other@127.0.0.1:9/apps/1")
    with serving(WebhookApp(other)) as url:
        signed, unsigned = ask_webhook(url, PUSHER)
    assert (signed.ok, unsigned.ok) == (False, None)
    assert "another key or secret" in signed.do


def test_an_endpoint_that_takes_everything() -> None:
    """An app that does not verify is a failure: anybody can forge its webhooks."""
    with serving(answering("200 OK")) as url:
        signed, unsigned = ask_webhook(url, PUSHER)
    assert (signed.ok, unsigned.ok) == (True, False)
    assert "forge" in unsigned.do


def test_no_endpoint() -> None:
    """A 404, a redirect and a closed port each say what to do or what happened."""
    with serving(answering("404 Not Found")) as url:
        assert "Mount" in next(ask_webhook(url, PUSHER)).do
    with serving(answering("302 Found")) as url:
        assert "redirects" in next(ask_webhook(url, PUSHER)).do
    signed, unsigned = ask_webhook("http://127.0.0.1:9/", PUSHER)
    assert (signed.ok, unsigned.ok) == (False, None)
