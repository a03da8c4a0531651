"""Snapshots over a list that may end early, be closed or hold odd items."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.clock import SimulatedClock
from shared.errors import NotAvailable, SourceBusy
from shared.models import Outgoing, Receipts
from shared.runs import snapshot
from shared.runs.connection import SnapshotConnection
from shared.runs.health_rows import HealthRows
from shared.source.endpoint import Endpoint
from shared.source.endpoints import GROUPS, ORGANIZATIONS
from shared.source.paging import ListPage
from shared.streams import Family, Stream, StreamKind, streams
from tests.fakes import NOON, FakeBudget, FakeTable, MemoryStore, Power, limits

DECLARED = Stream(
    name="toy",
    table="ClaudeToy_CL",
    kind=StreamKind.SNAPSHOT,
    every=timedelta(hours=6),
    families=(
        Family("one", ORGANIZATIONS, lambda item: {"Watermark": item["at"]}),
        Family("two", GROUPS, lambda item: {"Watermark": item["at"]}),
    ),
)
COMMON = ("TimeGenerated", "EventTime", "ConnectionName", "Stream", "RunId", "BridgeVersion", "Family")


@dataclass
class FakeLists:
    """Pages by endpoint; an exception in the list is raised in its place."""

    found: dict[Endpoint, list[Any]]
    budget: FakeBudget = field(default_factory=FakeBudget)

    async def begin_run(self) -> None:
        return None

    async def pages(
        self, endpoint: Endpoint, receipts: Receipts, *, deadline: datetime, reserve: int
    ) -> AsyncIterator[ListPage]:
        for items in self.found[endpoint]:
            receipts.requests += 1
            if isinstance(items, Exception):
                raise items
            objects = [item for item in items if isinstance(item, dict)]
            yield ListPage(objects, len(items) - len(objects), {}, None, "req_1", NOON, 10)


class Desk:
    def __init__(self, found: dict[Endpoint, list[Any]], **options: Any) -> None:
        self.clock = SimulatedClock(NOON)
        self.table, self.health = FakeTable(Power(), batch=50, **options), FakeTable(Power(), batch=50)
        store = MemoryStore()
        self.connection = SnapshotConnection(
            name="test",
            stream="toy",
            prefix="test/dcr/toy",
            sink=self.table,
            store=store,
            health=HealthRows(
                self.health, store, connection="test", stream="toy", prefix="test/dcr/toy", clock=self.clock
            ),
            clock=self.clock,
            new_run_id=lambda: f"run-{len(self.health.rows)}",
            limits=limits(),
            declared=DECLARED,
            lists=FakeLists(found),
            columns=frozenset({*COMMON, "Watermark"}),
        )

    async def due(self) -> list[str]:
        return [run.state for run in await snapshot.read_due([self.connection])]


def items(*names: str) -> list[Any]:
    return [{"id": name, "at": name} for name in names]


async def test_every_page_of_every_family_is_a_row_under_one_id() -> None:
    """The health row has pages and items of each family, and says that the end was reached."""
    desk = Desk({ORGANIZATIONS: [items("a", "b"), items("c")], GROUPS: [[]]})
    assert await desk.due() == ["ok"]
    assert [row["Watermark"] for row in desk.table.rows] == ["a", "b", "c"]
    assert {row["RunId"] for row in desk.table.rows} == {desk.health.rows[0]["RunId"]}
    assert desk.health.rows[0]["Digests"] == [
        {"family": "one", "pages": 2, "items": 3, "whole": True},
        {"family": "two", "pages": 1, "items": 0, "whole": True},
    ]


async def test_it_is_read_again_after_its_interval_and_sooner_when_it_was_not_whole() -> None:
    """A list that breaks off leaves a snapshot that never says whole; five minutes later the next one begins."""
    desk = Desk({ORGANIZATIONS: [items("a"), SourceBusy("busy")], GROUPS: [items("g")]})
    assert await desk.due() == ["busy"] and await desk.due() == []
    assert desk.health.rows[0]["Digests"] == [{"family": "one", "pages": 1, "items": 1, "whole": False}]
    assert isinstance(desk.connection.lists, FakeLists)
    desk.connection.lists.found[ORGANIZATIONS] = [items("a")]
    desk.clock.advance(timedelta(minutes=5))
    assert await desk.due() == ["ok"]
    desk.clock.advance(timedelta(hours=5))
    assert await desk.due() == []
    desk.clock.advance(timedelta(hours=1))
    assert await desk.due() == ["ok"]


async def test_a_family_that_is_closed_leaves_the_others() -> None:
    """It is named in the digest; all of them closed is a state of its own, which is no failure."""
    closed = NotAvailable("no scope")
    desk = Desk({ORGANIZATIONS: [closed], GROUPS: [items("g")]})
    assert await desk.due() == ["ok"]
    assert [each.get("notAvailable") for each in desk.health.rows[0]["Digests"]] == [True, None]
    desk = Desk({ORGANIZATIONS: [closed], GROUPS: [closed]})
    assert await desk.due() == ["not_available"] and desk.health.rows[0]["Attention"] == "office-hours"


async def test_odd_and_refused_items_are_counted_and_never_stop_the_rest() -> None:
    """A list with an item that is no object, one that cannot be read and one refused is incomplete, not stuck."""

    def refused(row: Outgoing) -> bool:
        return row.id == "bad"

    desk = Desk({ORGANIZATIONS: [[*items("a", "bad"), 7, {"id": "x"}]], GROUPS: [[]]}, refuses=refused)
    assert await desk.due() == ["incomplete"]
    row = desk.health.rows[0]
    assert row["DeadLetterReasons"] == {"not an object": 1, "unreadable": 1, "400": 1}
    assert (row["ItemsRead"], row["RowsSent"], row["RowsDeadLettered"]) == (4, 1, 3)


async def test_a_column_the_table_lacks_is_a_fault_that_says_so() -> None:
    """The service would drop it without a word."""
    desk = Desk({ORGANIZATIONS: [items("a")], GROUPS: [[]]})
    family = Family("one", ORGANIZATIONS, lambda item: {"Nonsense": 1})
    desk.connection = replace(desk.connection, declared=replace(DECLARED, families=(family,)))
    assert await desk.due() == ["refused"] and "Nonsense" in desk.health.rows[0]["ErrorMessage"]


def test_the_declarations_are_found_by_their_folders() -> None:
    """Each folder with a `stream.py`, under its own name; a declaration without what its kind needs is refused."""
    assert [stream.name for stream in streams()] == ["activity"]
    with pytest.raises(ValueError, match="every"):
        Stream(name="x", table="ClaudeToy_CL", kind=StreamKind.SNAPSHOT)
