"""Live reading when something fails: the state it ends in, what it says, and that the next run completes."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from sandbox.compliance.keys import ApiKey
from sandbox.faults import Fault
from shared.errors import LeaseHeld, SinkBusy, SinkRefused, SourceIncoherent, StateMissing, StateUnreadable, StoreFailed
from shared.models import Hour, Page, Position
from shared.runs import backfill, live
from shared.runs.run import Run
from shared.state import checkpoint as checkpoints
from shared.state import plan as plans
from shared.state.checkpoint import Checkpoint
from shared.state.plan import Plan
from tests.fakes import NOON, DownStore, FakeWorld, Happening, MemoryStore
from tests.worlds import ApiWorld, activity

MINUTE = timedelta(minutes=1)
CHECKPOINT = "checkpoint/test/dcr/activity.json"


async def begun(count: int = 7, **options: Any) -> FakeWorld:
    """A world with `count` activities a second apart, two minutes after its first `init`."""
    world = FakeWorld([Happening(number, number, number) for number in range(count)], **options)
    await live.init(world.restart())
    world.clock.advance(2 * MINUTE)
    return world


def checkpoint(world: FakeWorld) -> Checkpoint:
    return checkpoints.parse(world.store.files[CHECKPOINT])


def plan(world: FakeWorld) -> Plan:
    return plans.parse(world.store.files["plan/test/dcr/activity.json"])


async def poll(world: FakeWorld, after: timedelta = MINUTE) -> Run:
    world.clock.advance(after)
    return await live.poll(world.restart())


async def completes(world: FakeWorld) -> None:
    """The fault is gone: the next run ends well and the table has every activity once."""
    run = await poll(world)
    assert run.state == "ok"
    assert sorted(world.table.ids) == [happening.id for happening in world.happenings]


def told(world: FakeWorld, state: str, error: str, remedy: str) -> None:
    """The newest health row names the state, the error's class, and what to do."""
    row = world.health.rows[-1]
    assert (row["RunKind"], row["State"], row["ErrorClass"]) == ("live", state, error)
    assert remedy in row["ErrorMessage"]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (SinkBusy("the ingestion endpoint is busy (503)"), "busy"),
        (SinkRefused("the ingestion endpoint answers 403: the identity lacks a role"), "refused"),
    ],
)
async def test_a_sink_that_says_no_stops_the_run_and_keeps_the_place(error: Exception, state: str) -> None:
    """Busy or refused: no watermark moves, health says which, and the next run carries everything."""
    world = await begun()
    world.table.failure = error
    run = await poll(world)
    assert run.state == state and checkpoint(world).watermark == NOON and world.table.rows == []
    told(world, state, type(error).__name__, str(error))
    world.table.failure = None
    await completes(world)


@pytest.mark.parametrize(
    ("key", "remedy"),
    [
        ("sk-ant-api01-unknown", "make a new one with the scope"),
        ("sk-ant-api01-narrow", "lacks the scope"),
        ("sk-ant-api03-other", "starts with sk-ant-api01-"),
    ],
)
async def test_a_refused_key_stops_the_run_until_it_is_replaced(key: str, remedy: str) -> None:
    """The state is `refused`, the row says who acts and never holds the key; the new key works in the next run."""
    world = await ApiWorld().begun()
    narrow = ApiKey("sk-ant-api01-narrow", "apikey_01Narrow", "compliance", frozenset({"read:compliance_org_data"}))
    world.api.state.keys[narrow.secret] = narrow
    world.add(activity(1))
    good, world.key = world.key, key
    run = await world.poll()
    assert run.state == "refused" and checkpoint(world).watermark == NOON
    told(world, "refused", "SourceRefused", remedy)
    assert key not in json.dumps(world.health.rows)
    world.key = good
    assert (await world.poll()).state == "ok" and world.table.ids == ["activity_0001"]


async def test_a_busy_api_costs_only_time() -> None:
    """After its own tries the run ends `busy`; the place is kept."""
    world = await ApiWorld().begun()
    world.add(activity(1))
    world.api_faults.add(Fault("overloaded", times=50))
    assert (await world.poll()).state == "busy"
    told(world, "busy", "SourceBusy", "busy (529)")
    assert checkpoint(world).watermark == NOON
    world.api_faults.clear()
    assert (await world.poll()).state == "ok" and world.table.ids == ["activity_0001"]


