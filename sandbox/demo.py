"""The demo: a tenant's month and a rough morning, carried by the real code, and judged by what the feed really held."""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.activity import raw_entry
from sandbox.completeness import Completeness, check_completeness
from sandbox.compliance.feed import SimulatedFeed
from sandbox.faults import Fault
from sandbox.run import log_to, watching
from sandbox.tenant import Storyline, Tenant, build_tenant
from sandbox.world import World, open_world
from shared.cli import selftest
from shared.clock import SimulatedClock
from shared.runs import live
from shared.runs.run import Run
from shared.settings import load
from shared.state import plan as plans
from shared.wiring import Bridge, build

WORKSPACE = "demo.duckdb"
"""The workspace's file in the demo's folder; it is kept, for the page and for questions."""
NOW = datetime(2026, 11, 4, 8, tzinfo=UTC)
"""A Wednesday morning: the simulated moment the bridge is switched on."""
HISTORY = timedelta(days=30)
MORNING = timedelta(hours=4)
SWEEPS = timedelta(hours=52)
MINUTE = timedelta(minutes=1)
LATE_SHARE = 0.01
REFUSED_TYPE = "sandbox_row_the_table_refuses"

API_STORM = {"server_error": 0.02, "overloaded": 0.01, "rate_limited": 0.01, "cut_body": 0.01, "false_end": 0.01}
SINK_STORM = {"throttled": 0.02, "server_error": 0.02, "unavailable": 0.01, "stored_then_reset": 0.005}

ReportProgress = Callable[[str, int, int, str], None]
"""Told as the work goes on: phase, steps done, steps in all, and what to say beside the bar."""


@dataclass(frozen=True, slots=True)
class StoredStoryline:
    """A storyline of the tenant, and how many of its activities the workspace holds."""

    storyline: Storyline
    rows: int


@dataclass(slots=True)
class DemoReport:
    """What the demo did."""

    people: int
    activities: int
    outcome: Completeness | None = None
    late: int = 0
    repeated: int = 0
    replayed: int = 0
    selftest: dict[str, Any] = field(default_factory=dict)
    api_faults: dict[str, int] = field(default_factory=dict)
    sink_faults: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    found: list[StoredStoryline] = field(default_factory=list)


async def run_demo(
    folder: Path,
    report_progress: ReportProgress,
    *,
    people: int,
    seed: int,
    inspect: Callable[[World, DemoReport], None],
) -> DemoReport:
    """Run the whole demo in `folder` (emptied first); `inspect` is called while the workspace is still open."""
    await asyncio.to_thread(_empty, folder)
    report_progress("tenant", 0, 1, f"{people} people, 30 days and a morning")
    tenant = build_tenant(start=NOW - HISTORY, end=NOW + MORNING, people=people, seed=seed, late_share=LATE_SHARE)
    report_progress("tenant", 1, 1, f"{len(tenant.entries):,} activities")
    clock = SimulatedClock(NOW)
    feed = SimulatedFeed(tenant.entries)
    _add_odd_rows(feed)
    report = DemoReport(people, len(feed))
    with open_world(clock, feed=feed, workspace=folder / WORKSPACE) as world, log_to(folder):
        settings = load(**world.settings(), state_dir=folder / "state")
        async with build(settings, clock=clock, credential=world.credential) as bridge:
            until = clock.now() + MORNING  # fixed before the first read
            _bring_weather(world)
            await _history(bridge, report_progress, report)
            await _morning(bridge, clock, report_progress, report)
            await _sweeps(bridge, clock, report_progress, report)
            world.sink_faults.calm()
            report.replayed = sum(run.counts.sent for run in await bridge.replay())
            report.selftest = await _selftest(world, bridge)
            report.api_faults, report.sink_faults = world.api_faults.hits, world.sink_faults.hits
            expected = feed.ids(NOW - HISTORY - timedelta(days=1), until)
            report.outcome = await check_completeness(expected, bridge.connections[0], world.workspace, until=until)
            report.found = _storylines(tenant, world)
        inspect(world, report)
    return report


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)


