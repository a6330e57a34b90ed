"""ChannelAuthorizationApp: a token only where a rule says yes."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import ndb
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher import ChannelAuthorizationApp, ConfigurationError
from gae_pusher.limits import AUTH_FORM_BYTES
from gae_pusher.sansio.signing import sign
from gae_pusher.wsgi.patterns import numeric_id
from gae_pusher.wsgi.request import BrowserRequest
from tests.wsgi.support import FORM, KEY, SECRET, SOCKET_ID, Input, call, client, make_pusher


@pytest.fixture
def channels() -> ChannelAuthorizationApp:
    return ChannelAuthorizationApp(make_pusher())


def ask(
    app: ChannelAuthorizationApp, channel: str = "private-order-5", status: int = 200, **fields: str
) -> Any:
    form = {"socket_id": SOCKET_ID, "channel_name": channel, **fields}
    return client(app).post("/", form, status=status)


def token(text: str) -> str:
    return f"{KEY}:{sign(SECRET, text)}"


def test_private_channel(channels: ChannelAuthorizationApp) -> None:
    """A rule that says True gives a token for this connection and this channel, never cached."""
    channels.authorize("private-order-{order_id}")(lambda request, order_id: order_id == "5")
    answer = ask(channels)
    assert answer.json == {"auth": token(f"{SOCKET_ID}:private-order-5")}
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers
    ask(channels, "private-order-6", status=403)


def test_presence_channel(channels: ChannelAuthorizationApp) -> None:
    """A rule that returns a dict names the member; the text that was signed is the text sent."""

    @channels.authorize("presence-board-{board}")
    def member(request: BrowserRequest, board: str) -> dict[str, Any]:
        return {"user_id": "u-19", "user_info": {"name": "Adé", "board": board}}

    answer = ask(channels, "presence-board-7").json
    assert json.loads(answer["channel_data"])["user_info"] == {"name": "Adé", "board": "7"}
    assert answer["auth"] == token(f"{SOCKET_ID}:presence-board-7:{answer['channel_data']}")


def test_presence_channel_of_a_signed_in_user(channels: ChannelAuthorizationApp) -> None:
    """True for a presence channel gives a token without channel_data, as a signed-in user needs."""
    channels.authorize("presence-lobby")(lambda request: True)
    answer = ask(channels, "presence-lobby").json
    assert answer == {"auth": token(f"{SOCKET_ID}:presence-lobby")}


def test_encrypted_channel() -> None:
    """An encrypted channel's answer brings the channel's shared secret."""
    key = base64.b64encode(b"k" * 32).decode()
    channels = ChannelAuthorizationApp(make_pusher(encryption_master_key_base64=key))
    channels.authorize("private-encrypted-{name}")(lambda request, name: True)
    answer = ask(channels, "private-encrypted-vault").json
    assert answer["auth"] == token(f"{SOCKET_ID}:private-encrypted-vault")
    assert len(base64.b64decode(answer["shared_secret"])) == 32


def test_request_that_a_rule_sees(channels: ChannelAuthorizationApp) -> None:
    """A rule sees headers, cookies, further form fields and what the token is to be for."""
    seen: list[BrowserRequest] = []
    channels.authorize("private-order-{order_id}")(
        lambda request, order_id: seen.append(request) or True
    )
    headers = {"Authorization": "Bearer b", "Cookie": 'session="s=1"; a(b=2; odd; session=later'}
    form = {"socket_id": SOCKET_ID, "channel_name": "private-order-5", "team": "red"}
    client(channels).post("/", form, headers=headers, extra_environ={"app.user": "u-19"})
    [request] = seen
    assert (request.socket_id, request.channel) == (SOCKET_ID, "private-order-5")
    assert request.form["team"] == "red"
    assert request.header("Authorization") == "Bearer b"
    assert request.header("X-Absent") is None
    assert request.header("Content-Type") == FORM
    assert request.cookies == {"session": "s=1", "a(b": "2", "odd": ""}
    assert request.environ["app.user"] == "u-19"
    assert "Bearer" not in repr(request)


@pytest.mark.parametrize("verdict", [False, None, {}, 0, ""])
def test_refusing_rule(channels: ChannelAuthorizationApp, verdict: object) -> None:
    """A false value of any kind is a 403."""
    channels.authorize("private-order-{order_id}")(lambda request, order_id: verdict)
    ask(channels, status=403)


def test_no_rule(channels: ChannelAuthorizationApp, caplog: pytest.LogCaptureFixture) -> None:
    """A channel without a rule is refused, and the log says that a rule is missing."""
    ask(channels, status=403)
    assert "no rule matches channel private-order-5" in caplog.text


def test_rule_is_not_for_encrypted_channels(channels: ChannelAuthorizationApp) -> None:
    """A rule for 'private-{name}' does not hand out the secrets of encrypted channels."""
    channels.authorize("private-{name}")(lambda request, name: True)
    ask(channels, "private-encrypted-vault", status=403)
    ask(channels, "private-vault")


def test_first_rule_decides_alone(channels: ChannelAuthorizationApp) -> None:
    """Of several patterns that match, the first registered one decides, also when it refuses."""
    channels.authorize("private-order-{id}", id=numeric_id)(lambda request, id: id == 5)
    channels.authorize("private-{anything}")(lambda request, anything: True)
    ask(channels, "private-order-5")
    ask(channels, "private-order-6", status=403)
    ask(channels, "private-order-x", status=403)
    ask(channels, "private-invoice-x")


class Order(ndb.Model):
    owner = ndb.StringProperty()


def order_key(text: str) -> ndb.Key:
    return ndb.Key(Order, numeric_id(text))


def test_parameter_bound_to_an_ndb_key(channels: ChannelAuthorizationApp) -> None:
    """A converter turns a parameter into an NDB key, and a tasklet may be the rule."""

    @channels.authorize("private-order-{order}", order=order_key)
    @ndb.tasklet
    def may_read(request: BrowserRequest, order: ndb.Key) -> Any:
        yield ndb.sleep(0)
        raise ndb.Return(order == ndb.Key(Order, 5))

    with ndb.Client(project="demo", credentials=AnonymousCredentials()).context():
        ask(channels, "private-order-5")
        ask(channels, "private-order-6", status=403)
        ask(channels, "private-order-five", status=403)
        ask(channels, f"private-order-{2**63}", status=403)


@pytest.mark.parametrize("verdict", [1, "yes", [1], object()])
def test_odd_verdict(
    channels: ChannelAuthorizationApp, verdict: object, caplog: pytest.LogCaptureFixture
) -> None:
    """Only True and a dict are a yes: anything else that is true is the rule's bug, a 500."""
    channels.authorize("private-order-{order_id}")(lambda request, order_id: verdict)
    ask(channels, status=500)
    assert "return True, a dict with user_id, or nothing" in caplog.text


