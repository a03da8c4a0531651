"""SIGKILL at random times: the real bridge is killed 200 times, and the table still gets the whole feed.

Time runs a minute a second, so that a short run polls and plans many times. Run length is measured in requests, not in
seconds: on a busy machine runs take longer and do the same work. A killed process's file locks are free immediately, as
in production. Its Blob leases would last up to a minute: after every kill but the last they are broken, as an operator
would; after the last they expire (the shortest allowed, 15 seconds).
"""

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob.aio import BlobLeaseClient, ContainerClient

from sandbox.completeness import Completeness, check_completeness
from sandbox.compliance.feed import SimulatedFeed
from sandbox.faults import Fault
from sandbox.world import RULE_ID, World, open_world
from shared.clock import SystemClock
from shared.runs import live
from shared.settings import load
from shared.state import plan as plans
from shared.state.blob_lease import SHORTEST
from shared.state.blob_store import BlobStore
from shared.state.file_store import FileStore
from shared.state.store import Store
from shared.wiring import Bridge, build
from tests.azurite import Azurite
from tests.chaos.activities import REFUSED_TYPE, made
from tests.chaos.bridge_process import BridgeProcess
from tests.chaos.clocks import ScaledClock
from tests.chaos.worker import ProcessConfig

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
SPEED = 60.0
DAYS = 6
PAGE, READERS = 20, 3
OPEN_ROWS = PAGE * (READERS + 1)
"""Most rows that one kill can duplicate: a page of each planned reader and of live reading, accepted, not recorded."""
LATENCY_SECONDS = 0.002
MOST_REQUESTS = 12
"""Most requests (pages and uploads) of a process before it is killed."""
KILL_DELAY_SECONDS = 0.02
"""Random delay before the kill, so that it also hits the work after a request."""
STALLED_SECONDS = 60.0
ALWAYS = 10**9


@dataclass
class Played:
    """A served tenant whose feed grows during the test."""

    world: World
    clock: ScaledClock
    chance: random.Random
    made: int = 0
    refused: int = 0
    requests: int = 0
    counted: threading.Condition = field(default_factory=threading.Condition)

    def count(self, _: Mapping[str, Any]) -> bool:
        """Count a request; the latency applies to all of them."""
        with self.counted:
            self.requests += 1
            self.counted.notify_all()
        return True

    def wait_for(self, requests: int) -> None:
        with self.counted:
            assert self.counted.wait_for(lambda: self.requests >= requests, STALLED_SECONDS), (
                "the bridge makes no requests"
            )

    def grow(self, count: int, since: datetime, until: datetime) -> None:
        """`count` activities at random moments of `[since, until)`; one in 300 is of a type the table refuses."""
        span = (until - since).total_seconds()
        fresh = []
        for _ in range(count):
            self.made += 1
            refused = self.chance.random() < 1 / 300
            self.refused += refused
            fresh.append(made(self.made, since + timedelta(seconds=self.chance.uniform(0, span)), refused=refused))
        self.world.feed.extend(fresh)

    def add_activity(self) -> None:
        """Add activities between two kills: a few of this minute, and one or two indexed hours late."""
        now = self.clock.now()
        self.grow(8, now - MINUTE / 2, now)
        self.grow(self.chance.randint(1, 2), now - 5 * HOUR, now)

    def settings(self, **more: object) -> dict[str, object]:
        return {**self.world.settings(), "plan_readers": READERS, **more}


@contextmanager
def playing(chance: random.Random, history: int) -> Iterator[Played]:
    """A world at a minute a second, with `history` past activities and a small latency."""
    clock = ScaledClock(NOON, speed=SPEED)
    with open_world(clock, feed=SimulatedFeed(), own_rows=False) as world:
        world.api.state.budget.per_minute = ALWAYS
        played = Played(world, clock, chance)
        slow: dict[str, Any] = {"match": played.count, "times": ALWAYS}
        world.api_faults.add(Fault("latency", options={"seconds": LATENCY_SECONDS}, **slow))
        world.sink_faults.add(
            Fault(
                "refuse_rows",
                times=ALWAYS,
                match=lambda facts: any(row.get("ActivityType") == REFUSED_TYPE for row in facts["elements"]),
                options={"where": lambda row: row.get("ActivityType") == REFUSED_TYPE},
            )
        )
        world.sink_faults.add(Fault("latency", options={"seconds": LATENCY_SECONDS * SPEED}, **slow))
        played.grow(history, NOON - DAYS * DAY, NOON)
        yield played


async def begin(played: Played, store: Store) -> None:
    """`claude-bridge init`, with the past as history."""
    settings = load(**played.settings())
    async with build(settings, clock=played.clock, credential=played.world.credential, store=store) as bridge:
        (connection,) = bridge.connections
        await live.init(connection)
        await connection.plan_store.update(lambda plan: plans.with_history(plan, NOON - DAYS * DAY, NOON, limit=PAGE))


