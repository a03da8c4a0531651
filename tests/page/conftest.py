"""A small tenant delivered by the real bridge to a workspace file, the page over it, and a browser that opens it."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.compliance.feed import SimulatedFeed
from sandbox.page.serve import Opened, open_page
from sandbox.tenant import build_tenant
from sandbox.world import open_world
from shared.clock import SimulatedClock
from shared.runs import live
from shared.settings import load
from shared.state import plan as plans
from shared.wiring import build
from tools import optional

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 4, 8, tzinfo=UTC)
DAYS = timedelta(days=21)
SHOTS = ROOT / "build" / "screenshots"
TIME_LIMIT_SECONDS = 600


@pytest.fixture(scope="session")
def workspace_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three weeks of 60 people as history, then a live morning."""
    folder = tmp_path_factory.mktemp("page")
    asyncio.run(_carry(folder))
    return folder / "page.duckdb"


async def _carry(folder: Path) -> None:
    tenant = build_tenant(start=NOW - DAYS, end=NOW + timedelta(hours=1), people=60, seed=7)
    clock = SimulatedClock(NOW)
    with open_world(clock, feed=SimulatedFeed(tenant.entries), workspace=folder / "page.duckdb") as world:
        settings = load(**world.settings(), state_dir=folder / "state")
        async with build(settings, clock=clock, credential=world.credential) as bridge:
            connection = bridge.connections[0]
            await live.init(connection)
            await connection.plan_store.update(lambda plan: plans.with_history(plan, NOW - DAYS, NOW, limit=5000))
            while any(window.state == "waiting" for window in (await connection.plan_store.read()).windows):
                await bridge.work_plan()
            for minute in (20, 40, 60, 130):
                clock.advance_to(NOW + timedelta(minutes=minute))
                await bridge.poll()
                await bridge.work_plan()


@pytest.fixture(scope="session")
def opened(workspace_file: Path) -> Iterator[Opened]:
    """The page over the workspace; a year later by the clock, so that it shows the workspace's own time."""
    with open_page(workspace_file, SimulatedClock(NOW + timedelta(days=365))) as page:
        yield page


@pytest.fixture(scope="session")
def seen(opened: Opened) -> dict[str, Any]:
    """What a real Chromium saw and did (drive.cjs); skipped loudly where browser or driver is missing."""
    if missing := optional.missing("node", "chromium", "playwright-core"):
        pytest.skip(f"THE PAGE IS NOT TESTED IN A BROWSER: {missing}")
    SHOTS.mkdir(parents=True, exist_ok=True)
    task = {"address": opened.address, "browser": optional.browser(), "shots": str(SHOTS)}
    ran = subprocess.run(
        ["node", str(Path(__file__).with_name("drive.cjs")), json.dumps(task)],
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    found: dict[str, Any] = json.loads(ran.stdout)
    return found
