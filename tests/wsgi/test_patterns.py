"""Channel patterns: what they match, what they never match, how parameters become values."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gae_pusher.errors import ConfigurationError
from gae_pusher.names import ChannelKind
from gae_pusher.wsgi.patterns import ChannelPattern, numeric_id

ALPHABET = string.ascii_letters + string.digits + "_-=@,.;"
words = st.text(ALPHABET, min_size=1, max_size=8)


@st.composite
def patterns_and_names(draw: st.DrawFn) -> tuple[str, str, dict[str, str]]:
    """A pattern, the channel that its values make, and the values."""
    texts = draw(st.lists(words, min_size=1, max_size=4))
    ends_open = draw(st.booleans())
    pattern, name, values = texts[0], texts[0], {}
    for number, text in enumerate([*texts[1:], *([""] if ends_open else [])]):
        value = draw(words.filter(lambda word, text=text: not text or text[0] not in word))
        pattern += f"{{p{number}}}{text}"
        name += value + text
        values[f"p{number}"] = value
    return pattern, name, values


@given(patterns_and_names())
def test_matches_what_it_renders(case: tuple[str, str, dict[str, str]]) -> None:
    """A name made from a pattern gives back its very values, unless it became another kind."""
    text, name, values = case
    pattern = ChannelPattern(text)
    assume(ChannelKind.of(name) == pattern.kind)
    assert pattern.match(name) == values


@given(patterns_and_names(), st.text(ALPHABET + "#/ \n:{", max_size=30))
def test_a_match_renders_back(case: tuple[str, str, dict[str, str]], name: str) -> None:
    """Whatever matches is exactly the pattern with the values that were found put in."""
    found = ChannelPattern(case[0]).match(name)
    if found is not None:
        assert case[0].format(**found) == name


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("private-order-{id}", "private-order-5", {"id": "5"}),
        ("private-order-{id}", "private-order-550e8400-e29b", {"id": "550e8400-e29b"}),
        ("private-{team}-{board}", "private-a-b-c", {"team": "a", "board": "b-c"}),
        ("private-{team}-wall", "private-a-wall", {"team": "a"}),
        ("private-lobby", "private-lobby", {}),
        ("private-encrypted-{name}", "private-encrypted-vault", {"name": "vault"}),
    ],
)
def test_matching_names(text: str, name: str, values: dict[str, str]) -> None:
    """A parameter ends where the text after it begins; one at the end takes all the rest."""
    assert ChannelPattern(text).match(name) == values


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("private-order-{id}", "private-order-"),
        ("private-order-{id}", "xprivate-order-5"),
        ("private-order-{id}", "private-order-5\n"),
        ("private-order-{id}", "private-order-5 "),
        ("private-order-{id}", "PRIVATE-order-5"),
        ("private-{team}-wall", "private-a-wall-2"),
        ("private-{team}-wall", "private-a-b-wall"),
        ("private-lobby", "private-lobby2"),
        ("private-a.b", "private-axb"),
        ("private-{name}", "private-encrypted-vault"),
        ("private-{name}", "private-cache-board"),
        ("private-{kind}-{name}", "private-encrypted-vault"),
        ("presence-{name}", "presence-cache-board"),
        ("private-{name}", "#server-to-user-7"),
        ("private-{name}", "private-" + "x" * 200),
        ("#server-to-user-{id}", "#server-to-user-a b"),
    ],
)
def test_other_names(text: str, name: str) -> None:
    """The whole name must match, character by character, and be of the pattern's own kind."""
    assert ChannelPattern(text).match(name) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "private-{",
        "private-{}",
        "private-{1}",
        "private-{a b}",
        "private-{a:int}",
        "private-{a}{b}",
        "private-{a}-{a}",
        "private-é",
        "#server-to-user-",
        "private order",
    ],
)
def test_malformed_patterns(text: str) -> None:
    """A pattern that could match nothing, or in two ways, is refused where it is written."""
    with pytest.raises(ConfigurationError, match="pattern"):
        ChannelPattern(text)


def test_converter_of_no_parameter() -> None:
    """A converter for a parameter that the pattern lacks is refused by name."""
    with pytest.raises(ConfigurationError, match="no parameter 'order'"):
        ChannelPattern("private-{order_id}", {"order": int})


def test_converters() -> None:
    """Parameters become values; a ValueError or a None from a converter says that there is none."""
    boards = {"7": "the board"}
    pattern = ChannelPattern("private-{board}-{page}", {"board": boards.get, "page": int})
    assert pattern.convert({"board": "7", "page": "3"}) == {"board": "the board", "page": 3}
    assert pattern.convert({"board": "8", "page": "3"}) is None
    assert pattern.convert({"board": "7", "page": "three"}) is None


@given(st.integers(1, 2**63 - 1))
def test_numeric_ids(number: int) -> None:
    """Every id that Datastore gives out is read back from its decimal text."""
    assert numeric_id(str(number)) == number


@pytest.mark.parametrize(
    "text", ["0", "007", "-1", "+1", "1_0", " 1", "x", "", str(2**63), "\u0663"]
)
def test_no_numeric_ids(text: Any) -> None:
    """A second spelling of an id, or a number that Datastore cannot hold, is no id."""
    with pytest.raises(ValueError, match="id"):
        numeric_id(text)
