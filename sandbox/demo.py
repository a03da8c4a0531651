"""The demo: deliver a month of simulated activity and a morning with faults, then compare the workspace to the feed."""

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
from sandbox.run import LOG_FILE, log_to, watching
from sandbox.tenant import Storyline, Tenant, build_tenant
from sandbox.world import World, open_world
from shared.cli import selftest
from shared.clock import SimulatedClock
from shared.errors import ConfigError
from shared.runs import live
from shared.runs.run import Run
from shared.settings import load
from shared.state import plan as plans
from shared.wiring import Bridge, build

WORKSPACE = "demo.duckdb"
"""The workspace file in the demo's folder; kept for the page and for queries."""
MARKER = ".claude-bridge-demo"
WRITTEN = (WORKSPACE, f"{WORKSPACE}.wal", LOG_FILE, "state")
"""All that a demo writes besides its marker."""
NOW = datetime(2026, 11, 4, 8, tzinfo=UTC)
"""A Wednesday morning: the simulated time at which the bridge is started."""
HISTORY = timedelta(days=30)
MORNING = timedelta(hours=4)
SWEEPS = timedelta(hours=52)
MINUTE = timedelta(minutes=1)
LATE_SHARE = 0.01
REFUSED_TYPE = "sandbox_row_the_table_refuses"

API_FAULT_RATES = {"server_error": 0.02, "overloaded": 0.01, "rate_limited": 0.01, "cut_body": 0.01, "false_end": 0.01}
SINK_FAULT_RATES = {"throttled": 0.02, "server_error": 0.02, "unavailable": 0.01, "stored_then_reset": 0.005}

ReportProgress = Callable[[str, int, int, str], None]
"""Called as the demo proceeds: phase, steps done, steps in total, and the text beside the bar."""


@dataclass(frozen=True, slots=True)
class StoredStoryline:
    """A storyline of the tenant and the number of its activities in the workspace."""

    storyline: Storyline
    rows: int


@dataclass(slots=True)
class DemoReport:
    """Results of a demo run."""

    people: int
    activities: int
    completeness: Completeness | None = None
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
    """Run the whole demo in `folder`, replacing an earlier one; `inspect` is called while the workspace is open."""
    await asyncio.to_thread(_empty, folder)
    report_progress("tenant", 0, 1, f"{people} people, 30 days of history and one morning")
    tenant = build_tenant(start=NOW - HISTORY, end=NOW + MORNING, people=people, seed=seed, late_share=LATE_SHARE)
    report_progress("tenant", 1, 1, f"{len(tenant.entries):,} activities")
    clock = SimulatedClock(NOW)
    feed = SimulatedFeed(tenant.entries)
    _add_malformed(feed)
    report = DemoReport(people, len(feed))
    with open_world(clock, feed=feed, workspace=folder / WORKSPACE) as world, log_to(folder):
        settings = load(**world.settings(), state_dir=folder / "state")
        async with build(settings, clock=clock, credential=world.credential) as bridge:
            until = clock.now() + MORNING  # fixed before the first read
            _inject_faults(world)
            await _history(bridge, report_progress, report)
            await _morning(bridge, clock, report_progress, report)
            await _sweeps(bridge, clock, report_progress, report)
            world.sink_faults.clear()
            report.replayed = sum(run.counts.sent for run in await bridge.replay())
            report.selftest = await _selftest(world, bridge)
            report.api_faults, report.sink_faults = world.api_faults.hits, world.sink_faults.hits
            expected = feed.ids(NOW - HISTORY - timedelta(days=1), until)
            report.completeness = await check_completeness(
                expected, bridge.connections[0], world.workspace, until=until
            )
            report.found = _storylines(tenant, world)
        inspect(world, report)
    return report


def _empty(folder: Path) -> None:
    """Make `folder` ready: remove what an earlier demo wrote there, and nothing else.

    ConfigError for a folder with other contents that no demo has marked as its own.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder: choose another --folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise ConfigError(f"{folder} holds files that no demo wrote: choose another --folder (nothing was removed)")
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    (folder / MARKER).write_text("`python -m sandbox demo` replaces its files here\n", encoding="utf-8")
    for name in WRITTEN:
        path = folder / name
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.is_dir():
            shutil.rmtree(path)


def _add_malformed(feed: SimulatedFeed) -> None:
    """Add malformed activities, which must not affect the rest of their page."""
    at = NOW - timedelta(days=2)
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    malformed = {
        "Surrogate": '"type":"claude_chat_viewed","actor":null,"claude_chat_id":"half a pair: \\ud83d"',
        "Number": f'"type":"claude_number_seen","actor":null,"number":{"9" * 40}',
        "Refused": f'"type":"{REFUSED_TYPE}","actor":null',
    }
    for name, rest in malformed.items():
        id = f"activity_01Odd{name}"
        body = f'{{"id":"{id}","created_at":"{stamp}",{rest}}}'
        feed.add(raw_entry(body.encode(), at=at, id=id))


def _inject_faults(world: World) -> None:
    """Random faults on both sides, and one row the ingestion endpoint refuses until the faults are cleared."""
    world.api_faults.set_rates(API_FAULT_RATES, seed=11)
    world.sink_faults.set_rates(SINK_FAULT_RATES, seed=13)
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
    """Poll minute by minute, as the timers do."""
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
    """Two days without new activity, hour by hour; sweeps re-read every hour at the ages of 1, 6, 26 and 50 hours."""
    total = int(SWEEPS / timedelta(hours=1))
    for hour in range(1, total + 1):
        clock.advance_to(NOW + MORNING + timedelta(hours=hour))
        _count(report, [*await bridge.poll(), *await bridge.work_plan()])
        report_progress("sweeps", hour, total, f"{report.late:,} late activities found")


async def _selftest(world: World, bridge: Bridge) -> dict[str, Any]:
    """The self-test an operator would run, without faults: a tagged request that must arrive as a row."""
    world.api_faults.clear()
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
