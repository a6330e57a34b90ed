"""Every verb's request, and everything that is refused before one is made."""

from __future__ import annotations

import copy
import json
from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import pytest

from gae_pusher import errors
from gae_pusher.config import Config
from gae_pusher.limits import Limits
from gae_pusher.sansio import encryption
from gae_pusher.sansio.operations import Plan
from gae_pusher.sansio.verbs import Verbs

KEY = bytes(range(32))
CONFIG = Config(app_id="app-id", key="k", secret="s", encryption_master_key=KEY)
VERBS = Verbs(CONFIG, lambda: bytes(24))
VAULT = "private-encrypted-vault"


def bodies(plan: Plan[Any]) -> list[Any]:
    return [json.loads(operation.body or b"null") for operation in plan.operations]


def requests(plan: Plan[Any]) -> list[tuple[str, str, dict[str, str]]]:
    return [(each.method, each.path, dict(each.params)) for each in plan.operations]


def merged(plan: Plan[Any], *answers: dict[str, Any]) -> Any:
    return plan.merge(
        [
            operation.decode(answer)
            for operation, answer in zip(plan.operations, answers, strict=True)
        ]
    )


def test_trigger() -> None:
    """One channel or many; data as JSON in a string; options only when they are given."""
    plan = VERBS.trigger("shop-7", "order-paid", {"id": 81}, "5120.77341", ["user_count"])
    assert requests(plan) == [("POST", "/apps/app-id/events", {})]
    assert bodies(plan) == [
        {
            "name": "order-paid",
            "data": '{"id":81}',
            "socket_id": "5120.77341",
            "info": "user_count",
            "channels": ["shop-7"],
        }
    ]
    assert bodies(VERBS.trigger(("a", "b"), "e", "as it is")) == [
        {"name": "e", "data": "as it is", "channels": ["a", "b"]}
    ]


@pytest.mark.parametrize("socket_id", [None, ""])
def test_an_absent_socket_id_leaves_nobody_out(socket_id: str | None) -> None:
    """An empty string is what a form gives without one, and the older modules took it so."""
    assert "socket_id" not in bodies(VERBS.trigger("c", "e", 1, socket_id))[0]
    item = {"channel": "c", "name": "e", "data": "", "socket_id": socket_id}
    assert "socket_id" not in bodies(VERBS.trigger_batch([item]))[0]["batch"][0]


def test_channels_come_from_any_iterable_and_once_each() -> None:
    """A generator works; a name that is there twice is sent once, in its first place."""
    plan = VERBS.trigger((name for name in ["b", "a", "b"]), "e", None)
    assert bodies(plan) == [{"name": "e", "data": "null", "channels": ["b", "a"]}]


def test_over_a_hundred_channels_are_split_in_order() -> None:
    """Each request has at most 100 channels; the answers become one."""
    channels = [f"c{index}" for index in range(250)]
    plan = VERBS.trigger(channels, "e", "x")
    assert [body["channels"] for body in bodies(plan)] == [
        channels[:100],
        channels[100:200],
        channels[200:],
    ]
    answers = [{"channels": {name: {"user_count": 1}}} for name in "abc"]
    assert merged(plan, *answers) == {"channels": {name: {"user_count": 1} for name in "abc"}}
    assert merged(plan, {}, {}, {}) == {}


@pytest.mark.parametrize(
    ("channels", "error"),
    [
        ([], errors.InvalidRequest),
        ((name for name in ()), errors.InvalidRequest),
        ({"c": 1}, errors.InvalidRequest),
        (b"c", errors.InvalidRequest),
        (5, errors.InvalidRequest),
        (None, errors.InvalidRequest),
        ([5], errors.InvalidChannelName),
        (["ok", "not ok"], errors.InvalidChannelName),
        ([VAULT, "c"], errors.TooManyChannels),
        ([VAULT, VAULT + "2"], errors.TooManyChannels),
        (["#server-to-user-"], errors.InvalidUserId),
    ],
)
def test_channels_that_cannot_be_triggered(channels: Any, error: type[Exception]) -> None:
    """Nothing, a dict, bytes, wrong names, and company for an encrypted channel are refused."""
    with pytest.raises(error):
        VERBS.trigger(channels, "e", "x")


@pytest.mark.parametrize(
    ("event", "socket_id", "error"),
    [
        ("pusher:x", None, errors.InvalidEventName),
        ("", None, errors.InvalidEventName),
        ("e", "5120", errors.InvalidSocketId),
        ("e", "1.2:private-x", errors.InvalidSocketId),
    ],
)
def test_wrong_names_are_refused(event: str, socket_id: str | None, error: type) -> None:
    """An event of the service and a malformed socket id never get into a request."""
    with pytest.raises(error):
        VERBS.trigger("c", event, "x", socket_id)
    with pytest.raises(error):
        VERBS.trigger_batch([{"channel": "c", "name": event, "data": "", "socket_id": socket_id}])


