"""The page that stands where a crashed app's should."""

from __future__ import annotations

from gae_pusher.emulator.appengine.pages import crash_page, crash_text

TAIL = (
    "[2026-01-01 00:00:00 +0000] [7] [ERROR] Exception in worker process",
    "Traceback (most recent call last):",
    '  File "/usr/lib/server.py", line 9, in load',
    "    load()",
    '  File "/app/board/main.py", line 1, in <module>',
    "    import <nope>",
    '  File "/usr/lib/importer.py", line 5, in find',
    "    raise",
    "SyntaxError: <nope> & more",
    "[2026-01-01 00:00:00 +0000] [7] [INFO] Worker exiting",
)


def test_output_is_escaped() -> None:
    """What an app prints is text on the page, never markup."""
    page = crash_page("gunicorn <x>", 3, TAIL, "/app")
    assert "<nope>" not in page
    assert "gunicorn &lt;x&gt;" in page
    assert "exit code 3" in page


def test_the_error_stands_out() -> None:
    """The last line of the traceback is shown above the rest."""
    page = crash_page("gunicorn", 3, TAIL, "/app")
    assert '<div class="error">SyntaxError: &lt;nope&gt; &amp; more</div>' in page


def test_the_line_of_the_app_is_named() -> None:
    """Not the server's frames around it: the last one in the app's own folder."""
    page = crash_page("gunicorn", 3, TAIL, "/app")
    place = "<b>board/main.py</b>, line 1 <span>import &lt;nope&gt;</span>"
    assert f'<div class="place">{place}</div>' in page


def test_without_a_traceback_there_is_only_the_output() -> None:
    """An app that dies silently gives a page that says so."""
    page = crash_page("gunicorn", 1, (), "/app")
    assert "It printed nothing." in page
    assert '<div class="error"></div>' in page


def test_plain_text_has_the_same_facts() -> None:
    """Command, exit code and output."""
    text = crash_text("gunicorn", 3, TAIL)
    assert text.startswith("The app did not start: gunicorn ended with exit code 3.\n")
    assert text.endswith(TAIL[-1])
