"""What carrying a feed would amount to, from reading it: rows, bytes, people. Writes nothing anywhere."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared import __version__
from shared.clock import Clock
from shared.errors import ConfigError
from shared.models import (
    Counts,
    Delivery,
    Item,
    Overflowing,
    Page,
    Position,
    Undeliverable,
    Window,
    prefix_of,
)
from shared.rows.minimize import Shaping
from shared.runs.connection import Limits, Reading
from shared.runs.paging import read_window
from shared.state.checkpoint import Pace
from shared.streams.activity.actor import fold_actor
from shared.streams.activity.fold import RowContext
from shared.streams.activity.rows import ActivityRows, identified

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OUR_AGENT = "claude-sentinel-bridge/"
RUN_ID = "00000000-0000-4000-8000-000000000000"


@dataclass(slots=True)
class Share:
    """Rows of one category and their bytes of JSON as sent, separators included."""

    rows: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Estimate:
    """Counts of what was read of `days` days; the properties carry them over to whole days.

    `factor` is 24 over the hours a day that were read: 1 when all were. People are never carried over: somebody seen
    in one hour is seen in others too.
    """

    connection: str
    window: Window
    days: int
    factor: float
    read: int = 0
    requests: int = 0
    counted: int = 0
    unfit: int = 0
    ours: int = 0
    people: int = 0
    categories: dict[str, Share] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(share.rows for share in self.categories.values())

    @property
    def bytes(self) -> int:
        return sum(share.bytes for share in self.categories.values())

    def a_day(self, count: float) -> float:
        """A count of this reading as an average day's."""
        return count * self.factor / self.days


@dataclass(frozen=True, slots=True)
class Delivering:
    """How the connection would deliver: name, windows, shares and what may leave."""

    connection: str
    pace: Pace
    limits: Limits
    shaping: Shaping
    content_names: bool = False


async def estimate(
    how: Delivering,
    reading: Reading,
    clock: Clock,
    *,
    days: int,
    sample_hours: int = 24,
    tell: Callable[[datetime], None] = lambda _: None,
) -> Estimate:
    """Read the last `days` times 24 closed hours, or `sample_hours` of each 24 spread evenly, and weigh every row.

    `tell` hears the start of each window. Raises ConfigError for numbers without sense, and what reading raises.
    """
    if days < 1 or not 1 <= sample_hours <= 24:
        raise ConfigError("an estimate needs at least one day, and 1 to 24 sample hours of each")
    end = (clock.now() - how.pace.settle).replace(minute=0, second=0, microsecond=0)
    found = Estimate(how.connection, Window(end - days * DAY, end), days, 24 / sample_hours)
    weigher = _Weigher(how, found, clock.now())
    for window in _windows(found.window, sample_hours):
        tell(window.gte)
        weigher.begin_window()
        await read_window(
            Position(window, limit=how.pace.page_limit),
            source=reading,
            handler=weigher,
            save=_forget,
            clock=clock,
            deadline=clock.now() + DAY,
            settle=how.pace.settle,
            reserve=how.limits.request_reserve,
        )
    found.people, found.requests = len(weigher.people), reading.receipts.requests
    return found


def _windows(period: Window, sample_hours: int) -> Iterator[Window]:
    """Days, or hours that lie evenly over each day."""
    at = period.gte
    while at < period.lt:
        if sample_hours == 24:
            yield Window(at, at + DAY)
        else:
            for number in range(sample_hours):
                start = at + ((2 * number + 1) * 12 // sample_hours) * HOUR
                yield Window(start, start + HOUR)
        at += DAY


class _Weigher:
    """Makes every activity the row a run would send, keeps its size, and lets it go."""

    def __init__(self, how: Delivering, found: Estimate, now: datetime) -> None:
        self._found = found
        context = RowContext(how.connection, RUN_ID, __version__, Delivery.LIVE.value, False, now, how.content_names)
        self._rows = ActivityRows(context, how.shaping, Counts())
        self._seen: set[bytes] = set()
        self.people: set[bytes] = set()

    def begin_window(self) -> None:
        """Windows do not overlap: what is repeated is repeated within one."""
        self._seen = set()

    async def handle(self, page: Page) -> None:
        for index, raw in enumerate(page.items):
            item = identified(raw, page.escaped.get(index, ()))
            if item.prefix not in self._seen:
                self._seen.add(item.prefix)
                self._weigh(item)

    def _weigh(self, item: Item) -> None:
        found = self._found
        found.read += 1
        made = self._rows.row(item)
        if isinstance(made, Overflowing):
            made = made.pointed("")
        if isinstance(made, Undeliverable):
            found.unfit += 1
        elif made is None:
            found.counted += 1
        else:
            share = found.categories.setdefault(made.category, Share())
            share.rows += 1
            share.bytes += len(made.body) + 1
        if isinstance(item.raw, dict):
            columns: dict[str, Any] = {}
            actor = item.raw.get("actor")
            fold_actor(actor if isinstance(actor, dict) else {}, columns)
            found.ours += str(columns.get("ActorUserAgent", "")).startswith(OUR_AGENT)
            person = columns.get("ActorId") or columns.get("ActorEmail")
            if isinstance(actor, dict) and actor.get("type") == "user_actor" and person:
                self.people.add(prefix_of(str(person)))


async def _forget(_: Position) -> None:
    """An estimate that is interrupted starts again."""
