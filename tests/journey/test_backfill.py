"""The planned walks when things go wrong: late rows, short readings, refusals, operators, and time that runs out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from sandbox.faults import Fault
from shared.errors import BudgetSpent, SinkBusy, SinkRefused, SourceIncoherent, SourceRefused, StoreFailed
from shared.models import Page, Position, Window, prefix_of
from shared.runs import backfill, live
from shared.runs.run import Run
from shared.state import plan as plans
from shared.state.plan import Plan, PlannedWindow
from tests.fakes import NOON, FakeWorld, Happening, limits
from tests.worlds import ApiWorld, activity

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PLAN = "plan/test/dcr/activity.json"


async def begun(world: FakeWorld) -> FakeWorld:
    await live.init(world.restart())
    return world


async def live_hours(world: FakeWorld, hours: int, *, plan_too: bool = True) -> list[Run]:
    """An hour's tick, so many times; returns the planned runs."""
    runs: list[Run] = []
    for _ in range(hours):
        world.clock.advance(HOUR)
        await live.poll(world.restart())
        if plan_too:
            runs += await backfill.work_plan(world.restart())
    return runs


def plan(world: FakeWorld) -> Plan:
    return plans.parse(world.store.files[PLAN])


def change(world: FakeWorld, edit: Callable[[Plan], Plan]) -> None:
    """What an operator's command does to the stored plan."""
    world.store.files[PLAN] = plans.dump(edit(plan(world)))


def edited(world: FakeWorld, number: int, **changes: Any) -> None:
    def edit(known: Plan) -> Plan:
        windows = [msgspec.structs.replace(w, **changes) if w.id == number else w for w in known.windows]
        return msgspec.structs.replace(known, windows=tuple(windows))

    change(world, edit)


async def with_windows(count: int, activities: int, *, kind: plans.Kind = "history", readers: int = 1) -> FakeWorld:
    """`count` waiting windows of an hour each, and `activities` spread over the newest of them, a second apart."""
    world = await begun(FakeWorld([Happening(n - 3600, n - 3600, n) for n in range(activities)]))
    world.limits = limits(plan_readers=readers)
    for back in range(1, count + 1):
        span = Window(NOON - back * HOUR, NOON - (back - 1) * HOUR)
        change(world, lambda known, span=span: plans.added(known, kind, span, limit=5000))  # type: ignore[misc]
    return world


def by_kind(world: FakeWorld, kind: str) -> list[PlannedWindow]:
    return [window for window in plan(world).windows if window.kind == kind]


def only_types_it_has(world: FakeWorld) -> None:
    """Let the fake feed obey a filter by type: none of its activities is about access transparency."""
    page = world.feed.page

    def filtered(position: Position) -> Page:
        told = page(position)
        return replace(told, items=[], has_more=False, last_id=None) if position.activity_types else told

    world.feed.page = filtered  # type: ignore[method-assign]


async def test_a_row_indexed_forty_hours_late_is_found_by_the_last_sweep() -> None:
    """Live reading never saw it; the sweep at fifty hours delivers it once, as late, and counts it."""
    late = Happening(1800, 1800 + 40 * 3600, 1)
    world = await begun(FakeWorld([Happening(1700, 1700, 0), late]))
    only_types_it_has(world)
    await live_hours(world, 50)
    assert world.table.ids == ["activity_0000"]
    runs = await live_hours(world, 4)
    assert world.table.ids == ["activity_0000", "activity_0001"] and world.table.rows[1]["Delivery"] == "late"
    assert world.table.rows[1]["IsBackfill"] is False
    (found,) = [run for run in runs if run.counts.sent]
    assert (found.kind, found.late) == ("sweep", 1)
    (row,) = [row for row in world.health.rows if row["RunId"] == found.id]
    assert row["RowsLate"] == 1 and row["Digests"]
    await live_hours(world, 5)
    assert len(world.table.ids) == 2


async def test_a_sweep_that_shows_less_than_was_delivered_is_tried_three_times_and_reported() -> None:
    """The feed hides one id: after three readings the window is `incomplete`, each said how many are missing."""
    world = await begun(FakeWorld([Happening(n * 60, n * 60, n) for n in range(10)]))
    await live_hours(world, 1, plan_too=False)
    world.feed.happenings = [happening for happening in world.happenings if happening.number != 4]
    runs = await live_hours(world, 4)
    short = [run for run in runs if run.missing]
    assert [(run.kind, run.state, run.missing) for run in short] == [("sweep", "incomplete", 1)] * 3
    rows = [row for row in world.health.rows if row["MissingIds"]]
    assert [(row["State"], row["MissingIds"]) for row in rows] == [("incomplete", 1)] * 3
    (window,) = [window for window in plan(world).windows if window.state == "incomplete"]
    assert "1 fewer" in window.note and len(world.table.ids) == 10