def test_size_is_counted_in_bytes_of_utf8() -> None:
    """5,120 times a two-byte letter fits, one letter more does not; the error has the numbers."""
    VERBS.trigger("c", "e", "é" * 5120)
    with pytest.raises(errors.PayloadTooLarge, match="'e' on 'c' has 10242 bytes") as caught:
        VERBS.trigger("c", "e", "é" * 5121)
    assert (caught.value.size, caught.value.limit) == (10_242, 10_240)


@pytest.mark.parametrize("size", [7_619, 7_620, 10_241])
def test_size_is_counted_after_encryption(size: int) -> None:
    """7,619 bytes of plaintext are the most that fits."""
    if size == 7_619:
        VERBS.trigger(VAULT, "e", "x" * size)
        return
    with pytest.raises(errors.PayloadTooLarge, match="the limit is 10240"):
        VERBS.trigger(VAULT, "e", "x" * size)


@pytest.mark.parametrize("channel", ["c", VAULT])
@pytest.mark.parametrize("data", ["\ud800", {"text": "\ud800"}])
def test_data_that_is_no_unicode_is_refused(channel: str, data: Any) -> None:
    """A lone surrogate has no UTF-8; the error names the event, on encrypted channels too."""
    with pytest.raises(errors.InvalidRequest, match=f"'e' on '{channel}' has a lone surrogate"):
        VERBS.trigger(channel, "e", data)


def test_limits_are_settings() -> None:
    """A cluster with other limits gets them: more bytes, smaller slices."""
    limits = Limits(event_data_bytes=20_000, channels_per_trigger=2, events_per_batch=1)
    verbs = Verbs(Config(app_id="1", key="k", secret="s", limits=limits), bytes)
    assert len(verbs.trigger(["a", "b", "c"], "e", "x" * 20_000).operations) == 2
    item = {"channel": "c", "name": "e", "data": ""}
    assert len(verbs.trigger_batch([item, item]).operations) == 2


def test_an_encrypted_event_is_an_envelope() -> None:
    """The plaintext of an encrypted channel is nowhere in the request, and comes back from it."""
    plan = VERBS.trigger(VAULT, "e", {"pin": "0042"})
    assert b"0042" not in (plan.operations[0].body or b"")
    assert encryption.open_envelope(VAULT, bodies(plan)[0]["data"], KEY) == '{"pin":"0042"}'


def test_batch() -> None:
    """Items in order, data as JSON, options for each item, encrypted ones beside plain ones."""
    plan = VERBS.trigger_batch(
        [
            {"channel": "a", "name": "e", "data": [1], "socket_id": "1.2", "info": "user_count"},
            {"channel": VAULT, "name": "e", "data": "plain"},
        ]
    )
    assert requests(plan) == [("POST", "/apps/app-id/batch_events", {})]
    first, second = bodies(plan)[0]["batch"]
    assert first == {
        "channel": "a",
        "name": "e",
        "data": "[1]",
        "socket_id": "1.2",
        "info": "user_count",
    }
    assert encryption.open_envelope(VAULT, second["data"], KEY) == "plain"


def test_a_batch_of_eleven_is_two_requests() -> None:
    """Ten to a request, in order, from a generator too; the answers become one list."""
    plan = VERBS.trigger_batch(
        {"channel": "c", "name": "e", "data": str(index)} for index in range(11)
    )
    sent = [[item["data"] for item in body["batch"]] for body in bodies(plan)]
    assert sent == [[str(index) for index in range(10)], ["10"]]
    counts = [{"user_count": index} for index in range(10)]
    assert merged(plan, {"batch": counts}, {"batch": [{}]}) == {"batch": [*counts, {}]}
    assert merged(plan, {}, {"batch": [{"user_count": 1}]}) == {
        "batch": [{}] * 10 + [{"user_count": 1}]
    }
    assert merged(plan, {"batch": {}}, {"batch": {}}) == {}


def test_a_batch_that_is_already_encoded() -> None:
    """The texts go out as they are, an envelope included; anything but a text is refused."""
    item = {"channel": VAULT, "name": "e", "data": '{"nonce":"a","ciphertext":"b"}'}
    assert bodies(VERBS.trigger_batch([item], True)) == [{"batch": [item]}]
    with pytest.raises(errors.InvalidRequest, match="already encoded"):
        VERBS.trigger_batch([{**item, "data": {}}], True)
    with pytest.raises(errors.PayloadTooLarge):
        VERBS.trigger_batch([{**item, "data": "x" * 10_241}], True)


