"""The contract of every feed: the real one over the simulated API, and the fake that replaces it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

import httpx
import pytest
from pydantic import SecretStr

from sandbox.activity import feed_entry
from sandbox.compliance.api import compliance_app
from sandbox.compliance.feed import SimulatedFeed
from sandbox.compliance.keys import ApiKey
from sandbox.faults import Fault, Faults
from shared.clock import SimulatedClock
from shared.errors import BadRequest
from shared.models import Page, Position, Window
from shared.runs.connection import Feed as FeedOfRuns
from shared.runs.connection import Reading
from shared.source.client import ComplianceClient, Keys
from shared.streams.activity.endpoint import ActivityFeed
from tests.fakes import NOON, TYPE, FakeFeed, Happening, Power

HAPPENINGS = [Happening(created=second, visible=second, number=second) for second in range(-10, 0)]
WINDOW = Window(NOON - timedelta(seconds=10), NOON)
KEY = ApiKey("sk-ant-api01-good", "apikey_01Good", "compliance", frozenset({"read:compliance_activities"}))


class SourceWorld(Protocol):
    """A feed at NOON with `happenings`."""

    clock: SimulatedClock

    @property
    def feed(self) -> FeedOfRuns: ...

    def refuse_order(self) -> None: ...

    def lose_cursor(self) -> None:
        """The second request fails on its cursor."""
        ...


class FakeSourceWorld:
    def __init__(self, happenings: Sequence[Happening]) -> None:
        self.clock = SimulatedClock(NOON)
        self.feed = FakeFeed(happenings, self.clock, Power(), page_size=5000)

    def refuse_order(self) -> None:
        self.feed.order_refused_from = 0

    def lose_cursor(self) -> None:
        self.feed.lost_cursors = {2}


class RealSourceWorld:
    def __init__(self, happenings: Sequence[Happening]) -> None:
        self.clock = SimulatedClock(NOON)
        self.faults = Faults()
        entries = [feed_entry(each.activity, visible_at=NOON + timedelta(seconds=each.visible)) for each in happenings]
        self.app = compliance_app(SimulatedFeed(entries), [KEY], self.clock, faults=self.faults, own_rows=False)
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url="http://api.example.com")
        client = ComplianceClient(http, Keys(self._keys), self.clock, version="2023-06-01", user_agent="test/1")
        self.feed = ActivityFeed(client)

    async def _keys(self) -> Sequence[SecretStr]:
        return [SecretStr(KEY.secret)]

    def refuse_order(self) -> None:
        self.app.state.order_supported = False

    def lose_cursor(self) -> None:
        self.faults.add(Fault("cursor_expired", match=lambda facts: "after_id" in facts["query"]))


@pytest.fixture(params=[FakeSourceWorld, RealSourceWorld], ids=["fake", "real"])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def world(kind: Any) -> SourceWorld:
    made: SourceWorld = kind(HAPPENINGS)
    return made


async def ask(world: SourceWorld, reading: Reading, position: Position) -> Page:
    return await reading.page(position, deadline=world.clock.now() + timedelta(minutes=5))


async def read(world: SourceWorld, position: Position) -> list[Page]:
    """Every page from `position` to the end."""
    reading, got = await world.feed.reading(), list[Page]()
    while True:
        got.append(await ask(world, reading, position))
        if not got[-1].has_more:
            return got
        position = Position(position.window, position.order, cursor=got[-1].last_id, limit=position.limit)


def ids(got: Sequence[Page]) -> list[str]:
    return [item["id"] for page in got for item in page.items]


EXPECTED = [each.id for each in HAPPENINGS]


@pytest.mark.parametrize(("order", "expected"), [("asc", EXPECTED), ("default", EXPECTED[::-1])])
@pytest.mark.parametrize("limit", [1, 3, 5, 10, 5000])
async def test_a_window_is_read_to_its_end_in_the_order_asked_for(
    world: SourceWorld, order: Any, expected: list[str], limit: int
) -> None:
    """Every activity once, no page over the limit, and only the last page has `has_more` false."""
    got = await read(world, Position(WINDOW, order, limit=limit))
    assert ids(got) == expected and len(got) == -(-10 // limit)
    assert all(len(page.items) <= limit for page in got)
    assert all(page.last_id is not None for page in got)
    assert [page.has_more for page in got] == [True] * (len(got) - 1) + [False]


async def test_a_window_is_half_open(world: SourceWorld) -> None:
    """The start of a window is included, its end belongs to the next."""
    window = Window(NOON - timedelta(seconds=8), NOON - timedelta(seconds=5))
    assert ids(await read(world, Position(window, limit=5000))) == EXPECTED[2:5]


async def test_an_empty_window_is_one_empty_page_without_a_cursor(world: SourceWorld) -> None:
    """An empty window is a valid result."""
    (page,) = await read(world, Position(Window(NOON - timedelta(days=2), NOON - timedelta(days=1)), limit=5000))
    assert (page.items, page.has_more, page.last_id) == ([], False, None)


async def test_what_is_indexed_late_appears_late(kind: Any) -> None:
    """An activity is visible from its indexing time on, at its position in time."""
    late = Happening(created=-5, visible=60, number=5)
    world: SourceWorld = kind([HAPPENINGS[0], late, HAPPENINGS[-1]])
    assert ids(await read(world, Position(WINDOW, limit=5000))) == [EXPECTED[0], EXPECTED[-1]]
    await world.clock.sleep(60)
    assert ids(await read(world, Position(WINDOW, limit=5000))) == [EXPECTED[0], late.id, EXPECTED[-1]]


async def test_types_narrow_what_is_read(world: SourceWorld) -> None:
    """A filter on another type returns none of them."""
    reading = await world.feed.reading()
    assert len((await ask(world, reading, Position(WINDOW, activity_types=(TYPE,), limit=5000))).items) == 10
    assert (await ask(world, reading, Position(WINDOW, activity_types=("anthropic_access",), limit=5000))).items == []


async def test_an_order_that_is_refused_is_a_bad_request(world: SourceWorld) -> None:
    """Without `order` the window can still be read, newest first."""
    world.refuse_order()
    with pytest.raises(BadRequest):
        await read(world, Position(WINDOW, limit=5000))
    assert ids(await read(world, Position(WINDOW, "default", limit=5000))) == EXPECTED[::-1]


async def test_a_lost_cursor_is_a_bad_request(world: SourceWorld) -> None:
    """The same cursor is valid again later: the caller decides what to do meanwhile."""
    world.lose_cursor()
    reading = await world.feed.reading()
    first = await ask(world, reading, Position(WINDOW, limit=4))
    after = Position(WINDOW, cursor=first.last_id, limit=4)
    with pytest.raises(BadRequest):
        await ask(world, reading, after)
    assert ids([first, await ask(world, reading, after)]) == EXPECTED[:8]


async def test_each_reading_keeps_its_own_receipts(world: SourceWorld) -> None:
    """Requests and their ids are counted for the run that made them."""
    one, other = await world.feed.reading(), await world.feed.reading()
    got = [await ask(world, one, Position(WINDOW, limit=limit)) for limit in (2, 3)]
    assert one.receipts.request_ids == [page.request_id for page in got] and one.receipts.requests == 2
    assert len(set(one.receipts.request_ids)) == 2 and one.receipts.retries == 0
    assert (other.receipts.requests, other.receipts.request_ids) == (0, [])


async def test_a_page_says_when_and_how_much(world: SourceWorld) -> None:
    """The API's clock, the size of the body, and the budget that is left."""
    (page,) = await read(world, Position(WINDOW, limit=5000))
    (empty,) = await read(world, Position(Window(NOON - timedelta(days=2), NOON - timedelta(days=1)), limit=5000))
    assert page.server_time == NOON and page.bytes > empty.bytes > 0
    assert page.escaped == {}
    assert world.feed.budget.limit == 600 and 0 < (world.feed.budget.remaining or 0) < 600