def test_failing_rule(channels: ChannelAuthorizationApp, caplog: pytest.LogCaptureFixture) -> None:
    """A rule that raises is a 500, logged with its traceback; the browser learns nothing."""

    @channels.authorize("private-order-{order_id}")
    def broken(request: BrowserRequest, order_id: str) -> bool:
        raise LookupError("table orders")

    answer = ask(channels, status=500)
    assert "orders" not in answer.text
    assert "LookupError: table orders" in caplog.text
    assert SECRET not in caplog.text
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "body",
    [
        "",
        f"socket_id={SOCKET_ID}",
        "channel_name=private-order-5",
        f"socket_id={SOCKET_ID}&channel_name=shop",
        f"socket_id={SOCKET_ID}&channel_name=%23server-to-user-7",
        f"socket_id={SOCKET_ID}&channel_name=%23server-to-user-",
        f"socket_id={SOCKET_ID}&channel_name=%23server-to-user-a%20b",
        f"socket_id={SOCKET_ID}&channel_name=private-order%205",
        f"socket_id={SOCKET_ID}&channel_name=private-order-5%0A",
        f"socket_id={SOCKET_ID}&channel_name=private-{'x' * 200}",
        f"socket_id={SOCKET_ID}&channel_name=%FF",
        f"socket_id={SOCKET_ID}&channel_name=private-order-5&channel_name=private-order-6",
        f"socket_id={SOCKET_ID}&socket_id=1.1&channel_name=private-order-5",
        "socket_id=5120.77341%0A&channel_name=private-order-5",
        "socket_id=5120:user&channel_name=private-order-5",
        "&".join(["a=b"] * 101) + f"&socket_id={SOCKET_ID}&channel_name=private-order-5",
    ],
)
def test_bad_names(channels: ChannelAuthorizationApp, body: str) -> None:
    """A missing, doubled or malformed field is a 400, whatever the rules say."""
    channels.authorize("private-order-{order_id}")(lambda request, order_id: True)
    client(channels).post("/", body, content_type=FORM, status=400)


