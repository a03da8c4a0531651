"""Deliver a feed to a local workspace with the production code: an organization's own, or a JSONL file."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sandbox.completeness import Completeness, check_completeness
from sandbox.compliance.feed import SimulatedFeed
from sandbox.files import FeedFile, load_feed
from sandbox.world import open_world
from shared.clock import Clock, SimulatedClock, SystemClock
from shared.errors import BridgeError, ConfigError, SinkRefused, SourceRefused
from shared.logs import configure
from shared.runs import live
from shared.settings import load
from shared.state import plan as plans
from shared.state.plan import PlannedWindow
from shared.wiring import Bridge, build

Progress = Callable[[int, int, int], None]
"""Called repeatedly: windows done, windows in total, activities read so far."""

TURNS_WITHOUT_PROGRESS = 3
TURN_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Delivered:
    """Result of a delivery; `completeness` is None for a live feed, whose ids are not known."""

    read: int
    sent: int
    completeness: Completeness | None
    failure: BaseException | None


async def deliver_file(file: Path, workspace: Path, progress: Progress) -> Delivered:
    """Serve `file` as the feed of a simulated API and deliver it to `workspace`; safe to run again."""
    now = SystemClock().now()
    feed_file = load_feed(file, now=now)
    # Activities dated in the future must count as history too, and history ends the settling time before "now".
    clock = SimulatedClock(max(now, feed_file.last or now) + timedelta(minutes=5))
    feed = SimulatedFeed(feed_file.entries)
    opened = open_world(clock, feed=feed, workspace=prepare_workspace(workspace), own_rows=False)
    with opened as world, log_to(state_folder(workspace)):
        settings = load(**world.settings(), state_dir=state_folder(workspace))
        async with build(settings, clock=clock, credential=world.credential) as bridge:
            start = _start(feed_file, now)
            read, sent, failure = await _history(bridge, start, clock.now(), clock, progress)
            completeness = await check_completeness(feed_file.ids, bridge.connections[0], world.workspace)
    return Delivered(read, sent, completeness, failure)


async def deliver_live(days: int, workspace: Path, progress: Progress) -> Delivered:
    """Deliver the last `days` of the organization's own feed to `workspace`; run again to resume.

    Key and URL come from the environment (COMPLIANCE_ACCESS_KEY, COMPLIANCE_API_URL, CONNECTIONS).
    """
    clock = SystemClock()
    with open_world(clock, workspace=prepare_workspace(workspace)) as world, log_to(state_folder(workspace)):
        settings = load(**world.sink_settings(), state_dir=state_folder(workspace), plan_seconds=TURN_SECONDS)
        until = clock.now() - settings.settle  # fixed before the first read: later activities are for the next run
        async with build(settings, clock=clock, credential=world.credential) as bridge:
            for name, error in bridge.broken:
                raise ConfigError(f"connection {name}: {error}")
            read, sent, failure = await _history(bridge, until - timedelta(days=days), until, clock, progress)
    return Delivered(read, sent, None, failure)


async def _history(
    bridge: Bridge, start: datetime, end: datetime, clock: Clock, progress: Progress
) -> tuple[int, int, BaseException | None]:
    """Read all of `[start, end)` of every connection; stops after repeated turns without progress."""
    for connection in bridge.connections:
        await live.init(connection)
        with_history = partial(plans.with_history, start=start, end=end, limit=connection.pace.page_limit)
        await connection.plan_store.update(with_history)
    async with watching(bridge, progress):
        return await _turns(bridge, clock)


async def _turns(bridge: Bridge, clock: Clock) -> tuple[int, int, BaseException | None]:
    read = sent = fruitless = 0
    failure: BaseException | None = None
    while fruitless < TURNS_WITHOUT_PROGRESS:
        runs = await bridge.work_plan()
        read += sum(run.counts.read for run in runs)
        sent += sum(run.counts.sent for run in runs)
        if not await waiting_windows(bridge):
            return read, sent, None
        failed = [run for run in runs if not run.state.good]
        failure = failed[-1].error if failed else failure
        if isinstance(failure, SourceRefused | SinkRefused):
            break  # retrying does not help against a refused key
        fruitless = 0 if any(run.counts.pages for run in runs) else fruitless + 1
        if failed or not runs:
            await clock.sleep(5)
    return read, sent, failure or BridgeError("some windows could not be read; run the same command again")


@asynccontextmanager
async def watching(bridge: Bridge, progress: Progress) -> AsyncIterator[None]:
    """Call `progress` a few times a second with the history progress saved in the plan."""
    total = len(await waiting_windows(bridge))
    before = {window.id: window.read for window in await waiting_windows(bridge)}

    async def report_now() -> None:
        plan_windows = [w for c in bridge.connections for w in (await c.plan_store.read()).windows]
        waiting = sum(w.state == "waiting" and w.kind == "history" for w in plan_windows)
        read = sum(w.read - before[w.id] for w in plan_windows if w.id in before)
        progress(total - waiting, total, read)

    async def keep_reporting() -> None:
        while True:
            await asyncio.sleep(0.25)
            await report_now()

    reporter = asyncio.create_task(keep_reporting())
    try:
        yield
    finally:
        reporter.cancel()
        with suppress(asyncio.CancelledError):
            await reporter
        await report_now()


async def waiting_windows(bridge: Bridge) -> list[PlannedWindow]:
    """History windows not yet read completely, over all connections."""
    found: list[PlannedWindow] = []
    for connection in bridge.connections:
        plan = await connection.plan_store.read()
        found += [window for window in plan.windows if window.kind == "history" and window.state == "waiting"]
    return found


def _start(feed_file: FeedFile, now: datetime) -> datetime:
    return min(feed_file.first or now, now).replace(hour=0, minute=0, second=0, microsecond=0)


LOG_FILE = "bridge.log"


def state_folder(workspace: Path) -> Path:
    """The state folder of a local workspace: beside it, readable by its owner only."""
    return workspace.with_name(workspace.name + ".state")


@contextmanager
def log_to(folder: Path) -> Iterator[None]:
    """Write the bridge's log (masked, as everywhere) to a file beside the state; the terminal shows progress only."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    handler = logging.FileHandler(folder / LOG_FILE, encoding="utf-8")
    configure("INFO", handler)
    try:
        yield
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        handler.close()


def prepare_workspace(workspace: Path) -> Path:
    """Prepare `workspace` for writing; if the file does not exist, the state beside it is stale and is removed.

    Raises ConfigError when its folder does not exist.
    """
    if not workspace.parent.is_dir():
        raise ConfigError(f"{workspace.parent} is not a folder: create it, or choose another --workspace")
    if workspace.is_dir():
        raise ConfigError(f"{workspace} is a folder: --workspace must be a file, such as claude.duckdb")
    state = state_folder(workspace)
    if not workspace.exists():
        shutil.rmtree(state, ignore_errors=True)  # it would mark deleted rows as already sent
    state.mkdir(mode=0o700, exist_ok=True)
    state.chmod(0o700)
    return workspace
