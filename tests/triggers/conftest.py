"""A served world, its environment, and the app in Microsoft's worker library."""

import logging
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.activity import feed_entry
from sandbox.world import World, open_world
from shared import tables
from shared.clock import SimulatedClock, SystemClock
from shared.logs import ROOT, MaskingFilter
from shared.runs import live
from shared.settings import Settings
from shared.triggers.bridge_cache import NOISY, here
from tests.fakes import NOON
from tests.triggers.worker import Worker
from tests.worlds import activity


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOON)


@pytest.fixture
def world(clock: SimulatedClock) -> Iterator[World]:
    with open_world(clock, own_rows=False) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """The app sets levels and masks handlers for its process, which the tests share."""
    names = (ROOT, *NOISY)
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    for handler in logging.getLogger().handlers:
        handler.filters[:] = [known for known in handler.filters if not isinstance(known, MaskingFilter)]


@pytest.fixture
def environment(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Exactly what the world needs, and nothing of the machine that runs the tests."""
    for name in [*(field.upper() for field in Settings.model_fields), "SECOND_KEY", "AZURE_CLIENT_ID"]:
        monkeypatch.delenv(name, raising=False)
    for name, value in world.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    return monkeypatch


@pytest.fixture
async def worker(environment: pytest.MonkeyPatch, clock: SimulatedClock) -> AsyncIterator[Worker]:
    """The app as the host starts it, on the world's clock."""
    here.clock = clock
    yield await Worker.start()
    await here.close()
    here.clock = SystemClock()


@pytest.fixture
async def begun(worker: Worker, world: World, clock: SimulatedClock) -> Worker:
    """Every connection has begun, three activities have happened, and two minutes have passed."""
    async with here.bridge() as bridge:
        for connection in bridge.connections:
            await live.init(connection)
    for number in range(3):
        world.feed.add(feed_entry(activity(number)))
    clock.advance(timedelta(minutes=2))
    return worker


def rows(world: World) -> dict[str, int]:
    """Rows in the workspace by connection."""
    answer = world.workspace.query(f"{tables.ACTIVITY} | summarize Rows = count() by ConnectionName")
    return {str(name): int(count) for name, count in answer.rows}
