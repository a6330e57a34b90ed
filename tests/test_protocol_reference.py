"""docs/protocol.md is what the code's comments cite: sections, limits and vectors agree."""

from __future__ import annotations

import json
import re
from pathlib import Path

from gae_pusher import limits
from gae_pusher.sansio.events import EVENT_TYPES

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "protocol.md").read_text()
CITATION = re.compile(r"\bsections? (\d+(?:\.\d+)?(?:(?:, | and | to )\d+(?:\.\d+)?)*)")
CITING = ("config.py", "limits.py", "names.py", "sansio", "emulator/channels", "wsgi")


def cited() -> set[str]:
    """Every section number that a comment or docstring about the protocol names."""
    files = [
        path
        for place in CITING
        for path in [ROOT / "gae_pusher" / place, *(ROOT / "gae_pusher" / place).rglob("*.py")]
        if path.suffix == ".py"
    ]
    found = {match for path in files for match in CITATION.findall(path.read_text())}
    return {number for match in found for number in re.findall(r"\d+(?:\.\d+)?", match)}


def test_every_section_that_the_code_cites_exists() -> None:
    """A reader who follows a comment finds the section."""
    sections = set(re.findall(r"^##+ (\d+(?:\.\d+)?)\.? ", PAGE, re.MULTILINE))
    assert len(cited()) > 20
    assert cited() - sections == set()


def test_the_vectors_are_those_of_the_tests() -> None:
    """What the page prints is what the tests check."""
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert json.loads(block) == json.loads((ROOT / "tests" / "vectors.json").read_text())


def test_the_limits_are_those_of_the_code() -> None:
    """The table of limits has the numbers of limits.py."""
    table = PAGE[PAGE.index("| limit |") : PAGE.index("## 1.")]
    for number in (
        limits.EVENT_DATA_BYTES,
        limits.EVENT_NAME_LENGTH,
        limits.CHANNEL_NAME_DOCUMENTED_LENGTH,
        limits.CHANNELS_PER_TRIGGER,
        limits.EVENTS_PER_BATCH,
        limits.PRESENCE_USER_ID_LENGTH,
        limits.PRESENCE_CHANNEL_DATA_BYTES,
        limits.CLIENT_EVENTS_PER_SECOND,
        limits.CACHE_SECONDS // 60,
        limits.TIMESTAMP_TOLERANCE_SECONDS,
        limits.WEBHOOK_TIMEOUT_SECONDS,
    ):
        assert re.search(rf"\b{number:,}\b", table), number


def test_every_webhook_event_is_described() -> None:
    """Each event has a row with its type."""
    for name, kind in EVENT_TYPES.items():
        assert re.search(rf"^\| `{name}` .*`{kind.__name__}` \|$", PAGE, re.MULTILINE)
