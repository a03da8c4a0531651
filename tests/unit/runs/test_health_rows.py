"""Health rows: what a run says, that it fits its table, and that it waits for a sink that is down and is not lost."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from shared import tables
from shared.clock import SimulatedClock
from shared.errors import BridgeError, SinkBusy, SinkRefused, StoreFailed
from shared.models import Outgoing, Window
from shared.runs import live
from shared.runs.health_rows import DIGESTS_PER_ROW, REQUEST_IDS_PER_ROW, HealthRows
from shared.runs.run import Run, RunKind, RunState
from shared.sink.batches import Sent
from tests.fakes import NOON, DownStore, FakeTable, FakeWorld, Happening, MemoryStore, Power

SOON = NOON + timedelta(minutes=1)
CELL_BYTES = 32_000
JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "datetime": (str,),
    "int": (int,),
    "long": (int,),
    "real": (int, float),
    "boolean": (bool,),
    "dynamic": (dict, list),
}


class Desk:
    """A health log at NOON over a table and a store that may fail."""

    def __init__(self, store: MemoryStore | None = None, *, deployed_version: int | None = None) -> None:
        self.table = FakeTable(Power(), batch=50)
        self.store = store or MemoryStore()
        self.clock = SimulatedClock(NOON)
        self.log = HealthRows(
            self.table,
            self.store,
            connection="test",
            stream="activity",
            prefix="test/dcr",
            clock=self.clock,
            deployed_version=deployed_version,
        )
        self.rows = self.table.rows

    async def write(self, id: str, **facts: Any) -> bool:
        return await self.log.write(Run(id, RunKind.LIVE, NOON, **facts), deadline=SOON) is None

    @property
    def runs(self) -> list[str]:
        return [row["RunId"] for row in self.rows]

    @property
    def kept(self) -> list[bytes]:
        """The lines that wait, whatever file they are in."""
        files = sorted(name for name in self.store.files if name.startswith("health/test/dcr"))
        return [line for name in files for line in self.store.files[name].splitlines()]


async def test_a_full_row_fits_its_table() -> None:
    """Every key is a column of the table and every value of its type; times are UTC with a Z. Only Details has to be
    empty where release and table fit."""
    desk = Desk()
    run = Run("run-1", RunKind.SWEEP, NOON, window=Window(NOON, NOON + timedelta(hours=1)), watermark=NOON, plan_id=4)
    run.error, run.state, run.missing, run.gaps, run.late, run.plan_waiting = (
        SinkBusy("busy"),
        RunState.BUSY,
        2,
        1,
        3,
        5,
    )
    run.request_ids, run.requests, run.budget_limit, run.budget_remaining = ["req_1"], 1, 600, 10
    run.digests = [{"hour": "2026-10-31T12:00:00Z", "ids": 1, "sum": 2, "dead": 0}]
    for counter in (run.counts.unknown_types, run.counts.unknown_actors, run.counts.unknown_fields):
        counter["new"] = 1
    run.counts.dead_reasons["400"] = run.counts.bytes_by_category["Chats"] = 7
    assert await desk.log.write(run, deadline=SOON) is None
    (row,) = desk.rows
    types = {column.name: column.type for column in tables.load(tables.HEALTH).columns}
    assert set(row) <= set(types)
    for name, value in row.items():
        assert isinstance(value, JSON_TYPES[types[name]]), name
        if types[name] == "datetime":
            assert datetime.fromisoformat(str(value)).utcoffset() == timedelta(0)
    assert set(types) - set(row) == {"Details"}


async def test_the_error_is_told_masked_and_short() -> None:
    """Class and remedy stand in the row; an address or a key quoted in the message does not."""
    desk = Desk()
    said = "no (ann@example.com, sk-ant-api01-secret, Bearer abc.def): " + "x" * 2000
    await desk.write("run-1", error=SinkRefused(said), state=RunState.REFUSED)
    (row,) = desk.rows
    assert row["ErrorClass"] == "SinkRefused" and row["State"] == "refused"
    assert row["ErrorMessage"].startswith("no (<address>, <key>, <key>)") and len(row["ErrorMessage"]) <= 500


@pytest.mark.parametrize("error", [SinkBusy("busy"), SinkRefused("role")], ids=["busy", "refused"])
async def test_rows_wait_for_the_sink_and_go_first(error: BridgeError) -> None:
    """Three runs while the sink is down: none is lost, and the next run sends them before its own, each once."""
    desk = Desk()
    desk.table.failure = error
    for number in range(3):
        assert await desk.write(f"run-{number}") is False
    assert len(desk.kept) == 3
    desk.table.failure = None
    assert await desk.write("run-3") is True
    assert await desk.write("run-4") is True
    assert desk.runs == [f"run-{number}" for number in range(5)] and desk.kept == []


async def test_a_run_that_failed_at_the_sink_is_told_by_the_next() -> None:
    """Table and health go to one endpoint: its outage is in the workspace as soon as it is over."""
    world = FakeWorld([Happening(1, 1, 1)])
    await live.init(world.restart())
    world.table.failure = world.health.failure = SinkBusy("the ingestion endpoint is busy (503)")
    world.clock.advance(timedelta(minutes=2))
    failed = await live.poll(world.restart())
    assert world.health.rows == []
    world.table.failure = world.health.failure = None
    world.clock.advance(timedelta(minutes=1))
    good = await live.poll(world.restart())
    told = [(row["RunId"], row["State"], row.get("ErrorClass")) for row in world.health.rows]
    assert told == [(failed.id, "busy", "SinkBusy"), (good.id, "ok", None)]


async def test_neither_sink_nor_store_still_ends_the_run() -> None:
    """Nothing is raised: the log line is all that is left."""
    desk = Desk(DownStore())
    desk.table.failure, desk.store.failure = SinkBusy("busy"), StoreFailed("full")
    assert await desk.write("run-1") is False


async def test_a_store_that_is_down_does_not_silence_a_sink_that_works() -> None:
    """Older rows have to wait, the run's own row goes."""
    desk = Desk(DownStore())
    desk.store.failure = StoreFailed("full")
    await desk.write("run-1", error=StoreFailed("full"), state=RunState.STORE_FAILED)
    assert desk.runs == ["run-1"]