async def test_a_sweep_that_was_short_once_and_whole_the_next_time_is_done() -> None:
    """An incomplete reading is the API's passing mistake; nothing stays reported."""
    world = await begun(FakeWorld([Happening(n * 60, n * 60, n) for n in range(10)]))
    await live_hours(world, 1, plan_too=False)
    world.feed.happenings = []
    world.clock.advance(HOUR)
    await live.poll(world.restart())
    (short,) = await backfill.work_plan(world.restart())
    assert short.missing == 10
    world.feed.happenings = world.happenings
    world.clock.advance(backfill.REST)
    (whole,) = await backfill.work_plan(world.restart())
    assert (whole.state, whole.missing, whole.counts.sent) == ("ok", 0, 0)
    assert [window.state for window in by_kind(world, "sweep")] == ["done"]


async def test_a_refused_transparency_filter_is_read_without_it() -> None:
    """An API that knows no such type answers 400: all types of the span are read, and what is late is found."""
    world = await ApiWorld().begun()
    world.api.state.known_types = frozenset({"user_logged_out"})
    world.clock.advance(DAY)
    await live.poll(world.restart())
    missed = {**activity(1), "type": "anthropic_access", "created_at": "2026-10-31T12:30:00Z"}
    world.add(missed, at=NOON + timedelta(minutes=30))
    world.clock.advance(HOUR)
    await live.poll(world.restart())
    change(world, lambda known: msgspec.structs.replace(known, swept={}))
    runs = await backfill.work_plan(world.restart())
    (run,) = [run for run in runs if run.kind == "transparency"]
    assert (run.state, run.late) == ("ok", 1) and world.table.ids == ["activity_0001"]
    assert world.table.rows[0]["Delivery"] == "late"
    (window,) = by_kind(world, "transparency")
    assert window.state == "done" and window.open.types == ()


async def test_a_sweep_of_some_types_claims_no_hour() -> None:
    """A filtered reading proves nothing about an hour: no digest, nothing missing."""
    world = await begun(FakeWorld([Happening(n * 60, n * 60, n) for n in range(3)]))
    await live_hours(world, 24, plan_too=False)
    change(world, lambda known: msgspec.structs.replace(known, swept={}))
    only_types_it_has(world)
    runs = await backfill.work_plan(world.restart())
    (run,) = [run for run in runs if run.kind == "transparency"]
    assert run.state == "ok" and run.missing == 0 and run.digests == []


@pytest.mark.parametrize("by", ["window", "plan"])
async def test_a_pause_while_a_window_is_read_keeps_its_place(by: str) -> None:
    """The reader stops at its next save; after the pause it reads on from there and no page twice."""
    world = await with_windows(1, 12)
    page = world.feed.page

    def paused_at_the_second(position: Position) -> Page:
        if position.pages == 1:
            if by == "window":
                edited(world, 1, paused=True)
            else:
                change(world, lambda known: msgspec.structs.replace(known, paused=True))
        return page(position)

    world.feed.page = paused_at_the_second  # type: ignore[method-assign]
    (run,) = await backfill.work_plan(world.restart())
    assert run.state == "partial" and 0 < run.counts.sent < 12
    (window,) = plan(world).windows
    assert window.state == "waiting" and window.open.cursor is not None
    world.feed.page = page  # type: ignore[method-assign]
    assert await backfill.work_plan(world.restart()) == []
    edited(world, 1, paused=False)
    change(world, lambda known: msgspec.structs.replace(known, paused=False))
    (rest,) = await backfill.work_plan(world.restart())
    assert (rest.state, rest.counts.repeated) == ("ok", 0)
    assert len(world.table.ids) == len(set(world.table.ids)) == 12
    assert {row["Delivery"] for row in world.table.rows} == {"backfill"}


@pytest.mark.parametrize("at_page", [1, 3], ids=["in the middle", "at the end"])
async def test_a_cancelled_window_stays_cancelled(at_page: int) -> None:
    """The reader stops and never turns it into done; the rest of the plan goes on."""
    world = await with_windows(2, 12)
    page = world.feed.page

    def cancelled(position: Position) -> Page:
        if position.pages == at_page:
            edited(world, 1, state="cancelled")
        return page(position)

    world.feed.page = cancelled  # type: ignore[method-assign]
    runs = await backfill.work_plan(world.restart())
    assert [run.state for run in runs] == ["partial", "ok"]
    assert [window.state for window in plan(world).windows] == ["cancelled", "done"]


