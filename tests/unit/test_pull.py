"""When a window is at its end, and what is asked next: the rules, page by page."""

from datetime import timedelta
from typing import Any

import pytest

from shared.errors import SourceIncoherent
from shared.models import Cursor, Page, Place, Window
from shared.pull import after
from tests.fakes import NOON

PLACE = Place(Window(NOON, NOON + timedelta(hours=1)), limit=3, cursor=Cursor("here"))


def page(count: int, has_more: bool | None, last_id: str | None) -> Page:
    items: list[Any] = [{"id": str(n)} for n in range(count)]
    return Page(items, has_more, Cursor(last_id) if last_id is not None else None, "req", NOON, 10)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_short_page_that_says_no_more_ends_the_window(count: int) -> None:
    """The usual end."""
    assert after(PLACE, page(count, False, "next" if count else None)) is None


def test_a_full_page_that_says_no_more_is_asked_once_more() -> None:
    """A full page is where a wrong flag would cost the most."""
    following = after(PLACE, page(3, False, "next"))
    assert following is not None and following.cursor == "next"
    assert after(following, page(0, False, None)) is None


def test_more_is_read_from_the_cursor_of_the_envelope() -> None:
    """Bounds, order and limit stay; only the cursor and the page count move."""
    following = after(PLACE, page(3, True, "next"))
    assert following == Place(PLACE.window, "asc", Cursor("next"), 3, 1)


def test_an_empty_page_with_a_new_cursor_is_no_end() -> None:
    """Only `has_more: false` is."""
    following = after(PLACE, page(0, True, "next"))
    assert following is not None and following.cursor == "next"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (page(3, True, None), "no cursor"),
        (page(0, True, None), "no cursor"),
        (page(3, True, "here"), "repeat for ever"),
        (page(3, False, "here"), "repeat for ever"),
        (page(2, None, "next"), "does not say"),
        (page(0, None, None), "does not say"),
    ],
)
def test_a_page_that_contradicts_itself_fails_the_run(told: Page, why: str) -> None:
    """A missing or repeated cursor, or a missing flag, must not be taken for an end."""
    with pytest.raises(SourceIncoherent, match=why):
        after(PLACE, told)
