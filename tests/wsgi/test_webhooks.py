"""WebhookApp: authentic webhooks reach their handlers, everything else is refused."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import ndb
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher import (
    ChannelOccupied,
    ChannelVacated,
    ClientEvent,
    ConfigurationError,
    MemberAdded,
    SubscriptionCount,
    UnknownEvent,
    WebhookApp,
)
from gae_pusher.limits import WEBHOOK_BODY_BYTES
from gae_pusher.wsgi.patterns import numeric_id
from tests.wsgi.support import (
    KEY,
    SECRET,
    Input,
    call,
    client,
    deliver,
    envelope,
    make_pusher,
    signed,
)

OCCUPIED = {"name": "channel_occupied", "channel": "presence-board-7"}
VACATED = {"name": "channel_vacated", "channel": "shop"}
NEWER = {"name": "channel_renamed", "channel": "shop", "to": "store"}


@pytest.fixture
def webhooks() -> WebhookApp:
    return WebhookApp(make_pusher())


@pytest.fixture
def heard(webhooks: WebhookApp) -> list[Any]:
    """Every event that gets through."""
    events: list[Any] = []
    webhooks.on()(events.append)
    return events


def test_handlers_get_typed_events(webhooks: WebhookApp) -> None:
    """A class and a name register alike: both handlers get the typed event, in order."""
    heard: list[Any] = []
    webhooks.on(ChannelOccupied)(lambda event: heard.append(("class", event)))
    webhooks.on("channel_occupied")(lambda event: heard.append(("name", event)))
    webhooks.on(ChannelVacated)(lambda event: heard.append(("other", event)))
    deliver(webhooks, OCCUPIED, VACATED)
    occupied = ChannelOccupied("presence-board-7")
    assert heard == [
        ("class", occupied),
        ("name", occupied),
        ("other", ChannelVacated("shop")),
    ]


def test_unknown_events(webhooks: WebhookApp, heard: list[Any]) -> None:
    """An event of a later day goes to its name, to UnknownEvent and to the catch-all."""
    named: list[Any] = []
    webhooks.on("channel_renamed")(named.append)
    webhooks.on(UnknownEvent)(named.append)
    webhooks.on("channel_split")(named.append)
    deliver(webhooks, NEWER)
    event = UnknownEvent("channel_renamed", NEWER)
    assert named == [event, event]
    assert heard == [event]


def test_known_name_in_an_unknown_shape(webhooks: WebhookApp, heard: list[Any]) -> None:
    """A handler of 'channel_occupied' never sees one without a channel: only the catch-all does."""
    webhooks.on("channel_occupied")(lambda event: pytest.fail("not typed"))
    deliver(webhooks, {"name": "channel_occupied"})
    assert heard == [UnknownEvent("channel_occupied", {"name": "channel_occupied"})]


def test_channel_filter(webhooks: WebhookApp) -> None:
    """A handler with a pattern gets only events of matching channels, and the parameters."""
    boards: list[Any] = []

    @webhooks.on(ChannelOccupied, channel="presence-board-{board_id}", board_id=numeric_id)
    def occupied(event: ChannelOccupied, board_id: int) -> None:
        boards.append((event.channel, board_id))

    deliver(
        webhooks,
        OCCUPIED,
        OCCUPIED | {"channel": "presence-board-x"},
        OCCUPIED | {"channel": "presence-desk-7"},
        VACATED | {"channel": "presence-board-7"},
    )
    assert boards == [("presence-board-7", 7)]


def test_every_known_event_arrives(webhooks: WebhookApp, heard: list[Any]) -> None:
    """Member, client and count events arrive with all their fields."""
    deliver(
        webhooks,
        {"name": "member_added", "channel": "presence-a", "user_id": "7"},
        {"name": "subscription_count", "channel": "a", "subscription_count": 3},
        {
            "name": "client_event",
            "channel": "private-a",
            "event": "client-x",
            "data": "{}",
            "socket_id": "1.2",
        },
    )
    assert heard == [
        MemberAdded("presence-a", "7"),
        SubscriptionCount("a", 3),
        ClientEvent("private-a", "client-x", "{}", "1.2"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"X-Pusher-Signature": "0" * 64},
        {"X-Pusher-Signature": ""},
        {"X-Pusher-Signature": None},
        {"X-Pusher-Signature": "\xe9" * 64},
        {"X-Pusher-Key": "another"},
        {"X-Pusher-Key": None},
    ],
)
def test_not_authentic(
    webhooks: WebhookApp, heard: list[Any], change: dict[str, str | None]
) -> None:
    """A wrong or missing key or signature is a 401 in one short line, the same for each."""
    body = envelope(OCCUPIED)
    headers = {name: value for name, value in (signed(body) | change).items() if value is not None}
    answer = client(webhooks).post("/", body, headers=headers, status=401)
    assert answer.text == "not an authentic webhook\n"
    assert heard == []


def test_altered_body(webhooks: WebhookApp, heard: list[Any]) -> None:
    """One changed byte of the body is a 401."""
    body = envelope(OCCUPIED)
    client(webhooks).post("/", body.replace(b"7", b"8"), headers=signed(body), status=401)
    assert heard == []


@pytest.mark.parametrize("age_seconds", [601, -601])
def test_stale(webhooks: WebhookApp, heard: list[Any], age_seconds: int) -> None:
    """A replay from outside the ten minutes is a 401; within them a retry is fine."""
    body = envelope(OCCUPIED, age_seconds=age_seconds)
    client(webhooks).post("/", body, headers=signed(body), status=401)
    assert heard == []
    body = envelope(OCCUPIED, age_seconds=300)
    client(webhooks).post("/", body, headers=signed(body), status=200)


def test_former_key() -> None:
    """While keys rotate, a webhook signed with the former key is still accepted."""
    webhooks = WebhookApp(make_pusher(former_keys={"old-key": "old-secret"}))
    body = envelope(OCCUPIED)
    client(webhooks).post("/", body, headers=signed(body, "old-key", "old-secret"), status=200)
    client(webhooks).post("/", body, headers=signed(body, "old-key", SECRET), status=401)


def test_pusher_from_a_function() -> None:
    """A function in the place of the Pusher is asked for each request."""
    asked: list[int] = []

    def current() -> Any:
        asked.append(1)
        return make_pusher()

    webhooks = WebhookApp(current)
    deliver(webhooks, OCCUPIED)
    deliver(webhooks, OCCUPIED)
    assert len(asked) == 2


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"time_ms":"1","events":[]}', b"\xff\xfe"])
def test_malformed(webhooks: WebhookApp, body: bytes) -> None:
    """A signed body that is no webhook is a 400."""
    client(webhooks).post("/", body, headers=signed(body), status=400)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_methods(webhooks: WebhookApp, method: str) -> None:
    """Every method but POST is a 405 that names POST, and HEAD's answer has no body."""
    answer = client(webhooks).request("/", method=method, status=405)
    assert answer.headers["Allow"] == "POST"
    assert method != "HEAD" or answer.body == b""


