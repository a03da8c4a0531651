"""The feed's order, windows, visibility and cursors (compliance-api.md sections 5, 6.1, 6.2 and 6.4)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from sandbox.activity import FeedEntry
from sandbox.compliance.cursors import FeedPosition, decode, encode
from sandbox.compliance.feed import FeedPage, FeedQuery, SimulatedFeed
from tests.sandbox.compliance_world import NOON, entry

Order = Literal["asc", "desc"]


@st.composite
def crowds(draw: st.DrawFn) -> list[FeedEntry]:
    """Entries with many ties in `created_at`, unique ids in no order, some not yet visible at noon."""
    size = draw(st.integers(0, 25))
    numbers = draw(st.permutations(range(size)))
    return [
        entry(
            number,
            NOON - timedelta(microseconds=draw(st.integers(0, 4))),
            visible_at=NOON + timedelta(seconds=draw(st.sampled_from([-1, 0, 1]))),
        )
        for number in numbers
    ]


def in_order(entries: list[FeedEntry], order: Order) -> list[str]:
    """The ids that complete paging at noon must yield, computed without the feed."""
    visible = [each for each in entries if each.visible_at <= NOON]
    visible.sort(key=lambda each: (each.created_at, each.id), reverse=order == "desc")
    return [each.id for each in visible]


def through_text(position: FeedPosition | None) -> FeedPosition:
    """The cursor as a client returns it."""
    assert position is not None
    decoded = decode(encode(position))
    assert decoded is not None
    return decoded


def walk(feed: SimulatedFeed, query: FeedQuery, turn: Callable[[FeedPage, FeedQuery], FeedQuery]) -> list[list[str]]:
    """All pages until `has_more` is false; `turn` makes the next query."""
    pages: list[list[str]] = []
    while True:
        page = feed.page(query, NOON)
        pages.append([each.id for each in page.entries])
        assert len(page.entries) <= query.limit
        if not page.has_more:
            return pages
        assert page.entries, "has_more on an empty page would never end"
        query = turn(page, query)


@given(crowd=crowds(), order=st.sampled_from(["asc", "desc"]), limit=st.integers(1, 9))
def test_after_id_walks_everything_once_in_order(crowd: list[FeedEntry], order: Order, limit: int) -> None:
    """Sections 5 and 6.1: pages by after_id yield exactly the visible entries, in order, whatever the ties."""
    pages = walk(
        SimulatedFeed(crowd),
        FeedQuery(order=order, limit=limit),
        lambda page, query: replace(query, after=through_text(page.last)),
    )
    assert [each for page in pages for each in page] == in_order(crowd, order)


@given(crowd=crowds(), order=st.sampled_from(["asc", "desc"]), limit=st.integers(1, 9))
def test_before_id_walks_back_page_by_page(crowd: list[FeedEntry], order: Order, limit: int) -> None:
    """Sections 6.1 and 7.1: pages by before_id adjoin the cursor, keep the order, and yield all that precedes it."""
    expected = in_order(crowd, order)
    whole = SimulatedFeed(crowd).page(FeedQuery(order=order, limit=5000), NOON)
    if not expected:
        assert whole == FeedPage((), has_more=False)
        return
    pages = walk(
        SimulatedFeed(crowd),
        FeedQuery(order=order, limit=limit, before=through_text(whole.last)),
        lambda page, query: replace(query, before=through_text(page.first)),
    )
    assert [each for page in reversed(pages) for each in page] == expected[:-1]


@given(crowd=crowds(), split=st.integers(0, 25))
def test_one_by_one_or_together_is_the_same_feed(crowd: list[FeedEntry], split: int) -> None:
    """Section 6.4: however and whenever activities are indexed, the order is by created_at, ties by id."""
    feed = SimulatedFeed(crowd[:split])
    for each in crowd[split:]:
        feed.add(each)
    late = SimulatedFeed(crowd[split:])
    late.extend(crowd[:split])
    query = FeedQuery(order="asc", limit=5000)
    assert [each.id for each in feed.page(query, NOON).entries] == in_order(crowd, "asc")
    assert late.page(query, NOON) == feed.page(query, NOON)
    assert len(feed) == len(late) == len(crowd)


@given(
    crowd=crowds(),
    low=st.integers(0, 5),
    high=st.integers(0, 5),
    names=st.tuples(st.sampled_from(["gte", "gt"]), st.sampled_from(["lte", "lt"])),
)
def test_time_bounds_hold_at_the_microsecond(
    crowd: list[FeedEntry], low: int, high: int, names: tuple[str, str]
) -> None:
    """Section 6.1: gte and lte include their bound, gt and lt do not, for any combination, also a contradictory one."""
    lower, upper = NOON - timedelta(microseconds=low), NOON - timedelta(microseconds=high)
    page = SimulatedFeed(crowd).page(FeedQuery(limit=5000, **{names[0]: lower, names[1]: upper}), NOON)  # type: ignore[arg-type]

    def inside(each: FeedEntry) -> bool:
        above = each.created_at >= lower if names[0] == "gte" else each.created_at > lower
        below = each.created_at <= upper if names[1] == "lte" else each.created_at < upper
        return above and below

    assert [each.id for each in page.entries] == in_order([each for each in crowd if inside(each)], "desc")


def test_an_activity_shows_when_its_index_does() -> None:
    """Section 6.4, latency: an activity is created before it is queryable."""
    feed = SimulatedFeed([entry(1, NOON, visible_at=NOON + timedelta(seconds=40))])
    assert feed.page(FeedQuery(), NOON + timedelta(seconds=39)).entries == ()
    assert len(feed.page(FeedQuery(), NOON + timedelta(seconds=40)).entries) == 1


def test_a_late_activity_hides_behind_the_cursor() -> None:
    """Section 6.4, late arrival: continuing misses what was indexed behind the cursor; a new window does not."""
    feed = SimulatedFeed([entry(number, NOON + timedelta(seconds=number)) for number in range(4)])
    later = NOON + timedelta(hours=1)
    first = feed.page(FeedQuery(order="asc", limit=2), later)
    feed.add(entry(9, NOON + timedelta(milliseconds=500)))
    rest = feed.page(FeedQuery(order="asc", limit=5000, after=first.last), later)
    walked = [each.id for each in (*first.entries, *rest.entries)]
    assert walked == [f"activity_01{number:05d}" for number in range(4)]
    fresh = feed.page(FeedQuery(order="asc", limit=5000, gte=NOON), later)
    assert [each.id for each in fresh.entries] == [f"activity_01{number:05d}" for number in (0, 9, 1, 2, 3)]


def test_ids_count_what_is_not_visible_yet() -> None:
    """Section 6.4: the reference of a proof is everything created in [gte, lt), however late it is indexed."""
    hour = timedelta(hours=1)
    feed = SimulatedFeed([entry(1, NOON, visible_at=NOON + hour), entry(2, NOON + hour), entry(3, NOON - hour)])
    assert feed.ids(NOON, NOON + hour) == {"activity_0100001"}


def test_a_cursor_outlives_its_activity() -> None:
    """Section 5: a cursor is a position in the order, so it works even if no activity is there."""
    feed = SimulatedFeed([entry(1, NOON), entry(2, NOON)])
    nowhere = FeedPosition(NOON, "activity_0100001x")
    assert [each.id for each in feed.page(FeedQuery(order="asc", after=nowhere), NOON).entries] == ["activity_0100002"]