async def test_a_window_that_cannot_be_read_is_split_until_the_rest_has_arrived() -> None:
    """One unreadable second ends alone in the plan, resting between tries; when it can be read it is delivered."""
    world = await with_windows(1, 40)
    page, bad = world.feed.page, {"on": True}

    def judged(position: Position) -> Page:
        gte, lt = ((moment - NOON).total_seconds() for moment in (position.window.gte, position.window.lt))
        if bad["on"] and gte <= 20 - 3600 < lt:
            raise SourceIncoherent("the page contradicts itself")
        return page(position)

    world.feed.page = judged  # type: ignore[method-assign]
    for _ in range(60):
        world.clock.advance(backfill.REST)
        await backfill.work_plan(world.restart())
    assert {happening.id for happening in world.happenings} - set(world.table.ids) == {"activity_0020"}
    waiting = [window for window in by_kind(world, "history") if window.state == "waiting"]
    assert len(waiting) == 1 and waiting[0].open.lt - waiting[0].open.gte <= timedelta(seconds=1)
    assert "contradicts itself" in waiting[0].note
    bad["on"] = False
    world.clock.advance(backfill.REST)
    await backfill.work_plan(world.restart())
    assert sorted(world.table.ids) == [happening.id for happening in world.happenings]
    assert all(window.state == "done" for window in by_kind(world, "history"))


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (SinkBusy("busy"), "busy"),
        (SinkRefused("the identity lacks a role"), "refused"),
        (StoreFailed("free some space"), "store_failed"),
    ],
)
async def test_a_failed_upload_keeps_the_window_whole_and_the_next_turn_completes(error: Exception, state: str) -> None:
    """The window is not split, not finished, and not counted as failed."""
    world = await with_windows(1, 7)
    world.table.failure = error
    (run,) = await backfill.work_plan(world.restart())
    assert run.state == state and world.health.rows[-1]["ErrorClass"] == type(error).__name__
    (window,) = plan(world).windows
    assert (window.state, window.open.failures, window.open.lt - window.open.gte) == ("waiting", 0, HOUR)
    world.table.failure = None
    (run,) = await backfill.work_plan(world.restart())
    assert run.state == "ok" and world.table.ids == [happening.id for happening in world.happenings]


@pytest.mark.parametrize(
    "error",
    [SourceRefused("the key is invalid (401)"), BudgetSpent("too few requests are left")],
    ids=lambda error: type(error).__name__,
)
async def test_what_concerns_every_window_ends_the_turn(error: Exception) -> None:
    """A refused key or a spent budget is met once, not by each of forty windows, and told in few rows."""
    world = await with_windows(40, 0)

    def refused(position: Position) -> Page:
        world.feed.asked += 1
        raise error

    world.feed.page = refused  # type: ignore[method-assign]
    world.feed.asked = 0
    runs = await backfill.work_plan(world.restart())
    assert runs and all(run.error is error for run in runs)
    assert len(runs) <= 2 and len(world.health.rows) <= 2
    assert len([window for window in plan(world).windows if window.state == "waiting"]) == 40


async def test_a_lost_lease_ends_the_turn() -> None:
    """The reader that was overtaken reads no further window; the other run's plan stands."""
    world = await with_windows(5, 7)
    page = world.feed.page

    def taken_over(position: Position) -> Page:
        world.store.leases[-1].lost = True
        return page(position)

    world.feed.page = taken_over  # type: ignore[method-assign]
    runs = await backfill.work_plan(world.restart())
    assert {run.state for run in runs} == {"lease_lost"}
    assert all(window.state == "waiting" and window.open.cursor is None for window in plan(world).windows)
    assert world.feed.asked <= 2  # the page in hand, and the one fetched while it was sent


async def test_one_busy_window_does_not_hold_up_the_others() -> None:
    """A window whose page cannot be read rests; the turn goes on with the next."""
    world = await with_windows(2, 5)
    page = world.feed.page

    def first_fails(position: Position) -> Page:
        if position.window.lt == NOON:
            raise SourceIncoherent("the page contradicts itself")
        return page(position)

    world.feed.page = first_fails  # type: ignore[method-assign]
    runs = await backfill.work_plan(world.restart())
    assert [run.state for run in runs] == ["source_unreadable", "ok"]
    assert [window.state for window in plan(world).windows] == ["waiting", "done"]


async def test_windows_that_overlap_are_not_read_at_once() -> None:
    """Two readers of one hour would both miss its ids in the ledger: every row still goes once, and both are done."""
    world = await with_windows(2, 12, readers=5)
    change(world, lambda known: plans.added(known, "repair", Window(NOON - 2 * HOUR, NOON), limit=5000))
    change(world, lambda known: plans.added(known, "sweep", Window(NOON - HOUR, NOON), limit=5000))
    runs = await backfill.work_plan(world.restart())
    assert [run.state for run in runs] == ["ok"] * 4
    assert {window.state for window in plan(world).windows} == {"done"}
    assert len(world.table.ids) == len(set(world.table.ids)) == 12