async def test_a_refused_health_row_does_not_hold_up_the_others() -> None:
    """It is left out with a log line; those that were waiting and those that follow arrive."""
    desk = Desk()
    desk.table.failure = SinkBusy("busy")
    await desk.write("run-bad")
    await desk.write("run-1")
    desk.table.failure = None
    desk.table.refuses = lambda row: b"run-bad" in row.body
    await desk.write("run-2")
    await desk.write("run-3")
    assert desk.runs == ["run-1", "run-2", "run-3"]


class SlowTable(FakeTable):
    """Lets another run end while the first upload is on its way."""

    def __init__(self) -> None:
        super().__init__(Power(), batch=50)
        self.meanwhile: Any = None

    async def send(self, rows: Sequence[Outgoing], remember: Any, *, deadline: datetime) -> Sent:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            self.failure = SinkBusy("busy")
            await meanwhile
            self.failure = None
        return await super().send(rows, remember, deadline=deadline)


async def test_a_row_kept_while_another_run_sends_is_not_lost() -> None:
    """Ten readers and live reading share the file of waiting rows: deleting it must not take one just added."""
    table, store, clock = SlowTable(), MemoryStore(), SimulatedClock(NOON)
    log = HealthRows(table, store, connection="test", stream="activity", prefix="test/dcr", clock=clock)
    table.failure = SinkBusy("busy")
    await log.write(Run("run-1", RunKind.LIVE, NOON), deadline=SOON)
    table.failure = None
    other = HealthRows(
        table, store, connection="test", stream="activity", prefix="test/dcr", clock=clock
    )  # as another process has it
    table.meanwhile = other.write(Run("run-2", RunKind.HISTORY, NOON), deadline=SOON)
    await log.write(Run("run-3", RunKind.LIVE, NOON), deadline=SOON)
    await log.write(Run("run-4", RunKind.LIVE, NOON), deadline=SOON)
    assert {row["RunId"] for row in table.rows} == {"run-1", "run-2", "run-3", "run-4"}


async def test_many_runs_that_end_at_once_tell_each_thing_once() -> None:
    """What was waiting is not sent by each of them."""
    desk = Desk()
    desk.table.failure = SinkBusy("busy")
    await desk.write("run-old")
    desk.table.failure = None
    await asyncio.gather(*(desk.write(f"run-{number}") for number in range(10)))
    assert sorted(desk.runs) == sorted(["run-old", *(f"run-{number}" for number in range(10))])