@pytest.mark.parametrize(
    ("damage", "state", "error"),
    [
        (lambda files: files.pop(CHECKPOINT), "state_missing", "StateMissing"),
        (lambda files: files.update({CHECKPOINT: b'{"watermark":'}), "state_unreadable", "StateUnreadable"),
        (lambda files: files.update({CHECKPOINT: b""}), "state_unreadable", "StateUnreadable"),
        (
            lambda files: files.update({CHECKPOINT: b'{"watermark":"2026-10-31T12:00:00Z","format":99}'}),
            "state_unreadable",
            "StateUnreadable",
        ),
    ],
    ids=["missing", "torn", "empty", "of a later release"],
)
async def test_a_checkpoint_that_is_missing_or_unreadable_stops_the_run(
    damage: Callable[[dict[str, bytes]], Any], state: str, error: str
) -> None:
    """Nothing is guessed and nothing is written over; once the state is restored the walk goes on."""
    world = await begun()
    saved = world.store.files[CHECKPOINT]
    damage(world.store.files)
    damaged = world.store.files.get(CHECKPOINT)
    run = await poll(world)
    assert run.state == state and world.table.rows == [] and world.feed.asked == 0
    assert world.store.files.get(CHECKPOINT) == damaged
    told(world, state, error, "run the newer release" if damaged and b"99" in damaged else "claude-bridge init")
    world.store.files[CHECKPOINT] = saved
    await completes(world)


async def test_a_store_that_cannot_be_reached_stops_the_run_and_health_still_says_so() -> None:
    """The rows cannot wait in the store either, so they must go to the sink, which works."""
    world = await begun()
    down = DownStore(world.power)
    down.files, world.store = world.store.files, down
    world.store.failure = StoreFailed("state cannot be used (no space left): free some space")
    run = await poll(world)
    assert run.state == "store_failed" and isinstance(run.error, StoreFailed)
    world.store.failure = None
    assert checkpoint(world).watermark == NOON
    told(world, "store_failed", "StoreFailed", "free some space")
    await completes(world)


class FullDisk(MemoryStore):
    """Everything can be read and nothing written while `full` is not None; then only so many writes pass."""

    room: int | None = None

    def _write(self) -> None:
        if self.room is not None:
            self.room -= 1
            if self.room < 0:
                raise StoreFailed("state in the folder cannot be used (no space left): free some space")

    async def create(self, name: str, data: bytes) -> Any:
        self._write()
        return await super().create(name, data)

    async def replace(self, name: str, data: bytes, etag: Any) -> Any:
        self._write()
        return await super().replace(name, data, etag)

    async def append(self, name: str, data: bytes) -> None:
        self._write()
        await super().append(name, data)


@pytest.mark.parametrize("room", range(6))
async def test_a_full_disk_stops_the_run_wherever_it_strikes(room: int) -> None:
    """After any number of writes: `store_failed` in health with the remedy, no watermark moved, nothing lost later."""
    world = FakeWorld([Happening(number, number, number) for number in range(7)])
    world.store = store = FullDisk(world.power)
    await live.init(world.restart())
    world.clock.advance(2 * MINUTE)
    store.room = room
    run = await poll(world)
    assert run.state == "store_failed" and checkpoint(world).watermark == NOON
    told(world, "store_failed", "StoreFailed", "free some space")
    store.room = None
    assert (await poll(world)).state == "ok"
    assert set(world.table.ids) == {happening.id for happening in world.happenings}
    assert len(world.table.ids) <= len(world.happenings) + world.table.batch  # at most one upload went twice


async def lost_on_the_second_page() -> tuple[FakeWorld, Run]:
    """A run whose lease is taken over while its second page is fetched."""
    world = await begun()
    page = world.feed.page

    def taken_over(position: Position) -> Page:
        if position.pages == 1:
            world.store.leases[-1].lost = True
        return page(position)

    world.feed.page = taken_over  # type: ignore[method-assign]
    run = await poll(world)
    world.feed.page = page  # type: ignore[method-assign]
    return world, run


async def test_a_lost_lease_stops_the_run_before_it_saves() -> None:
    """The other run's place stands; what this one sent is in the ledger, so the next run repeats nothing."""
    world, run = await lost_on_the_second_page()
    assert run.state == "lease_lost" and checkpoint(world).watermark == NOON
    await completes(world)


async def test_a_lost_lease_is_told_in_health() -> None:
    """The operator learns of it, and the ids of the requests it made stay known as our own."""
    world, run = await lost_on_the_second_page()
    rows = [row for row in world.health.rows if row["RunId"] == run.id]
    assert [(row["State"], row["ErrorClass"]) for row in rows] == [("lease_lost", "LeaseLost")]
    assert set(run.request_ids) <= set(rows[0]["RequestIds"]) and run.request_ids


