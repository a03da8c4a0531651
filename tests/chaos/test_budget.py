"""The request budget used to the full by ten planned windows, while what happens now is fresh.

The API takes a second for a page and gives 600 requests a minute; the bridge is a process of its own. Everything goes
eight times as fast as in life (latency, budget, timers), on clocks that run on real time: what waits for what, and what
the processor costs, stays as it is. A simulated clock, which jumps from sleeper to sleeper, would show neither.
"""

import random
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.activity import FeedEntry
from sandbox.compliance.feed import Feed
from sandbox.faults import Fault
from sandbox.world import World, open_world
from shared import live
from shared.clock import Clock
from shared.plan_keeper import PlanKeeper
from shared.progress import plan as plans
from shared.progress.store import FileStore
from shared.settings import load
from shared.wiring import build
from tests.chaos.activities import made
from tests.chaos.clocks import ScaledClock
from tests.chaos.nursery import Nursery
from tests.chaos.worker import Life

SPEED = 8.0
LATENCY = timedelta(seconds=1)
BUDGET, RESERVE, READERS = 600, 120, 10
DAY, MINUTE, SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
SWITCHED_ON = NOON - 15 * SECOND
MEASURED = 3
"""Whole minutes from NOON on in which requests are counted."""
END = NOON + MEASURED * MINUTE + 45 * SECOND
FRESH = 3 * MINUTE
PAGE = 5
HISTORY = (NOON - 13 * DAY, NOON - 3 * DAY)
PAGES_A_DAY = 250
"""More than a reader can read meanwhile."""


@dataclass
class Meter:
    """Counts each minute's requests of the plan; asked by the server before every answer."""

    planned: Counter[datetime] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, facts: Mapping[str, Any]) -> bool:
        """Every request meets the latency; the plan's are those that read history."""
        until = datetime.fromisoformat(facts["query"]["created_at.lt"][0])
        if until <= HISTORY[1]:
            with self.lock:
                self.planned[facts["now"].replace(second=0, microsecond=0)] += 1
        return True


def past() -> list[FeedEntry]:
    step = DAY / (PAGES_A_DAY * PAGE)
    return [made(number, HISTORY[0] + number * step) for number in range(10 * PAGES_A_DAY * PAGE)]


def present(chance: random.Random) -> list[FeedEntry]:
    """One a second while the bridge runs, each indexed within the minute that is documented."""
    count = int((END - SWITCHED_ON) / SECOND)
    moments = [SWITCHED_ON + number * SECOND for number in range(count)]
    return [
        made(10**6 + number, at, visible_at=at + chance.uniform(5, 50) * SECOND) for number, at in enumerate(moments)
    ]


async def begin(world: World, clock: Clock, settings: dict[str, Any], store: FileStore) -> None:
    async with build(load(**settings), clock=clock, credential=world.credential, store=store) as bridge:
        (connection,) = bridge.connections
        await live.init(connection)
        await PlanKeeper(connection).update(lambda plan: plans.with_history(plan, *HISTORY, limit=PAGE, now=NOON))


def lags(world: World) -> list[timedelta]:
    """From happening to being queryable, of everything that had FRESH of time before the end; sorted."""
    answer = world.workspace.query("ClaudeActivity | where not(IsBackfill) | project EventTime, IngestedAt")
    arrived = {at.replace(tzinfo=UTC): came.replace(tzinfo=UTC) for at, came in answer.rows}
    moments = [SWITCHED_ON + number * SECOND for number in range(int((END - FRESH - SWITCHED_ON) / SECOND))]
    return sorted(arrived.get(at, END + DAY) - at for at in moments)


async def test_the_plan_uses_the_budget_and_the_present_stays_fresh(chance: random.Random, tmp_path: Path) -> None:
    """Ten windows use 90 % of min(600 - reserve, 10 x 60) requests a minute; of the new, 95 % is there in 3 minutes."""
    feed = Feed([*past(), *present(chance)])
    meter = Meter()
    with Nursery(tmp_path / "lives.log") as nursery:
        clock = ScaledClock(SWITCHED_ON, speed=SPEED)
        with open_world(clock, feed=feed, own_rows=False) as world:
            world.api.state.budget.per_minute = BUDGET
            seconds = LATENCY.total_seconds() / SPEED
            world.api_faults.add(Fault("latency", times=10**9, match=meter, options={"seconds": seconds}))
            state = tmp_path / "state"
            settings = {**world.settings(), "plan_readers": READERS, "request_reserve": RESERVE}
            await begin(world, clock, settings, FileStore(state))
            settings["state_dir"] = str(state)
            nursery.give(
                Life(
                    clock.start.isoformat(),
                    clock.speed,
                    clock.began,
                    settings,
                    world.token,
                    pause=MINUTE.total_seconds(),
                    until=END.isoformat(),
                )
            )
            nursery.wait()
            found = lags(world)
    possible = min(BUDGET - RESERVE, READERS * int(MINUTE / LATENCY))
    used = [meter.planned[NOON + minute * MINUTE] for minute in range(MEASURED)]
    assert sum(used) >= 0.9 * possible * MEASURED, used
    assert max(used) <= BUDGET - RESERVE + READERS, used
    assert found[int(0.95 * len(found))] < FRESH, found[-5:]
