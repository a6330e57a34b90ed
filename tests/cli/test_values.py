"""Values of options: what is none is a usage error of one line that says what is."""

from __future__ import annotations

import pytest

from gae_pusher.cli import main

WRONG = [
    (["webhooks", "listen", "--port", "99999"], "a port is a number from 0 to 65535, not '99999'"),
    (["webhooks", "listen", "--forward", "localhost"], "http://HOST/PATH, not 'localhost'"),
    (["webhooks", "replay", "f", "--forward", "ftp://x/"], "http://HOST/PATH, not 'ftp://x/'"),
    (["listen", "shop", "--auth-endpoint", "http://[x/"], "http://HOST/PATH, not 'http://[x/'"),
    (["listen", "shop", "--count", "0"], "a count is a number from 1 on, not '0'"),
    (["outbox", "list", "--limit", "-1"], "a count is a number from 1 on, not '-1'"),
    (["doctor", "--webhook", "/hook"], "http://HOST/PATH, not '/hook'"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG)
def test_a_wrong_value_is_a_usage_error(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 2, and the first of two lines says what the value should look like."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    told, _see_help = capsys.readouterr().err.splitlines()
    assert words in told