async def test_a_second_run_leaves_the_first_in_peace() -> None:
    """While the lease is held a run does nothing, asks nothing and writes no row."""
    world = await begun()
    connection = world.restart()
    async with world.store.lease("lease/test/dcr/activity/live"):
        run = await live.poll(connection)
    assert run.state == "lease_held" and isinstance(run.error, LeaseHeld)
    assert world.feed.asked == 0 and world.health.rows == []
    await completes(world)


async def test_an_operator_who_begins_again_changes_nothing() -> None:
    """`init` on a begun connection keeps its place."""
    world = await begun()
    before = dict(world.store.files)
    assert await live.init(world.restart()) is False
    assert world.store.files == before


async def test_force_begins_anew_over_unreadable_state_and_sends_nothing_twice() -> None:
    """The ledger stays: the overlap of the new beginning reads again and repeats no row."""
    world = await begun()
    await poll(world, timedelta(0))
    world.store.files[CHECKPOINT] = b"?"
    assert await live.init(world.restart(), force=True) is True
    world.clock.advance(MINUTE)
    await completes(world)


async def test_a_run_that_failed_still_tells_how_far_behind_it_is() -> None:
    """Watermark and lag matter most while runs fail."""
    world = await begun()
    world.table.failure = SinkBusy("busy")
    await poll(world, timedelta(minutes=58))
    assert world.health.rows[-1]["Watermark"].startswith("2026-10-31T12:00:00")
    assert world.health.rows[-1]["LagSeconds"] == 3600


class PatientWorkspace:
    """Finds no row, after as long as it is given."""

    def __init__(self, world: FakeWorld) -> None:
        self.clock = world.clock

    async def wait_for_run(self, run_id: str, *, until: datetime) -> bool:
        self.clock.advance_to(until)
        return False

    async def hours(self, connection: str, start: datetime, end: datetime) -> dict[Hour, tuple[int, int]]:
        return {}

    async def ids(self, connection: str, start: datetime, end: datetime) -> set[str]:
        return set()


async def test_a_canary_that_is_refused_says_so_at_once() -> None:
    """`init` must not wait twenty minutes for a row that the sink has refused to take, nor say it was accepted."""
    world = await begun()
    before = world.clock.now()
    world.health.failure = SinkRefused("the ingestion endpoint answers 403: the identity lacks a role")
    with pytest.raises(SinkRefused, match="lacks a role"):
        await live.send_canary(replace(world.restart(), workspace=PatientWorkspace(world)))
    assert world.clock.now() == before


async def test_time_that_runs_out_saves_the_place_and_no_page_is_read_twice() -> None:
    """The run ends `partial`; the next one reads on at the cursor and closes the window."""
    world = await begun(15)
    page = world.feed.page

    def slow(position: Position) -> Page:
        world.clock.advance(timedelta(seconds=20))
        return page(position)

    world.feed.page = slow  # type: ignore[method-assign]
    first = await poll(world, timedelta(0))
    assert first.state == "partial" and world.health.rows[-1]["State"] == "partial"
    open_window = checkpoint(world).open
    assert open_window is not None and open_window.cursor is not None and open_window.pages == first.counts.pages
    assert 0 < first.counts.sent < 15 and checkpoint(world).watermark == NOON
    second = await poll(world)
    assert (second.state, second.counts.repeated) == ("ok", 0)
    assert world.table.ids == [happening.id for happening in world.happenings]


class BadSecond:
    """While `on`, every page of a window that holds the second `at` (after NOON) fails as `error`."""

    def __init__(self, world: FakeWorld, at: float, error: Exception) -> None:
        self.on = True
        page = world.feed.page

        def judged(position: Position) -> Page:
            gte, lt = ((moment - NOON).total_seconds() for moment in (position.window.gte, position.window.lt))
            if self.on and gte <= at < lt:
                raise error
            return page(position)

        world.feed.page = judged  # type: ignore[method-assign]


