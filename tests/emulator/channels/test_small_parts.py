"""Silence, the log, the guard, ordered faults, JSON: small decisions, each by itself."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gae_pusher.emulator.channels import Entry, Fault, Log, Settings
from gae_pusher.emulator.channels.clock import Clock
from gae_pusher.emulator.channels.faults import Faults
from gae_pusher.emulator.channels.guard import control_refusal, reachable
from gae_pusher.emulator.channels.json_text import dumps, loads
from gae_pusher.emulator.channels.keepalive import Keepalive, Step
from gae_pusher.emulator.channels.link import pong_frame, text_frame
from gae_pusher.emulator.channels.log import LONGEST_TEXT


def test_silence_is_pinged_then_dropped() -> None:
    """60 s of silence bring a ping, 15 more the end."""
    keepalive = Keepalive(Settings(), 0)
    assert (keepalive.due(), keepalive.check(59.9)) == (60, Step.WAIT)
    assert keepalive.check(60) is Step.PING
    assert (keepalive.due(), keepalive.check(74.9)) == (75, Step.WAIT)
    assert keepalive.check(75) is Step.DROP


def test_any_frame_is_life() -> None:
    """A frame starts the silence anew, also after a ping."""
    keepalive = Keepalive(Settings(), 0)
    keepalive.check(60)
    keepalive.heard(74)
    assert keepalive.check(75) is Step.WAIT
    assert keepalive.due() == 134


def test_log_keeps_the_newest() -> None:
    """Old entries give way, and numbers go on."""
    log = Log(2)
    for number in range(3):
        log.add("event", "4242", 9.5, n=number)
    assert log.entries() == [
        Entry(2, 9.5, "event", "4242", {"n": 1}),
        Entry(3, 9.5, "event", "4242", {"n": 2}),
    ]
    assert log.entries(after=2, kind="event") == log.entries()[1:]
    assert log.entries(kind="frame") == []


def test_log_cuts_long_texts() -> None:
    """One entry cannot hold a megabyte."""
    log = Log(1)
    log.add("frame", "4242", 0, text="x" * 1_000_000)
    (entry,) = log.entries()
    assert entry.facts["text"] == "x" * LONGEST_TEXT + "… (1000000 characters)"


def test_log_tells_watchers_until_they_stop() -> None:
    """A watcher hears of every entry from then on."""
    log, seen = Log(9), []
    stop = log.watch(seen.append)
    log.add("event", "4242", 0)
    stop()
    log.add("event", "4242", 0)
    assert [entry.number for entry in seen] == [1]


@pytest.mark.parametrize(
    ("peer", "host", "origin"),
    [
        ("127.0.0.1", "localhost:6001", None),
        ("127.0.0.1", "127.0.0.1", "http://localhost:8080"),
        ("::1", "[::1]:6001", "http://[::1]:6001"),
        ("127.8.8.8", "LOCALHOST", None),
    ],
)
def test_guard_lets_this_machine_in(peer: str, host: str, origin: str | None) -> None:
    """A local page that names this machine may use the controls."""
    assert control_refusal(peer, host, origin) is None


@pytest.mark.parametrize(
    ("peer", "host", "origin"),
    [
        ("10.0.0.7", "localhost:6001", None),
        (None, "localhost:6001", None),
        ("127.0.0.1", "evil.example:6001", None),
        ("127.0.0.1", "localhost.evil.example", None),
        ("127.0.0.1", "evil.example@localhost.evil", None),
        ("127.0.0.1", None, None),
        ("127.0.0.1", "", None),
        ("127.0.0.1", "[", None),
        ("127.0.0.1", "localhost:6001", "http://evil.example"),
        ("127.0.0.1", "localhost:6001", "null"),
        ("127.0.0.1", "localhost:6001", "http://localhost.evil.example"),
    ],
)
def test_guard_keeps_others_out(peer: str | None, host: str | None, origin: str | None) -> None:
    """Other machines, rebound names and pages of other sites may not."""
    assert control_refusal(peer, host, origin) is not None


def test_addresses() -> None:
    """Where a server on all addresses is reached."""
    assert [reachable(host) for host in ("0.0.0.0", "::", "localhost", "10.0.0.7")] == [
        "127.0.0.1",
        "::1",
        "localhost",
        "10.0.0.7",
    ]


def test_faults_are_used_up() -> None:
    """So many calls suffer the fault, then none."""
    faults = Faults()
    faults.order(2, Fault(503))
    assert [faults.take().status for _ in range(3)] == [503, 503, None]


@pytest.mark.parametrize(
    "fields", [{"status": 700}, {"status": "x"}, {"delay_seconds": -1}, {"body": 3}]
)
def test_impossible_faults(fields: dict[str, object]) -> None:
    """A fault that cannot happen is refused."""
    with pytest.raises(ValueError, match="is not"):
        Fault(**fields)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is not"):
        Faults().order(-1, Fault())


def test_time_does_not_go_back() -> None:
    """The clock advances by what it is told, forward only."""
    clock = Clock()
    before = clock.now()
    clock.advance(100)
    assert 100 <= clock.now() - before < 110
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
)


@given(JSON)
def test_json_survives(value: object) -> None:
    """What was read can be written, and is the same when read again."""
    assert loads(dumps(value)) == value
    dumps(value).encode()


@pytest.mark.parametrize(
    "text", ["NaN", "-Infinity", "1e999", r'"\ud800"', r'"\uDFFF"', "1" * 5000]
)
def test_json_that_could_not_be_sent_on(text: str) -> None:
    """What has no JSON or UTF-8 form is refused where it comes in."""
    with pytest.raises(ValueError):  # noqa: PT011
        loads(text)
    assert loads(r'"\ud83c\udf89"') == "🎉"
    assert not math.isinf(loads("1e308"))


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frames_on_the_wire(size: int) -> None:
    """A text frame's head says its length in one, three or nine bytes (RFC 6455 section 5.2)."""
    frame = text_frame("x" * size)
    head = {1: frame[1], 3: int.from_bytes(frame[2:4]), 9: int.from_bytes(frame[2:10])}
    assert frame[0] == 0x81
    assert head[len(frame) - size - 1] == size
    assert pong_frame(b"hi") == b"\x8a\x02hi"
