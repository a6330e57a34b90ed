"""Every frame that the server sends has the shape that client libraries insist on."""

from __future__ import annotations

import pytest

from gae_pusher.emulator.channels import frames


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (
            frames.connection_established("5120.77341", 120),
            r'{"event":"pusher:connection_established",'
            r'"data":"{\"socket_id\":\"5120.77341\",\"activity_timeout\":120}"}',
        ),
        (
            frames.error("Existing subscription to channel shop-7"),
            '{"event":"pusher:error",'
            '"data":{"code":null,"message":"Existing subscription to channel shop-7"}}',
        ),
        (frames.pong(), '{"event":"pusher:pong","data":{}}'),
        (
            frames.event("shop-7", "paid", '{"note":"café"}'),
            r'{"event":"paid","channel":"shop-7","data":"{\"note\":\"café\"}"}',
        ),
        (
            frames.client_event("presence-room", "client-typing", '{"on":true}', "u-19"),
            r'{"event":"client-typing","channel":"presence-room","data":"{\"on\":true}","user_id":"u-19"}',
        ),
        (
            frames.client_event("private-desk", "client-typing", None, None),
            '{"event":"client-typing","channel":"private-desk"}',
        ),
        (
            frames.subscription_succeeded("shop-7"),
            '{"event":"pusher_internal:subscription_succeeded","channel":"shop-7","data":"{}"}',
        ),
        (
            frames.presence_succeeded("presence-room", {"u-19": {"name": "Ada"}, "u-20": None}),
            r'{"event":"pusher_internal:subscription_succeeded","channel":"presence-room","data":'
            r'"{\"presence\":{\"count\":2,\"ids\":[\"u-19\",\"u-20\"],'
            r'\"hash\":{\"u-19\":{\"name\":\"Ada\"},\"u-20\":null}}}"}',
        ),
        (
            frames.member_added("presence-room", "u-19", {"name": "Ada"}),
            r'{"event":"pusher_internal:member_added","channel":"presence-room",'
            r'"data":"{\"user_id\":\"u-19\",\"user_info\":{\"name\":\"Ada\"}}"}',
        ),
        (
            frames.member_removed("presence-room", "u-19"),
            r'{"event":"pusher_internal:member_removed","channel":"presence-room",'
            r'"data":"{\"user_id\":\"u-19\"}"}',
        ),
        (
            frames.subscription_count("shop-7", 12),
            r'{"event":"pusher_internal:subscription_count","channel":"shop-7",'
            r'"data":"{\"subscription_count\":12}"}',
        ),
        (
            frames.cache_miss("cache-board"),
            '{"event":"pusher:cache_miss","channel":"cache-board","data":"{}"}',
        ),
        (
            frames.signin_success('{"id":"u-19"}'),
            r'{"event":"pusher:signin_success","data":"{\"user_data\":\"{\\\"id\\\":\\\"u-19\\\"}\"}"}',
        ),
        (
            frames.watchlist_events(["u-20"], ["u-21"]),
            r'{"event":"pusher_internal:watchlist_events","data":"{\"events\":['
            r'{\"name\":\"online\",\"user_ids\":[\"u-20\"]},{\"name\":\"offline\",\"user_ids\":[\"u-21\"]}]}"}',
        ),
        (
            frames.watchlist_events([], ["u-21"]),
            r'{"event":"pusher_internal:watchlist_events","data":"{\"events\":['
            r'{\"name\":\"offline\",\"user_ids\":[\"u-21\"]}]}"}',
        ),
    ],
    ids=lambda value: value[:60],
)
def test_frame(frame: str, text: str) -> None:
    """The frame is this text, with data encoded once or twice as its event demands."""
    assert frame == text