@pytest.mark.parametrize(
    ("batch", "text"),
    [
        ([{"channel": "c", "name": "e"}], "item 0 of the batch has no 'data'"),
        (
            [{"channel": "c", "name": "e", "data": 1, "channels": []}],
            "item 0 of the batch has 'channels'",
        ),
        ([("c", "e", 1)], "item 0 of the batch must be a dict"),
        ({"channel": "c", "name": "e", "data": 1}, "batch must be a list"),
        ("text", "batch must be a list"),
        (7, "batch must be a list"),
    ],
)
def test_batches_that_are_no_batches(batch: Any, text: str) -> None:
    """What is missing or too much is named with the item's index."""
    with pytest.raises(errors.InvalidRequest, match=text):
        VERBS.trigger_batch(batch)


def test_nothing_of_the_caller_is_changed() -> None:
    """Lists, dicts and items are the same before and after, and may be read-only."""
    batch = [{"channel": VAULT, "name": "e", "data": {"a": [1]}, "socket_id": "", "info": ["x"]}]
    channels, data = ["a", "b", "a"], {"k": [1]}
    before = copy.deepcopy((batch, channels, data))
    VERBS.trigger_batch(batch)
    VERBS.trigger_batch(MappingProxyType(item) for item in batch)
    VERBS.trigger(channels, "e", data)
    assert (batch, channels, data) == before


def test_channels_info() -> None:
    """Prefix and attributes are parameters; PHP's empty array is an empty object."""
    plan = VERBS.channels_info("presence-", ["user_count"])
    assert requests(plan) == [
        ("GET", "/apps/app-id/channels", {"info": "user_count", "filter_by_prefix": "presence-"})
    ]
    assert requests(VERBS.channels_info()) == [("GET", "/apps/app-id/channels", {})]
    assert merged(plan, {"channels": []}) == {"channels": {}}
    assert merged(plan, {"channels": {"a": {}}}) == {"channels": {"a": {}}}


@pytest.mark.parametrize("attributes", [None, [], (), "", iter([])])
def test_no_attributes_no_parameter(attributes: Any) -> None:
    """Asking for nothing sends no empty `info`."""
    assert requests(VERBS.channel_info("c", attributes))[0][2] == {}
    assert "info" not in bodies(VERBS.trigger("c", "e", 1, info=attributes))[0]


@pytest.mark.parametrize("attributes", ["user_count,cache", ["user_count", "cache"]])
def test_channel_info(attributes: Any) -> None:
    """A list of attributes and a comma list are the same; names stand in the path as they are."""
    plan = VERBS.channel_info("cache-a=b@c,d;e.f", attributes)
    path = "/apps/app-id/channels/cache-a=b@c,d;e.f"
    assert requests(plan) == [("GET", path, {"info": "user_count,cache"})]


@pytest.mark.parametrize("channel", ["..", ".", "#server-to-user-u", "a/b", "a b"])
def test_channels_that_cannot_be_asked_about(channel: str) -> None:
    """A name that a path would change is refused before it is signed."""
    with pytest.raises(errors.InvalidChannelName):
        VERBS.channel_info(channel)


@pytest.mark.parametrize("attributes", [[5], [None], 5])
def test_attributes_are_texts(attributes: Any) -> None:
    """Anything else is refused, not written into the query."""
    with pytest.raises(errors.InvalidRequest, match="info must be a str"):
        VERBS.channels_info(None, attributes)


@pytest.mark.parametrize("prefix", [5, "\ud800"])
def test_a_prefix_is_a_text(prefix: Any) -> None:
    """A number or a lone surrogate cannot be a prefix."""
    with pytest.raises(errors.InvalidRequest, match="prefix_filter"):
        VERBS.channels_info(prefix)


def test_users_info() -> None:
    """Users exist on presence channels only; an absent list is an empty one."""
    plan = VERBS.users_info("presence-room")
    assert requests(plan) == [("GET", "/apps/app-id/channels/presence-room/users", {})]
    assert merged(plan, {}) == {"users": []}
    with pytest.raises(errors.InvalidChannelName, match="has no users"):
        VERBS.users_info("private-desk")


def test_terminate_user_connections() -> None:
    """The path holds the app, and the body is an empty object."""
    plan = VERBS.terminate_user_connections("u-19")
    assert requests(plan) == [("POST", "/apps/app-id/users/u-19/terminate_connections", {})]
    assert bodies(plan) == [{}]
    for user_id in ("..", "a/b", "", None):
        with pytest.raises(errors.InvalidUserId):
            VERBS.terminate_user_connections(user_id)  # type: ignore[arg-type]


def test_the_json_encoder_is_honoured() -> None:
    """A class of the caller writes the data, not the request around it."""

    class Sorted(json.JSONEncoder):
        def default(self, o: Any) -> Any:
            return sorted(o)

    verbs = Verbs(Config(app_id="1", key="k", secret="s", json_encoder=Sorted), bytes)
    data = OrderedDict(a={2, 1})
    assert bodies(verbs.trigger("c", "e", data)) == [
        {"name": "e", "data": '{"a":[1,2]}', "channels": ["c"]}
    ]