def test_other_kinds_of_body(channels: ChannelAuthorizationApp) -> None:
    """Only a urlencoded form is read; its parameters are no matter."""
    channels.authorize("private-order-{order_id}")(lambda request, order_id: True)
    body = f"socket_id={SOCKET_ID}&channel_name=private-order-5"
    client(channels).post("/", body, content_type="application/json", status=415)
    client(channels).post("/", body, content_type=f"{FORM}; charset=UTF-8", status=200)


def test_form_at_the_cap(channels: ChannelAuthorizationApp) -> None:
    """A form of exactly the cap is read, one byte more is a 413 and unread."""
    channels.authorize("private-order-{order_id}")(lambda request, order_id: True)
    form = f"socket_id={SOCKET_ID}&channel_name=private-order-5&x=".encode()
    form += b"x" * (AUTH_FORM_BYTES - len(form))
    client(channels).post("/", form, content_type=FORM, status=200)
    stream = Input(form + b"x")
    status, _, _ = call(
        channels,
        REQUEST_METHOD="POST",
        CONTENT_TYPE=FORM,
        CONTENT_LENGTH=str(len(form) + 1),
        **{"wsgi.input": stream},
    )
    assert (status, stream.asked) == (413, 0)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT"])
def test_other_methods(channels: ChannelAuthorizationApp, method: str) -> None:
    """Every method but POST is a 405: JSONP's GET too, which every site could read."""
    query = f"?callback=Pusher.auth_callbacks['0']&socket_id={SOCKET_ID}&channel_name=private-a"
    answer = client(channels).request(f"/{query}", method=method, status=405)
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("pattern", ["shop-{name}", "{name}", "#server-to-user-{id}", "cache-{id}"])
def test_public_pattern(channels: ChannelAuthorizationApp, pattern: str) -> None:
    """A rule for channels that need no authorization, or must never get one, is refused."""
    with pytest.raises(ConfigurationError, match="must start with"):
        channels.authorize(pattern)


def test_second_rule_for_a_pattern(channels: ChannelAuthorizationApp) -> None:
    """A rule that could never be asked is refused, whatever its parameters are called."""
    channels.authorize("private-order-{order_id}")(lambda request, order_id: True)
    with pytest.raises(ConfigurationError, match="has a rule already"):
        channels.authorize("private-order-{number}")


def test_coroutine_function(channels: ChannelAuthorizationApp) -> None:
    """An async def is refused where it is registered."""

    async def rule(request: BrowserRequest) -> bool:
        return True

    with pytest.raises(ConfigurationError, match="async def"):
        channels.authorize("private-lobby")(rule)


@given(
    body=st.binary(max_size=120)
    | st.tuples(st.text(max_size=30), st.text(max_size=60)).map(
        lambda pair: f"socket_id={quote(pair[0])}&channel_name={quote(pair[1])}".encode()
    )
    | st.from_regex(r"socket_id=[0-9.]{1,6}&channel_name=(private|presence)-[!-~]*").map(
        str.encode
    ),
    cookie=st.text(st.characters(max_codepoint=255), max_size=60),
    origin=st.none() | st.text(st.characters(max_codepoint=255), max_size=30),
)
def test_hostile_forms(body: bytes, cookie: str, origin: str | None) -> None:
    """A form is refused, or its token is for the very names that the rule was asked about."""
    asked: list[str] = []

    def rule(request: BrowserRequest, **_: str) -> bool:
        assert request.cookies is not None
        asked.append(f"{request.socket_id}:{request.channel}")
        return True

    channels = ChannelAuthorizationApp(make_pusher(), allow_origins=["https://app.example"])
    for pattern in ("private-{rest}", "presence-{rest}"):
        channels.authorize(pattern)(rule)
    environ = {"HTTP_COOKIE": cookie} | ({} if origin is None else {"HTTP_ORIGIN": origin})
    status, headers, answer = call(
        channels,
        REQUEST_METHOD="POST",
        CONTENT_TYPE=FORM,
        CONTENT_LENGTH=str(len(body)),
        **{"wsgi.input": Input(body)},
        **environ,
    )
    assert status in (200, 400, 403)
    assert origin == "https://app.example" or "Access-Control-Allow-Origin" not in headers
    if status == 200:
        assert json.loads(answer) == {"auth": token(asked[0])}