@pytest.mark.parametrize("requests", [0, 1, REQUEST_IDS_PER_ROW, REQUEST_IDS_PER_ROW + 1, 5 * REQUEST_IDS_PER_ROW])
async def test_many_requests_make_several_rows(requests: int) -> None:
    """Every id is in one row, no cell is cut by the service, and counts stand in the first part only."""
    desk = Desk()
    ids = [f"req_011{number:021d}" for number in range(requests)]
    digests = [
        {"hour": "2026-10-31T12:00:00Z", "ids": 99_999, "sum": 2**55, "dead": 99_999, "feed": 99_999}
        for _ in range(DIGESTS_PER_ROW + 1)
    ]
    await desk.write("run-1", request_ids=ids, requests=requests, digests=digests)
    assert [each for row in desk.rows for each in row["RequestIds"]] == ids
    assert sum(len(row["Digests"]) for row in desk.rows) == DIGESTS_PER_ROW + 1
    assert [(row["Part"], row["Parts"]) for row in desk.rows] == [
        (n + 1, len(desk.rows)) for n in range(len(desk.rows))
    ]
    assert ["Requests" in row for row in desk.rows] == [True] + [False] * (len(desk.rows) - 1)
    assert _largest_cell(desk.rows) <= CELL_BYTES


async def test_a_flood_of_new_names_fits_its_cell() -> None:
    """A hostile tenant can invent thousands of long names in any alphabet: the row stays readable JSON."""
    desk = Desk()
    run = Run("run-1", RunKind.LIVE, NOON)
    for number in range(1000):
        run.counts.unknown_fields[f"{number}.{'字' * 150}"] = number
        run.counts.unknown_types[f"{number}{'x' * 150}"] = number
    assert await desk.log.write(run, deadline=SOON) is None
    assert _largest_cell(desk.rows) <= CELL_BYTES


async def test_names_that_share_a_beginning_are_not_lost_in_the_count() -> None:
    """Shortening two names to the same text adds their counts."""
    desk = Desk()
    run = Run("run-1", RunKind.LIVE, NOON)
    run.counts.unknown_types["x" * 120 + "a"], run.counts.unknown_types["x" * 120 + "b"] = 2, 3
    await desk.log.write(run, deadline=SOON)
    assert sum(desk.rows[0]["UnknownTypes"].values()) == 5


def _largest_cell(rows: list[dict[str, Any]]) -> int:
    cells = (
        cell if isinstance(cell, str) else msgspec.json.encode(cell).decode() for row in rows for cell in row.values()
    )
    return max(len(cell.encode()) for cell in cells)


async def test_waiting_rows_are_whole_lines_of_json() -> None:
    """A name with a line break does not tear the file of waiting rows."""
    desk = Desk()
    desk.table.failure = SinkBusy("busy")
    run = Run("run-1", RunKind.LIVE, NOON)
    run.counts.unknown_types["a\nb\u2028c\x85"] = 1
    await desk.log.write(run, deadline=SOON)
    (line,) = desk.kept
    assert json.loads(line)["UnknownTypes"] == {"a\nb\u2028c\x85": 1}
    desk.table.failure = None
    await desk.write("run-2")
    assert desk.runs == ["run-1", "run-2"]


# An older table.

NEWER = ("PlanWaiting", "RequestIds", "Attention")


@pytest.fixture
def second_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """This release as if it had brought three of its columns with version 2 of the health table."""
    first = tables.load(tables.HEALTH)
    columns = tuple(replace(column, since=2) if column.name in NEWER else column for column in first.columns)
    second, load = replace(first, version=2, columns=columns), tables.load
    monkeypatch.setattr(tables, "load", lambda name: second if name == tables.HEALTH else load(name))


async def told(deployed_version: int | None) -> dict[str, Any]:
    """The health row of a run, as it leaves for a table of that version."""
    desk = Desk(deployed_version=deployed_version)
    assert await desk.write("run-1", plan_waiting=7, request_ids=["req_1"])
    (row,) = desk.rows
    return row


async def test_code_first_table_later_and_code_back_again(
    second_version: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the older table the new columns are in Details and none leaves that its rule would drop; over the newer one
    they are columns; and the older release, rolled back over the newer table, sends its own row as ever."""
    declared = {column.name for column in tables.load(tables.HEALTH).columns if column.since == 1}
    upgraded, waiting = await told(2), await told(1)
    assert waiting.keys() <= declared and "Details" in declared
    assert waiting["Details"] == {"Attention": "never", "PlanWaiting": 7, "RequestIds": ["req_1"]}
    details = waiting.pop("Details")
    assert {**waiting, **details} == upgraded == await told(None)
    monkeypatch.undo()
    assert await told(2) == upgraded


async def test_a_row_that_waited_for_the_sink_fits_the_older_table_too(second_version: None) -> None:
    """What is kept is what will be sent."""
    desk = Desk(deployed_version=1)
    desk.table.failure = SinkBusy("no")
    await desk.write("run-1", plan_waiting=7)
    (line,) = desk.kept
    assert msgspec.json.decode(line)["Details"]["PlanWaiting"] == 7
