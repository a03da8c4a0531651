"""SIGKILL at random moments: a real process runs the real bridge, dies 200 times, and the table ends up with the feed.

Time runs a minute a second, so that a short life polls and plans many times. Lives are measured in requests, not in
seconds: on a busy machine they last longer, and do as much. A killed process's file locks are free at once, as in real
life. Its Blob leases would last up to a minute: after every kill but the last they are broken, as an operator would;
after the last they run out by themselves (the shortest allowed, 15 seconds).
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
from tests.chaos.clocks import ScaledClock
from tests.chaos.nursery import Nursery
from tests.chaos.worker import Life

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
SPEED = 60.0
DAYS = 6
PAGE, READERS = 20, 3
OPEN_ROWS = PAGE * (READERS + 1)
"""What one kill can cost: the page of each planned reader and of the live walk, accepted and not yet remembered."""
LATENCY_SECONDS = 0.002
MOST_REQUESTS = 12
"""A life sees up to so many pages asked for and uploads before it ends."""
LAST_BREATH_SECONDS = 0.02
"""And goes on for up to so long: with what follows a request, or the next one under way."""
NEVER_SECONDS = 60.0
FOR_EVER = 10**9


@dataclass
class Played:
    """A served tenant whose feed grows, and the place where the bridge keeps its state."""

    world: World
    clock: ScaledClock
    chance: random.Random
    made: int = 0
    refused: int = 0
    requests: int = 0
    counted: threading.Condition = field(default_factory=threading.Condition)

    def count(self, _: Mapping[str, Any]) -> bool:
        """The servers ask about every request; all of them meet the latency."""
        with self.counted:
            self.requests += 1
            self.counted.notify_all()
        return True

    def wait_for(self, requests: int) -> None:
        with self.counted:
            assert self.counted.wait_for(lambda: self.requests >= requests, NEVER_SECONDS), "the bridge does nothing"

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

    def happen(self) -> None:
        """What happens between two deaths: a few activities of this minute, and one or two shown hours late."""
        now = self.clock.now()
        self.grow(8, now - MINUTE / 2, now)
        self.grow(self.chance.randint(1, 2), now - 5 * HOUR, now)

    def settings(self, **more: object) -> dict[str, object]:
        return {**self.world.settings(), "plan_readers": READERS, **more}


@contextmanager
def playing(chance: random.Random, history: int) -> Iterator[Played]:
    """A world in a minute-a-second, with a past of `history` activities and answers that take a moment."""
    clock = ScaledClock(NOON, speed=SPEED)
    with open_world(clock, feed=SimulatedFeed(), own_rows=False) as world:
        world.api.state.budget.per_minute = FOR_EVER
        played = Played(world, clock, chance)
        slow: dict[str, Any] = {"match": played.count, "times": FOR_EVER}
        world.api_faults.add(Fault("latency", options={"seconds": LATENCY_SECONDS}, **slow))
        world.sink_faults.add(
            Fault(
                "refuse_rows",
                times=FOR_EVER,
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


async def die(played: Played, nursery: Nursery, life: Life, kills: int, buried: Callable[[], Awaitable[None]]) -> None:
    """Let it live and kill it, `kills` times. After each death the world goes on; all but the last are `buried`."""
    for kill in range(kills):
        fate = played.requests + played.chance.randint(0, MOST_REQUESTS)
        nursery.give(life)
        played.wait_for(fate)
        await asyncio.sleep(played.chance.uniform(0, LAST_BREATH_SECONDS))
        nursery.take()
        played.happen()
        if kill + 1 < kills:
            await buried()


async def finish(played: Played, store: Store) -> Completeness:
    """Switch it on once more and leave it alone until every hour has been read at the age of 50 hours."""
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
    """Run until the plan is empty; another process's leases may have to run out first."""
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


def life_of(played: Played, *, container: str | None = None, **settings: object) -> Life:
    clock, world = played.clock, played.world
    wanted = played.settings(page_limit=PAGE, **settings)
    return Life(clock.start.isoformat(), clock.speed, clock.began, wanted, world.token, container)


async def nothing_to_bury() -> None:
    """The kernel has given the locks back."""


async def test_killed_with_state_in_files(chance: random.Random, tmp_path: Path) -> None:
    """120 kills: every activity is in the table or set aside, a kill repeats at most what was open, the parser none."""
    kills, state = 120, tmp_path / "state"
    with playing(chance, history=9_000) as played, Nursery(tmp_path / "lives.log") as nursery:
        await begin(played, FileStore(state))
        await die(played, nursery, life_of(played, state_dir=str(state)), kills, nothing_to_bury)
        check_busy(played)
        check(played, await finish(played, FileStore(state)), kills)
        assert "run.broke" not in nursery.log


@pytest.mark.long
async def test_killed_with_state_in_blobs(chance: random.Random, tmp_path: Path, azurite: Azurite) -> None:
    """80 kills, the same law; what the last one held is waited for."""
    kills = 80
    with playing(chance, history=3_000) as played, Nursery(tmp_path / "lives.log") as nursery:
        async with azurite.container() as container:
            store = BlobStore(container, SystemClock(), lease_duration=SHORTEST)
            await begin(played, store)
            life = life_of(played, container=container.url)
            await die(played, nursery, life, kills, lambda: break_leases(container))
            check_busy(played)
            check(played, await finish(played, store), kills)
            assert "run.broke" not in nursery.log


async def break_leases(container: ContainerClient) -> None:
    """As an operator frees what a dead process held."""
    for walk in ("live", "plan"):
        blob = container.get_blob_client(f"lease/sandbox/{RULE_ID}/activity/{walk}~lease")
        with suppress(HttpResponseError):  # it held none at that moment
            await BlobLeaseClient(blob).break_lease(lease_break_period=0)


def check_busy(played: Played) -> None:
    """The lives did work before they were cut short: else the test would show nothing."""
    (row,) = played.world.workspace.query("ClaudeActivity_CL | count").rows
    assert int(row[0]) > played.made / 10
