"""The whole road: from a hand in one window, through App Engine code, to the other window."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.browser.chromium import PHONE, Window
from tests.browser.dev import Dev

NewWindow = Callable[..., Window]

LIVE = "#status[data-state=connected]"


@pytest.fixture
def board(enter: NewWindow) -> str:
    """A new board's path; whoever made it has left again."""
    window = enter("Owner", "slate")
    window.do("fill", "#title", "Launch")
    window.do("click", "text=Create")
    window.do("waitForSelector", "#board")
    path = window.do("evaluate", "location.pathname")
    window.close()
    return path


@pytest.fixture
def ada(enter: NewWindow, board: str) -> Iterator[Window]:
    """Ada's laptop, on the board. Nothing may go wrong in it unseen."""
    window = enter("Ada", "teal", board)
    window.see(LIVE)
    yield window
    assert window.complaints() == []


@pytest.fixture
def grace(enter: NewWindow, board: str) -> Iterator[Window]:
    """Grace's phone, on the board."""
    window = enter("Grace", "plum", board, **PHONE)
    window.see(LIVE)
    yield window
    assert window.complaints() == []


def add(window: Window, text: str, column: str = "todo") -> None:
    window.do("fill", f"#new-{column}", text)
    window.do("press", f"#new-{column}", "Enter")


def card(text: str, column: str = "todo") -> str:
    """The selector of a card with this text in this column."""
    return f'.column[data-column={column}] .card:has(.text:text-is("{text}"))'


def texts(window: Window, column: str) -> list[str]:
    cards = f"document.querySelectorAll('.column[data-column={column}] .text')"
    return window.do("evaluate", f"[...{cards}].map((text) => text.textContent)")


def become(window: Window, selector: str, text: str) -> None:
    """Reload the page until an element has this text."""
    for _ in range(40):
        if window.see(selector) == text:
            return
        window.do("waitForTimeout", 250)
        window.do("reload")
    assert window.see(selector) == text


def here(*names: str) -> str:
    """An expression: these are the members on the page, in any order."""
    labels = "[...document.querySelectorAll('#here li')].map((li) => li.getAttribute('aria-label'))"
    return f"JSON.stringify({labels}.sort()) === JSON.stringify({sorted(names)!r})"


def test_both_windows_see_who_is_here(
    ada: Window, grace: Window, enter: NewWindow, board: str
) -> None:
    """Each window shows everybody on the board, itself first, and who comes and leaves."""
    third = enter("Zoe", "coral", board)
    ada.wait(here("Ada (you)", "Grace", "Zoe"))
    grace.wait(here("Ada", "Grace (you)", "Zoe"))
    third.close()
    ada.wait(here("Ada (you)", "Grace"))
    assert ada.do("getAttribute", "#here li", "aria-label") == "Ada (you)"


def test_a_card_appears_in_the_other_window(ada: Window, grace: Window) -> None:
    """A new card is in both windows, once in each; its author stands on it, markup stays text."""
    hostile = "<b>Hello</b> <img src=x onerror=alert(1)>"
    add(ada, hostile)
    grace.see(card(hostile))
    ada.see(card(hostile))
    assert texts(ada, "todo") == texts(grace, "todo") == [hostile]
    assert grace.see(f"{card(hostile)} .author") == "Ada"


def test_cards_are_edited_moved_and_deleted(ada: Window, grace: Window) -> None:
    """What one window does with the mouse, the keys or a finger, the other one shows."""
    add(ada, "First")
    add(ada, "Second")
    grace.do("tap", f"{card('First')} [data-do=right]")
    ada.see(card("First", "doing"))

    ada.do("dragAndDrop", card("Second"), ".column[data-column=doing] .add")
    grace.wait("document.querySelectorAll('.column[data-column=doing] .card').length === 2")
    assert texts(grace, "doing") == texts(ada, "doing") == ["First", "Second"]

    ada.do("press", card("Second", "doing"), "ArrowUp")
    grace.wait("document.querySelector('.column[data-column=doing] .text').innerText === 'Second'")
    assert texts(ada, "doing") == ["Second", "First"]
    assert ada.do("evaluate", "document.activeElement.querySelector('.text').innerText") == "Second"

    ada.do("press", card("Second", "doing"), "Enter")
    ada.do("fill", ".edit textarea", "Third")
    ada.do("press", ".edit textarea", "Enter")
    grace.see(card("Third", "doing"))

    ada.do("press", card("Third", "doing"), "Delete")
    grace.do("waitForSelector", card("Third", "doing"), {"state": "detached"})
    ada.do("click", "text=Undo")
    grace.see(card("Third", "doing"))


def test_the_acting_window_hears_no_echo(ada: Window, grace: Window) -> None:
    """An event goes to every window but the one that caused it."""
    heard = "pusher.channel(settings.channel).bind('card-added', () => (window.heard = true)); 0"
    ada.do("evaluate", heard)
    grace.do("evaluate", heard)
    add(ada, "No echo")
    grace.wait("window.heard")
    add(grace, "Now it is heard")
    ada.wait("window.heard")
    ada.do("evaluate", "(window.heard = false)")
    add(ada, "Once more")
    grace.see(card("Once more"))
    assert ada.do("evaluate", "window.heard") is False