async def kill_repeatedly(
    played: Played, process: BridgeProcess, config: ProcessConfig, kills: int, cleanup: Callable[[], Awaitable[None]]
) -> None:
    """Start and kill the process `kills` times; activity is added after each, `cleanup` runs after all but the last."""
    for kill in range(kills):
        target = played.requests + played.chance.randint(0, MOST_REQUESTS)
        process.start(config)
        played.wait_for(target)
        await asyncio.sleep(played.chance.uniform(0, KILL_DELAY_SECONDS))
        process.kill()
        played.add_activity()
        if kill + 1 < kills:
            await cleanup()


async def finish(played: Played, store: Store) -> Completeness:
    """Start it again and run it until every hour has been read at the age of 50 hours."""
    settings = load(**played.settings())
    async with build(settings, clock=played.clock, credential=played.world.credential, store=store) as bridge:
        until = played.clock.now()
        await _settle(bridge)
        played.clock.jump(53 * HOUR)
        await _settle(bridge)
        expected = played.world.feed.ids(NOON - DAYS * DAY, until)
        assert len(expected) == played.made
        return await check_completeness(expected, bridge.connections[0], played.world.workspace)


async def _settle(bridge: Bridge) -> None:
    """Run until the plan is empty; another process's leases may have to expire first."""
    keeper = bridge.connections[0].plan_store
    async with asyncio.timeout(120):
        while True:
            runs = [*await bridge.poll(), *await bridge.work_plan()]
            waiting = [window for window in (await keeper.read()).windows if window.state == "waiting"]
            if not waiting and runs[0].state == "ok":
                return
            assert {run.state for run in runs} <= {"ok", "partial", "lease_held", "idle"}, runs
            await asyncio.sleep(0.2 if runs[0].state == "lease_held" else 0)


def check(played: Played, outcome: Completeness, kills: int) -> None:
    assert outcome.missing == ()
    assert outcome.in_workspace + outcome.dead_letters == played.made
    assert outcome.dead_letters == played.refused
    assert outcome.copies <= kills * OPEN_ROWS
    answer = played.world.workspace.query("ClaudeActivity | summarize Rows = count(), Ids = dcount(ActivityId)")
    assert answer.rows[0][0] == outcome.in_workspace
    twice = played.world.workspace.query("ClaudeActivity | summarize Rows = count() by ActivityId | where Rows > 1")
    assert twice.rows == []


def config_of(played: Played, *, container: str | None = None, **settings: object) -> ProcessConfig:
    clock, world = played.clock, played.world
    wanted = played.settings(page_limit=PAGE, **settings)
    return ProcessConfig(clock.start.isoformat(), clock.speed, clock.began, wanted, world.token, container)


async def no_cleanup() -> None:
    """Nothing to do: the kernel has released the file locks."""


async def test_killed_with_state_in_files(chance: random.Random, tmp_path: Path) -> None:
    """120 kills: every activity is a row or a dead letter, a kill duplicates only open rows, the parser shows none."""
    kills, state = 120, tmp_path / "state"
    with playing(chance, history=9_000) as played, BridgeProcess(tmp_path / "process.log") as process:
        await begin(played, FileStore(state))
        await kill_repeatedly(played, process, config_of(played, state_dir=str(state)), kills, no_cleanup)
        check_busy(played)
        check(played, await finish(played, FileStore(state)), kills)
        assert "run.broke" not in process.log


@pytest.mark.long
async def test_killed_with_state_in_blobs(chance: random.Random, tmp_path: Path, azurite: Azurite) -> None:
    """The same after 80 kills; the leases of the last process expire."""
    kills = 80
    with playing(chance, history=3_000) as played, BridgeProcess(tmp_path / "process.log") as process:
        async with azurite.container() as container:
            store = BlobStore(container, SystemClock(), lease_duration=SHORTEST)
            await begin(played, store)
            config = config_of(played, container=container.url)
            await kill_repeatedly(played, process, config, kills, lambda: break_leases(container))
            check_busy(played)
            check(played, await finish(played, store), kills)
            assert "run.broke" not in process.log


async def break_leases(container: ContainerClient) -> None:
    """Break the leases of a dead process, as an operator would."""
    for kind in ("live", "plan"):
        blob = container.get_blob_client(f"lease/sandbox/{RULE_ID}/activity/{kind}~lease")
        with suppress(HttpResponseError):  # it held none at that moment
            await BlobLeaseClient(blob).break_lease(lease_break_period=0)


def check_busy(played: Played) -> None:
    """The processes did some work before they were killed; otherwise the test would show nothing."""
    (row,) = played.world.workspace.query("ClaudeActivity_CL | count").rows
    assert int(row[0]) > played.made / 10