async def test_an_unreadable_second_becomes_a_repair_and_the_walk_goes_on() -> None:
    """Halved and halved again, one second ends in the plan; all the rest arrives; the repair delivers once it can."""
    world = FakeWorld([Happening(30 * number, 30 * number, number) for number in range(60)])
    bad = BadSecond(world, 605, SourceIncoherent("the page contradicts itself"))
    world.happenings = world.feed.happenings = [*world.happenings, Happening(605, 605, 999)]
    await live.init(world.restart())
    for _ in range(180):
        await poll(world)
    repairs = [window for window in plan(world).windows if window.kind == "repair"]
    missing = {happening.id for happening in world.happenings} - set(world.table.ids)
    assert missing == {"activity_0999"}
    assert repairs and all(window.open.lt - window.open.gte <= timedelta(seconds=1) for window in repairs)
    assert any(
        (window.open.gte - NOON).total_seconds() <= 605 < (window.open.lt - NOON).total_seconds() for window in repairs
    )
    assert checkpoint(world).watermark >= world.clock.now() - timedelta(minutes=15)
    assert checkpoint(world).gaps >= 1 and world.health.rows[-1]["Gaps"] >= 1
    bad.on = False
    world.clock.advance(timedelta(hours=1))
    runs = await backfill.work_plan(world.restart())
    assert "repair" in {run.kind for run in runs if run.counts.sent}
    row = next(row for row in world.table.rows if row["ActivityId"] == "activity_0999")
    assert row["Delivery"] == "repair" and len(world.table.ids) == len(set(world.table.ids))


async def test_a_window_that_fails_is_halved_only_after_three_runs() -> None:
    """Two failures are patience; the third keeps the older half, counted anew."""
    world, start = await begun(), NOON - timedelta(minutes=30)
    bad = BadSecond(world, -1799, SourceIncoherent("the page contradicts itself"))
    seen = []
    for _ in range(4):
        assert (await poll(world)).state == "source_unreadable"
        opened = checkpoint(world).open
        assert opened is not None and opened.gte == start
        seen.append((opened.failures, opened.lt))
    whole = seen[0][1]
    half = start + (whole - start) / 2
    assert seen == [(1, whole), (2, whole), (0, half), (1, half)]
    bad.on = False
    assert (await poll(world)).state == "ok"


@pytest.mark.parametrize(
    "fault",
    [SinkBusy("busy"), SinkRefused("refused"), StoreFailed("full"), StateMissing("gone"), StateUnreadable("torn")],
    ids=lambda fault: type(fault).__name__,
)
async def test_what_is_not_the_windows_fault_opens_no_gap(fault: Exception) -> None:
    """Thirty failed runs in a row: the window stays whole, uncounted, and the plan empty."""
    world = await begun()
    world.table.failure = fault
    for _ in range(30):
        assert (await poll(world)).error is fault
    opened = checkpoint(world).open
    assert opened is not None and opened.failures == 0 and opened.lt - opened.gte > timedelta(minutes=30)
    assert checkpoint(world).gaps == 0 and plan(world).windows == ()
    world.table.failure = None
    assert (await poll(world)).state == "ok"


@pytest.mark.parametrize("fault", ["rate_limited_bare", "overloaded", "server_error", "bad_gateway"])
async def test_an_outage_of_the_api_opens_no_gap(fault: str) -> None:
    """Budget and outage say nothing about the window."""
    world = await ApiWorld().begun()
    world.add(activity(1))
    world.api_faults.set_rates({fault: 1.0}, seed=1)
    for _ in range(15):
        assert (await world.poll(MINUTE)).state in ("busy", "partial", "idle")
    assert checkpoint(world).gaps == 0 and plan(world).windows == ()
    opened = checkpoint(world).open
    assert opened is not None and opened.failures == 0
    world.api_faults.clear()
    assert (await world.poll(MINUTE)).state == "ok" and world.table.ids == ["activity_0001"]


async def test_a_refused_key_opens_no_gap() -> None:
    """However long nobody replaces it."""
    world = await ApiWorld().begun()
    world.add(activity(1))
    good, world.key = world.key, "sk-ant-api01-unknown"
    for _ in range(30):
        assert (await world.poll()).state == "refused"
    assert checkpoint(world).gaps == 0 and plan(world).windows == ()
    world.key = good
    assert (await world.poll()).state == "ok" and world.table.ids == ["activity_0001"]


async def test_what_is_not_our_error_ends_only_this_run() -> None:
    """A defect is told in health with its class; the next run completes."""
    world = await begun()
    world.table.failure = ZeroDivisionError("a defect")
    assert (await poll(world)).state == "defect"
    assert world.health.rows[-1]["ErrorClass"] == "ZeroDivisionError" and checkpoint(world).watermark == NOON
    world.table.failure = None
    await completes(world)