def test_the_others_are_told_when_pusher_is_back(ada: Window, grace: Window, dev: Dev) -> None:
    """While Pusher refuses events a card is saved; it comes to the others without a reload."""
    dev.fail_triggers(1)
    add(ada, "Late")
    ada.see(card("Late"))
    grace.see(card("Late"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_laptop_and_a_phone(
    ada: Window, grace: Window, enter: NewWindow, board: str, scheme: str
) -> None:
    """Nothing is wider than the window or its column, and pictures are kept to look at."""
    author = enter("Featherstonehaugh-Wilson", "coral", board)
    author.see(LIVE)
    add(author, "The longest name that there is")
    author.see(card("The longest name that there is"))
    author.close()
    ada.do("click", "#import")
    for window in (ada, grace):
        window.do("emulateMedia", {"colorScheme": scheme})
        window.see("#progress:has-text('Ada imported 20 cards')")
        assert window.do("evaluate", "document.documentElement.scrollWidth <= innerWidth")
        lists = "[...document.querySelectorAll('.cards')]"
        assert window.do(
            "evaluate", f"{lists}.every((list) => list.scrollWidth <= list.clientWidth)"
        )
        box = "JSON.stringify(document.querySelector('#progress').getBoundingClientRect())"
        toast = json.loads(window.do("evaluate", box))
        assert toast["left"] >= 0
        assert toast["right"] <= window.do("evaluate", "innerWidth")
        assert toast["bottom"] <= window.do("evaluate", "innerHeight")
    ada.screenshot(f"board-laptop-{scheme}")
    grace.screenshot(f"board-phone-{scheme}")


def test_a_reminder_comes_up_in_every_window(
    ada: Window, grace: Window, dev: Dev, board: str
) -> None:
    """The button says that it will come; the event shows the card as it is by then."""
    add(ada, "Call the printer")
    grace.see(card("Call the printer"))
    ada.do("hover", card("Call the printer"))
    ada.do("click", f"{card('Call the printer')} [data-do=remind]")
    ada.see("#notices :text('reminded in 60 seconds')")
    id = ada.do("evaluate", "[...cards.keys()][0]")
    channel = "presence-board-" + board.rpartition("/")[2]
    dev.trigger(channel, "card-reminder", {"id": id, "by": "Ada"})
    for window in (ada, grace):
        window.see("#notices :text('Ada reminds you of: Call the printer')")


def test_a_background_task_tells_its_progress(ada: Window, grace: Window) -> None:
    """The import runs in a task; both windows see its progress and all its cards."""
    ada.do("click", "#import")
    grace.see("#progress:has-text('of 20')")
    ada.screenshot("import-laptop")
    for window in (ada, grace):
        window.see("#progress:has-text('Ada imported 20 cards')")
        assert window.do("evaluate", "cards.size") == 20
    assert len(texts(grace, "done")) == 6


def test_webhooks_bring_who_is_here_to_the_home_page(
    ada: Window, grace: Window, enter: NewWindow, board: str
) -> None:
    """Pusher's webhooks arrive, and the home page knows from Datastore who is on which board."""
    visitor = enter("Visitor", "sky")
    count = f'a[href="{board}"] .pill'
    become(visitor, count, "2 here")
    grace.close()
    become(visitor, count, "1 here")


def test_a_window_reads_what_it_missed(ada: Window, grace: Window) -> None:
    """A window that was away shows, once it is back, what changed meanwhile."""
    add(ada, "Stays")
    add(ada, "Goes")
    grace.see(card("Goes"))
    grace.do("evaluate", "pusher.disconnect()")
    assert grace.see("#status") == "Disconnected"
    ada.do("press", card("Goes"), "Delete")
    add(ada, "New")
    ada.see(card("New"))
    ada.wait("unanswered.size === 0")
    assert texts(grace, "todo") == ["Stays", "Goes"]
    grace.do("evaluate", "pusher.connect()")
    grace.see(card("New"))
    grace.wait("!missed")
    assert texts(grace, "todo") == ["Stays", "New"]


def test_a_window_shows_when_the_server_goes_and_comes(
    enter: NewWindow, board: str, dev: Dev
) -> None:
    """While the server is away the window says so in place; when it is back it is live again."""
    window = enter("Patient", "amber", board, **PHONE)
    window.see(LIVE)
    height = window.do("evaluate", "document.querySelector('.top').offsetHeight")
    add(window, "Before")
    window.see(card("Before"))
    window.wait("unanswered.size === 0")
    dev.stop()
    assert window.see("#status[data-state=connecting]") == "Connecting…"
    assert window.see("#status[data-state=unavailable]") == "Offline, retrying"
    assert window.do("evaluate", "document.querySelector('.top').offsetHeight") == height
    window.screenshot("unavailable-phone")
    add(window, "Lost?")
    window.see(".toast:has-text('the server cannot be reached.')")
    assert window.do("inputValue", "#new-todo") == "Lost?"
    dev.start()
    window.do("waitForSelector", LIVE, {"timeout": 60_000})
    window.wait(here("Patient (you)"))
    window.do("press", "#new-todo", "Enter")
    window.see(card("Lost?"))
    assert texts(window, "todo") == ["Before", "Lost?"]
