"""Large volumes over HTTP with pages of 5,000: a burst in one window, equal timestamps, and a long history."""

import json
import math
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.million import MOST_MEGABYTES, most_requests
from sandbox.activity import FeedEntry
from sandbox.compliance.feed import SimulatedFeed
from sandbox.world import World, open_world
from shared.clock import SimulatedClock
from shared.runs import live
from shared.runs.run import Run
from shared.settings import load
from shared.wiring import build
from tests.chaos.activities import made

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PAGE = 5000
HISTORY = 100_000


async def delivered_in_one_run(entries: Iterable[FeedEntry], state: Path, check_stored: int) -> Run:
    """Serve all entries within ten minutes, poll once, and count the rows of the workspace."""
    clock = SimulatedClock(NOON)
    with open_world(clock, feed=SimulatedFeed(entries), own_rows=False) as world:
        settings = load(**world.settings(), state_dir=state)
        async with build(settings, clock=clock, credential=world.credential) as bridge:
            await live.init(bridge.connections[0])
            clock.advance(12 * MINUTE)
            (run,) = await bridge.poll()
            assert (run.state, run.message) == ("ok", None)
            assert counts(world) == (check_stored, check_stored)
            clock.advance(MINUTE)
            (again,) = await bridge.poll()
            assert (again.state, again.counts.sent) == ("ok", 0)
    return run


def counts(world: World) -> tuple[int, int]:
    """Rows, and distinct ids."""
    (row,) = world.workspace.query("ClaudeActivity_CL | summarize by ActivityId | count").rows
    (all_rows,) = world.workspace.query("ClaudeActivity_CL | count").rows
    return int(all_rows[0]), int(row[0])


def check_requests(run: Run, count: int) -> None:
    assert run.requests <= math.ceil(count / PAGE) + 3
    assert (run.counts.read, run.counts.sent, run.counts.repeated) == (count, count, 0)


async def test_sixty_thousand_in_one_window(tmp_path: Path) -> None:
    """One live window of ten minutes with 60,000 activities: each arrives once, and no page is requested twice."""
    count = 60_000
    entries = (made(number, NOON + number * timedelta(milliseconds=10)) for number in range(count))
    check_requests(await delivered_in_one_run(entries, tmp_path, count), count)


@pytest.mark.long
async def test_twenty_thousand_at_one_moment(tmp_path: Path) -> None:
    """20,000 with the same `created_at`: page boundaries among them lose or repeat none."""
    count = 20_000
    entries = (made(number, NOON + MINUTE) for number in range(count))
    check_requests(await delivered_in_one_run(entries, tmp_path, count), count)


@pytest.mark.long
def test_a_long_history_in_little_memory() -> None:
    """100,000 of a kilobyte, read as ten concurrent windows in its own process: memory and requests are bounded.

    `make bench` does the same with a million.
    """
    command = [sys.executable, "-m", "bench.child", "million", "ours", str(HISTORY)]
    child = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    facts = json.loads(child.stdout.splitlines()[-1])["facts"]
    assert facts["requests"] <= most_requests(HISTORY)
    assert facts["peak_megabytes"] < MOST_MEGABYTES