@pytest.mark.parametrize(
    ("damage", "state", "error"),
    [
        (lambda files: files.pop(PLAN), "state_missing", "StateMissing"),
        (lambda files: files.update({PLAN: b"[]"}), "state_unreadable", "StateUnreadable"),
        (lambda files: files.pop("checkpoint/test/dcr/activity.json"), "state_missing", "StateMissing"),
        (
            lambda files: files.update({"checkpoint/test/dcr/activity.json": b"?"}),
            "state_unreadable",
            "StateUnreadable",
        ),
    ],
    ids=["no plan", "torn plan", "no checkpoint", "torn checkpoint"],
)
async def test_missing_or_unreadable_state_stops_the_turn(
    damage: Callable[[dict[str, bytes]], Any], state: str, error: str
) -> None:
    """Nothing is begun anew by itself; the row names the remedy; with the state restored the plan is worked."""
    world = await with_windows(1, 4)
    saved = dict(world.store.files)
    damage(world.store.files)
    (run,) = await backfill.work_plan(world.restart())
    assert run.state == state and world.feed.asked == 0
    row = world.health.rows[-1]
    assert (row["RunKind"], row["State"], row["ErrorClass"]) == ("plan", state, error) and "claude-bridge init" in row[
        "ErrorMessage"
    ]
    world.store.files.update(saved)
    (run,) = await backfill.work_plan(world.restart())
    assert run.state == "ok" and len(world.table.ids) == 4


async def test_time_that_runs_out_keeps_every_windows_place() -> None:
    """The turn ends `partial`, starts no further window, and the next turn reads no page twice."""
    world = await with_windows(3, 12)
    world.limits = limits(plan_readers=1, planned=timedelta(seconds=50))
    page = world.feed.page

    def slow(position: Position) -> Page:
        world.clock.advance(timedelta(seconds=20))
        return page(position)

    world.feed.page = slow  # type: ignore[method-assign]
    (run,) = await backfill.work_plan(world.restart())
    assert run.state == "partial" and 0 < run.counts.sent < 12
    world.feed.page = page  # type: ignore[method-assign]
    runs = await backfill.work_plan(world.restart())
    assert [(run.state, run.counts.repeated) for run in runs] == [("ok", 0)] * 3
    assert len(world.table.ids) == len(set(world.table.ids)) == 12


async def test_the_plan_leaves_the_live_walk_alone() -> None:
    """A turn that holds the plan's lease does not hold up a poll."""
    world = await with_windows(1, 3)
    world.clock.advance(2 * MINUTE)
    polled: list[Run] = []
    reading = world.feed.reading

    async def poll_meanwhile() -> Any:
        world.feed.reading = reading  # type: ignore[method-assign]
        polled.append(await live.poll(connection))
        return await reading()

    connection = world.restart()
    world.feed.reading = poll_meanwhile  # type: ignore[method-assign]
    await backfill.work_plan(connection)
    assert [run.state for run in polled] == ["ok"]


async def test_an_api_fault_in_history_costs_nothing() -> None:
    """Repeated pages, expired cursors and cut bodies through the real client: everything arrives, once."""
    world = await ApiWorld(page_size=3).begun()
    before = [activity(n, created_at=f"2026-10-31T11:{n:02d}:00Z") for n in range(20)]
    for number, each in enumerate(before):
        world.add(each, at=NOON - HOUR + number * MINUTE)
    change(world, lambda known: plans.added(known, "history", Window(NOON - HOUR, NOON), limit=3))
    faults: Sequence[tuple[str, int]] = [("cut_body", 1), ("repeated_page", 2), ("cursor_expired", 3)]
    for kind, skip in faults:
        world.api_faults.add(Fault(kind, skip=skip))
    for _ in range(4):
        world.clock.advance(backfill.REST)
        await backfill.work_plan(world.restart())
    assert sorted(world.table.ids) == [each["id"] for each in before]
    assert [window.state for window in by_kind(world, "history")] == ["done"]


async def test_digests_of_a_sweep_are_what_the_ledger_holds() -> None:
    """Count and sum per whole hour, with what the feed showed beside it."""
    world = await begun(FakeWorld([Happening(n * 60, n * 60, n) for n in range(10)]))
    await live_hours(world, 1, plan_too=False)
    (run,) = await live_hours(world, 1)
    total = sum(int.from_bytes(prefix_of(happening.id)[:5], "big") for happening in world.happenings)
    assert run.digests == [{"hour": "2026-10-31T12:00:00Z", "ids": 10, "sum": total, "dead": 0, "feed": 10}]
    assert datetime.fromisoformat(run.digests[0]["hour"]) == NOON


async def test_a_planned_run_tells_how_many_windows_wait() -> None:
    """`PlanWaiting` counts down as one reader works through the plan."""
    world = await with_windows(3, 3)
    await backfill.work_plan(world.restart())
    assert [row["PlanWaiting"] for row in world.health.rows if row["RunKind"] == "history"] == [2, 1, 0]
