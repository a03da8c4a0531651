"""When a window is at its end, what is asked next, and how much is in hand meanwhile: the rules, page by page."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.clock import SimulatedClock
from shared.errors import SinkBusy, SourceIncoherent
from shared.models import Cursor, Page, Position, Window
from shared.runs.paging import RowBudget, WindowRead, after, read_window
from tests.fakes import NOON

PLACE = Position(Window(NOON, NOON + timedelta(hours=1)), limit=3, cursor=Cursor("here"))


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
    assert following == Position(PLACE.window, "asc", Cursor("next"), 1, limit=3)


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


class Book:
    """A source of `pages` full pages that notes how many were in hand at once, over all walks of one `Hands`."""

    def __init__(self, hands: "Hands", pages: int, limit: int) -> None:
        self.hands, self.left, self.limit = hands, pages, limit

    async def page(self, position: Position, *, deadline: datetime, reserve: int | None = None) -> Page:
        self.hands.out += 1
        self.hands.most = max(self.hands.most, self.hands.out)
        await asyncio.sleep(0)
        self.left -= 1
        return page(self.limit if self.left else 1, self.left > 0, f"cursor-{self.left}")


class Hands:
    """Counts pages from the moment they are asked for until they are carried; `broken` fails at the second."""

    def __init__(self, *, broken: bool = False) -> None:
        self.out = self.most = self.carried = 0
        self.broken = broken

    async def handle(self, page: Page) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        self.out -= 1
        self.carried += 1
        if self.broken and self.carried == 2:
            raise SinkBusy("no")


async def read(book: Book, room: RowBudget | None) -> WindowRead:
    async def save(_: Position) -> None:
        """Nobody asks for the place."""

    position = Position(PLACE.window, limit=book.limit)
    clock = SimulatedClock(NOON)
    deadline, settle = NOON + timedelta(hours=1), timedelta(minutes=1)
    return await read_window(
        position,
        source=book,
        handler=book.hands,
        save=save,
        clock=clock,
        deadline=deadline,
        settle=settle,
        row_budget=room,
    )


async def test_ten_walks_hold_no_more_pages_than_there_is_room_for() -> None:
    """With room for three full pages ten walks of seven pages all reach their end, and never hold a fourth."""
    hands, room = Hands(), RowBudget(9)
    result = await asyncio.gather(*(read(Book(hands, 7, 3), room) for _ in range(10)))
    assert all(each.closed for each in result)
    assert (hands.carried, hands.most) == (70, 3)
    assert room.try_acquire(9)


async def test_one_walk_reads_ahead_where_there_is_room() -> None:
    """A walk alone has the next page on its way while one is carried, and without a room it always has."""
    for room in (RowBudget(6), None):
        hands = Hands()
        assert (await read(Book(hands, 4, 3), room)).closed
        assert (hands.carried, hands.most) == (4, 2)


async def test_a_room_smaller_than_a_page_lets_one_through_at_a_time() -> None:
    """A page larger than the room is no dead end."""
    hands, room = Hands(), RowBudget(2)
    await asyncio.gather(*(read(Book(hands, 3, 3), room) for _ in range(4)))
    assert (hands.carried, hands.most) == (12, 1)
    assert room.try_acquire(2)


async def test_a_walk_that_fails_gives_its_room_back() -> None:
    """An error while one page is carried and the next is on its way leaves the room as it was."""
    room = RowBudget(6)
    with pytest.raises(SinkBusy):
        await read(Book(Hands(broken=True), 9, 3), room)
    assert room.try_acquire(6)


@pytest.mark.parametrize("steps", range(12))
async def test_a_walk_that_is_cancelled_gives_its_room_back(steps: int) -> None:
    """Wherever the host stops a walk, alone or waiting for another's room."""
    hands, room = Hands(), RowBudget(5)
    other, stopped = (asyncio.create_task(read(Book(hands, 4, 3), room)) for _ in range(2))
    for _ in range(steps):
        await asyncio.sleep(0)
    stopped.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopped
    assert (await other).closed
    assert room.try_acquire(5)
