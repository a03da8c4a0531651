"""The journey: one window, page by page, oldest first, until the API says there is no more."""

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from shared.clock import Clock
from shared.errors import BadRequest, SourceIncoherent
from shared.logs import event, logger
from shared.models import Page, Position


class RowBudget:
    """A weighted semaphore of `size` rows, shared by the planned windows of one connection, served in order of request.

    Nobody who holds rows waits for more, so that all who wait are served in the end.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def acquire(self, rows: int) -> int:
        """Wait for budget; returns how much was taken, to be given back. More than there is takes all of it."""
        rows = min(rows, self._size)
        if self.try_acquire(rows):
            return rows
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._serve()  # it may have stood in the way of smaller ones
            else:
                self.release(rows)
            raise
        return rows

    def try_acquire(self, rows: int) -> bool:
        """Take budget if it is there and nobody has waited for it longer; all or none."""
        if self._waiting or rows > self._free:
            return False
        self._free -= rows
        return True

    def release(self, rows: int) -> None:
        """Return what was taken."""
        self._free += rows
        self._serve()

    def _serve(self) -> None:
        while self._waiting:
            rows, turn = self._waiting[0]
            if not turn.done():
                if rows > self._free:
                    return
                self._free -= rows
                turn.set_result(None)
            self._waiting.popleft()


log = logger(__name__)

SMALLER_PAGES = {5000: 1000, 1000: 100}


class Source(Protocol):
    """Where pages come from."""

    async def page(self, position: Position, *, deadline: datetime, reserve: int | None = None) -> Page:
        """The page at `position`; errors as named in `errors.py`."""
        ...


class PageHandler(Protocol):
    """What happens to a page."""

    async def handle(self, page: Page) -> None: ...


Save = Callable[[Position], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class WindowRead:
    """Where reading a window ended; `closed` when its window was read to the end."""

    position: Position
    closed: bool


async def read_window(
    start: Position,
    *,
    source: Source,
    handler: PageHandler,
    save: Save,
    clock: Clock,
    deadline: datetime,
    settle: timedelta,
    reserve: int | None = None,
    row_budget: RowBudget | None = None,
) -> WindowRead:
    """Handle every page from `start` to the end of its window, or to the first page after `deadline`.

    The next page is fetched while one is being sent, if `row_budget` allows it at once (without one, always). A page is
    handled, then saved: a crash between the two sends it again and loses nothing. A page that contradicts itself is
    handled too before SourceIncoherent ends the reading.
    """
    position, restarts = start, 0
    row_budget = row_budget or RowBudget(sys.maxsize)

    def ask(position: Position) -> asyncio.Future[Page]:
        return asyncio.ensure_future(source.page(position, deadline=deadline, reserve=reserve))

    held, ahead = (
        await row_budget.acquire(start.limit),
        0,
    )  # the page in hand, and the one on its way
    fetch: asyncio.Future[Page] | None = None
    try:
        while True:
            fetch = fetch or ask(position)
            try:
                page = await fetch
            except BadRequest as refused:
                restarts += position.cursor is not None
                position, fetch = _gentler(position, restarts, refused), None
                continue
            fetch = None  # it would hold on to the page
            wrong: SourceIncoherent | None = None
            following: Position | None = None
            try:
                position = _vouched(position, page, settle)
                following = after(position, page)
            except SourceIncoherent as contradiction:
                wrong = contradiction
            in_time, size = clock.now() < deadline, len(page.items)
            prefetched = following is not None and in_time and row_budget.try_acquire(size)
            if following is not None and prefetched:
                ahead, fetch = size, ask(following)
            await handler.handle(page)
            del page  # before its row_budget is given to another
            row_budget.release(held)
            held, ahead = ahead, 0
            if wrong is not None:
                raise wrong
            if following is None:
                return WindowRead(position, closed=True)
            position = following
            await save(position)
            if not in_time:
                return WindowRead(position, closed=False)
            if not prefetched:
                # A page is about as large as the one before; who waits here holds nothing others wait for.
                held = await row_budget.acquire(size)
    finally:
        if fetch is not None:
            fetch.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await fetch
        row_budget.release(held + ahead)


def after(position: Position, page: Page) -> Position | None:
    """Where to read on after `page`, or None when the window is at its end. Pure.

    Only an explicit `has_more: false` ends a window, and a full page that says so is asked once more: a page that
    happens to fill the limit is where such a flag is most often wrong.
    """
    if page.has_more is None:
        raise SourceIncoherent("a page does not say whether there is more")
    full = len(page.items) >= position.limit
    if not page.has_more and not (full and page.last_id is not None):
        return None
    if page.last_id is None:
        raise SourceIncoherent("a page says there is more and gives no cursor")
    if page.last_id == position.cursor:
        raise SourceIncoherent("a page gives the cursor it was asked with: it would repeat for ever")
    return replace(position, cursor=page.last_id, pages=position.pages + 1)


def _vouched(position: Position, page: Page, settle: timedelta) -> Position:
    """The first page's `Date` bounds how far this window may move the watermark."""
    if position.trusted is not None or page.server_time is None:
        return position
    return replace(position, trusted=page.server_time - settle)


def _gentler(position: Position, restarts: int, refused: BadRequest) -> Position:
    """What to ask instead after a 400: without the cursor, the type filter, `order`, and then with smaller pages.

    The message is never read: it may be reworded. A change of order restarts the window (a cursor of the other
    order would skip rows), and so does a lost cursor; the ledger makes the second reading cheap.
    """
    if position.cursor is not None:
        if restarts > 1:
            # It happened before in this window: the cursors do not live as long as the window. A smaller window may.
            raise SourceIncoherent("cursors expire before the window is read") from refused
        event(log, "cursor.dropped", pages=position.pages)
        return position.restarted()
    if position.activity_types:
        event(log, "filter.dropped", types=len(position.activity_types))
        return replace(position.restarted(), activity_types=())
    if position.order != "default":
        event(log, "order.dropped", order=position.order)
        return position.restarted(order="default")
    if position.limit in SMALLER_PAGES:
        event(log, "limit.lowered", limit=SMALLER_PAGES[position.limit])
        return position.restarted(limit=SMALLER_PAGES[position.limit])
    raise refused