def _add_odd_rows(feed: SimulatedFeed) -> None:
    """What an API should not send and one day does: the page around them must not suffer."""
    at = NOW - timedelta(days=2)
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    odd = {
        "Surrogate": '"type":"claude_chat_viewed","actor":null,"claude_chat_id":"half a pair: \\ud83d"',
        "Number": f'"type":"claude_number_seen","actor":null,"number":{"9" * 40}',
        "Refused": f'"type":"{REFUSED_TYPE}","actor":null',
    }
    for name, rest in odd.items():
        id = f"activity_01Odd{name}"
        body = f'{{"id":"{id}","created_at":"{stamp}",{rest}}}'
        feed.add(raw_entry(body.encode(), at=at, id=id))


def _bring_weather(world: World) -> None:
    """Faults on both sides all the time, and one row the ingestion endpoint will not take until it is mended."""
    world.api_faults.storm(API_STORM, seed=11)
    world.sink_faults.storm(SINK_STORM, seed=13)
    world.sink_faults.add(
        Fault(
            "refuse_rows",
            times=10**9,
            match=lambda facts: any(_is_refused(row) for row in facts["elements"]),
            options={"where": _is_refused},
        )
    )


def _is_refused(row: Mapping[str, Any]) -> bool:
    return bool(row.get("ActivityType") == REFUSED_TYPE)


async def _history(bridge: Bridge, report_progress: ReportProgress, report: DemoReport) -> None:
    connection = bridge.connections[0]
    await live.init(connection)
    await connection.plan_store.update(
        lambda plan: plans.with_history(plan, NOW - HISTORY, NOW, limit=connection.pace.page_limit)
    )

    def progress(done: int, total: int, read: int) -> None:
        report_progress("history", done, total, f"{read:,} activities read")

    async with watching(bridge, progress):
        for _ in range(20):
            _count(report, await bridge.work_plan())
            if not any(w.state == "waiting" for w in (await connection.plan_store.read()).windows):
                break


async def _morning(bridge: Bridge, clock: SimulatedClock, report_progress: ReportProgress, report: DemoReport) -> None:
    """Minute by minute, as the timers do it."""
    total = int(MORNING / MINUTE)
    sent = 0
    for minute in range(1, total + 1):
        clock.advance_to(NOW + minute * MINUTE)
        runs = await bridge.poll()
        if minute % 5 == 0:
            runs += await bridge.work_plan()
        _count(report, runs)
        sent += sum(run.counts.sent for run in runs)
        report_progress("live", minute, total, f"{clock.now():%H:%M} simulated, {sent:,} rows")


async def _sweeps(bridge: Bridge, clock: SimulatedClock, report_progress: ReportProgress, report: DemoReport) -> None:
    """Two quiet days, by the hour, in which every hour is read again at the ages of 1, 6, 26 and 50 hours."""
    total = int(SWEEPS / timedelta(hours=1))
    for hour in range(1, total + 1):
        clock.advance_to(NOW + MORNING + timedelta(hours=hour))
        _count(report, [*await bridge.poll(), *await bridge.work_plan()])
        report_progress("sweeps", hour, total, f"{report.late:,} late activities found")


async def _selftest(world: World, bridge: Bridge) -> dict[str, Any]:
    """The rehearsal an operator would run once the weather is fair: a marked read that has to come back as a row."""
    world.api_faults.calm()
    return await selftest.selftested(load(**world.settings()), bridge.connections[0], quiet=True)


def _count(report: DemoReport, runs: list[Run]) -> None:
    for run in runs:
        report.late += run.late
        report.repeated += run.counts.repeated
        report.states[run.state] = report.states.get(run.state, 0) + 1


def _storylines(tenant: Tenant, world: World) -> list[StoredStoryline]:
    ids = {id for storyline in tenant.storylines for id in storyline.activity_ids}
    answer = world.workspace.query("ClaudeActivity_CL | summarize by ActivityId")
    stored = ids & {str(id) for (id,) in answer.rows}
    return [
        StoredStoryline(storyline, sum(id in stored for id in storyline.activity_ids))
        for storyline in sorted(tenant.storylines, key=lambda storyline: storyline.started)
    ]