def test_body_at_the_cap(webhooks: WebhookApp, heard: list[Any]) -> None:
    """A webhook of exactly the cap is handled, one byte more is a 413 and unread."""
    body = envelope(OCCUPIED)
    body += b" " * (WEBHOOK_BODY_BYTES - len(body))
    client(webhooks).post("/", body, headers=signed(body), status=200)
    stream = Input(body + b" ")
    status, _, _ = call(
        webhooks,
        REQUEST_METHOD="POST",
        CONTENT_LENGTH=str(len(body) + 1),
        **{"wsgi.input": stream},
    )
    assert (status, stream.asked, len(heard)) == (413, 0, 1)


@pytest.mark.parametrize(("difference", "status"), [(-1, 401), (1, 400)])
def test_lying_length(webhooks: WebhookApp, difference: int, status: int) -> None:
    """A length that is too small breaks the signature, one that is too large is a 400."""
    body = envelope(OCCUPIED)
    heard, _, _ = call(
        webhooks,
        REQUEST_METHOD="POST",
        CONTENT_LENGTH=str(len(body) + difference),
        HTTP_X_PUSHER_KEY=KEY,
        HTTP_X_PUSHER_SIGNATURE=signed(body)["X-Pusher-Signature"],
        **{"wsgi.input": Input(body)},
    )
    assert heard == status


