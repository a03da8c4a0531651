"""Ten planned windows use the whole request budget, while live reading stays current.

The API takes a second for a page and allows 600 requests a minute. The real bridge calls it over HTTP in one event loop
with virtual time: ten readers, live reading, uploads and files wait for each other as in production, and only waiting
takes time. (Every sleeper advances a SimulatedClock, so that ten waits of a second would take ten; accelerated real
time would measure the load of the machine. CPU cost is measured by `make bench`.)
"""

import asyncio
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.activity import FeedEntry
from sandbox.compliance.api import compliance_app
from sandbox.compliance.feed import SimulatedFeed
from sandbox.compliance.keys import READ_ACTIVITIES, ApiKey
from sandbox.faults import Fault, Faults
from sandbox.ingestion import CollectionRule, ingestion_app
from sandbox.world import RULE_ID, SandboxCredential
from shared import tables
from shared.clock import Clock
from shared.runs import live
from shared.settings import load
from shared.state import plan as plans
from shared.wiring import Bridge, build
from tests.chaos.activities import made
from tests.chaos.virtual import VirtualClock, VirtualLoop

LATENCY = timedelta(seconds=1)
BUDGET, RESERVE, READERS = 600, 120, 10
DAY, MINUTE, SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
SWITCHED_ON = NOON - 5 * SECOND
MEASURED = 3
"""Whole minutes from NOON on in which requests are counted."""
FRESH = 3 * MINUTE
END = NOON + MEASURED * MINUTE + 55 * SECOND
PAGE = 2
HISTORY = (NOON - 13 * DAY, NOON - 3 * DAY)
PAGES_A_DAY = 240
"""More than a reader can read during the test."""
KEY = ApiKey("sk-ant-api01-chaos", "apikey_01Chaos", "compliance", frozenset({READ_ACTIVITIES}))


@dataclass
class Served:
    """The API and a table in memory; `planned` counts the requests for history per minute."""

    url: str
    clock: Clock
    planned: Counter[datetime] = field(default_factory=Counter)
    arrived: dict[str, datetime] = field(default_factory=dict)

    def count(self, facts: Mapping[str, Any]) -> bool:
        """Count a request and apply the latency to it."""
        if datetime.fromisoformat(facts["query"]["created_at.lt"][0]) <= HISTORY[1]:
            self.planned[facts["now"].replace(second=0, microsecond=0)] += 1
        return True

    def store(self, table: str, rows: Sequence[Mapping[str, Any]], *, ingested_at: datetime) -> None:
        for row in rows:
            self.arrived.setdefault(row.get("ActivityId", ""), ingested_at)


def past() -> list[FeedEntry]:
    step = DAY / (PAGES_A_DAY * PAGE)
    return [made(number, HISTORY[0] + number * step) for number in range(10 * PAGES_A_DAY * PAGE)]


def present(chance: random.Random) -> list[FeedEntry]:
    """One a second while the bridge runs, each indexed within the documented minute."""
    moments = [SWITCHED_ON + number * SECOND for number in range(int((END - SWITCHED_ON) / SECOND))]
    return [
        made(10**6 + number, at, visible_at=at + chance.uniform(5, 50) * SECOND) for number, at in enumerate(moments)
    ]


@asynccontextmanager
async def serving(feed: SimulatedFeed, clock: Clock) -> AsyncIterator[Served]:
    """API and ingestion endpoint on one port, in this loop."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        served = Served(f"http://127.0.0.1:{listening.getsockname()[1]}", clock)
        faults = Faults()
        seconds = LATENCY.total_seconds()
        faults.add(Fault("latency", times=10**9, match=served.count, options={"seconds": seconds}))
        api = compliance_app(feed, [KEY], clock, faults=faults, requests_per_minute=BUDGET, own_rows=False)
        streams = {tables.load(name).stream: tables.load(name) for name in tables.table_names()}
        ingestion = ingestion_app({RULE_ID: CollectionRule(RULE_ID, streams, served.store)}, clock)
        app = Starlette(routes=[*ingestion.routes, Mount("/", api)])
        config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, date_header=False)
        server = uvicorn.Server(config)
        serve = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield served
        finally:
            server.should_exit = True
            await serve


async def live_until(end: datetime, bridge: Bridge, clock: Clock) -> None:
    """Poll and work on the plan every minute, as the timers do."""

    async def tick(work: Callable[[], Awaitable[Any]]) -> NoReturn:
        while True:
            following = clock.now() + MINUTE
            await work()
            await clock.sleep(max(0.0, (following - clock.now()).total_seconds()))

    with suppress(TimeoutError):
        async with asyncio.timeout((end - clock.now()).total_seconds()), asyncio.TaskGroup() as group:
            group.create_task(tick(bridge.poll))
            group.create_task(tick(bridge.work_plan))


async def played(chance: random.Random, state: Path) -> Served:
    clock = VirtualClock(SWITCHED_ON, asyncio.get_running_loop())
    feed = SimulatedFeed([*past(), *present(chance)])
    async with serving(feed, clock) as served:
        settings = load(
            connections=[{"name": "chaos"}],
            compliance_api_url=served.url,
            compliance_access_key=KEY.secret,
            ingestion_endpoint=served.url,
            dcr_immutable_id=RULE_ID,
            state_dir=state,
            plan_readers=READERS,
            request_reserve=RESERVE,
        )
        async with build(settings, clock=clock, credential=SandboxCredential("chaos")) as bridge:
            (connection,) = bridge.connections
            await live.init(connection)
            await connection.plan_store.update(lambda plan: plans.with_history(plan, *HISTORY, limit=PAGE, now=NOON))
            await live_until(END, bridge, clock)
    return served


def lags(served: Served, entries: Sequence[FeedEntry]) -> list[timedelta]:
    """Time from creation to storage, for all created at least FRESH before the end; a day if never stored."""
    due = [entry for entry in entries if entry.created_at <= END - FRESH]
    return sorted(served.arrived.get(entry.id, entry.created_at + DAY) - entry.created_at for entry in due)


def test_the_plan_uses_the_budget_and_the_present_stays_fresh(chance: random.Random, tmp_path: Path) -> None:
    """Ten windows use 90 % of min(600 - reserve, 10 x 60) requests a minute; 95 % of new rows arrive in 3 minutes."""
    seed = chance.random()
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        served = runner.run(played(random.Random(seed), tmp_path))
    possible = min(BUDGET - RESERVE, READERS * int(MINUTE / LATENCY))
    used = [served.planned[NOON + minute * MINUTE] for minute in range(MEASURED)]
    assert min(used) >= 0.9 * possible, used
    assert max(used) <= BUDGET - RESERVE + READERS, used
    found = lags(served, present(random.Random(seed)))
    assert len(found) == int((END - FRESH - SWITCHED_ON) / SECOND) + 1
    assert found[int(0.95 * len(found))] < FRESH, found[-5:]