def test_failing_handler(
    webhooks: WebhookApp, heard: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """A failing handler is a 500 after every other handler ran, logged without any payload."""
    client_event = {
        "name": "client_event",
        "channel": "private-a",
        "event": "client-x",
        "data": "hush-payload",
        "socket_id": "1.2",
    }

    @webhooks.on(ClientEvent)
    def broken(event: ClientEvent) -> None:
        raise LookupError("no such row")

    webhooks.on(ClientEvent)(heard.append)
    deliver(webhooks, client_event, VACATED, status=500)
    assert [type(event) for event in heard] == [ClientEvent, ClientEvent, ChannelVacated]
    assert "'client_event'" in caplog.text
    assert "LookupError: no such row" in caplog.text
    assert "hush-payload" not in caplog.text
    assert SECRET not in caplog.text


def test_failing_converter(webhooks: WebhookApp) -> None:
    """A converter that breaks is a handler that breaks: Pusher is to try again."""

    def broken(text: str) -> int:
        raise LookupError(text)

    webhooks.on(channel="{name}", name=broken)(print)
    deliver(webhooks, VACATED, status=500)


def test_refusals_are_logged_without_secrets(
    webhooks: WebhookApp, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says why a webhook was refused, without secret, signature or body."""
    body = envelope({"name": "hush-payload"})
    signature = signed(body, secret="wrong")["X-Pusher-Signature"]
    client(webhooks).post("/", body, headers=signed(body, secret="wrong"), status=401)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "X-Pusher-Signature is not the signature of this body" in caplog.text
    for private in (SECRET, signature, "hush-payload"):
        assert private not in caplog.text


def test_tasklet_as_a_handler(webhooks: WebhookApp) -> None:
    """An NDB tasklet is waited for, and its error counts as the handler's."""
    heard: list[Any] = []

    @webhooks.on(ChannelOccupied)
    @ndb.tasklet
    def occupied(event: ChannelOccupied) -> Any:
        yield ndb.sleep(0)
        heard.append(event)

    @webhooks.on(ChannelVacated)
    @ndb.tasklet
    def vacated(event: ChannelVacated) -> Any:
        yield ndb.sleep(0)
        raise LookupError

    with ndb.Client(project="demo", credentials=AnonymousCredentials()).context():
        deliver(webhooks, OCCUPIED)
        assert heard == [ChannelOccupied("presence-board-7")]
        deliver(webhooks, VACATED, status=500)


def test_what_cannot_be_registered(webhooks: WebhookApp) -> None:
    """A coroutine function, a class that is no event and stray converters are refused at once."""

    async def never_awaited(event: Any) -> None: ...

    with pytest.raises(ConfigurationError, match="async def"):
        webhooks.on(ChannelOccupied)(never_awaited)
    with pytest.raises(ConfigurationError, match="no webhook event"):
        webhooks.on(dict)
    with pytest.raises(ConfigurationError, match="channel="):
        webhooks.on(ChannelOccupied, board_id=int)
    with pytest.raises(ConfigurationError, match="no Pusher"):
        WebhookApp("https://key:secret@host/apps/1")  # type: ignore[arg-type]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
header_texts = st.text(st.characters(max_codepoint=255), max_size=80)


@given(
    body=st.binary(max_size=200),
    key=st.none() | st.just(KEY) | header_texts,
    signature=st.none() | header_texts,
    length=st.none() | st.integers(-5, 300).map(str) | header_texts,
    chunked=st.booleans(),
    terminated=st.booleans(),
)
def test_hostile_requests(
    body: bytes,
    key: str | None,
    signature: str | None,
    length: str | None,
    chunked: bool,
    terminated: bool,
) -> None:
    """No request without a true signature gets anything but a refusal, never a 500."""
    environ = {
        "REQUEST_METHOD": "POST",
        "wsgi.input": Input(body),
        "wsgi.input_terminated": terminated,
        "CONTENT_LENGTH": length,
        "HTTP_X_PUSHER_KEY": key,
        "HTTP_X_PUSHER_SIGNATURE": signature,
        "HTTP_TRANSFER_ENCODING": "chunked" if chunked else None,
    }
    given_environ = {name: value for name, value in environ.items() if value is not None}
    status, _, _ = call(WebhookApp(make_pusher()), **given_environ)
    assert status in (400, 401, 411, 413)


@given(st.lists(json_values, max_size=4), st.booleans())
def test_odd_signed_events(events: list[Any], named: bool) -> None:
    """Whatever JSON the service signs is handled or refused as malformed, never a 500."""
    heard: list[Any] = []
    webhooks = WebhookApp(make_pusher())
    webhooks.on()(heard.append)
    webhooks.on("channel_occupied", channel="{name}")(lambda event, name: heard.append(event))
    if named:
        events = [{"name": "channel_occupied", "channel": event} for event in events]
    body = envelope(*events)
    answer = client(webhooks).post("/", body, headers=signed(body), expect_errors=True)
    assert answer.status_int in (200, 400)
    assert (answer.status_int == 200) == all(isinstance(event, dict) for event in events)
