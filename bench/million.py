"""A million activities of history: how fast, with how many requests, and in how much memory."""

import asyncio
import math
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import httpx
from azure.core.credentials import AccessToken

from bench.busy_feed import DAYS, server
from bench.official import RULE_ID
from bench.reading import Reading, on_one_core, peak_megabytes
from bench.sample import PAGE_SIZE, START
from bench.served import Address
from shared.clock import SimulatedClock
from shared.runs import live
from shared.runs.run import Run
from shared.settings import load
from shared.state import plan as plans
from shared.wiring import build

MOST_MEGABYTES = 256.0
"""Limit of peak resident memory for any count; `most_requests` bounds the requests (220 for a million)."""


class _Credential:
    """A dummy token. The sandbox has one, but importing its world would count in this process's memory."""

    async def get_token(self, *_scopes: str, **_: Any) -> AccessToken:
        return AccessToken("bench", 2**33)

    async def close(self) -> None:
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


def most_requests(count: int) -> int:
    """The number of pages, plus at most two for each day's window: its last page, and an empty one."""
    return math.ceil(count / PAGE_SIZE) + 2 * DAYS


def ours(count: int) -> Reading:
    """Activities a second through `build()` and `work_plan()`, state in files; requests and memory are facts."""
    with server(count) as address, tempfile.TemporaryDirectory() as folder:
        on_one_core()
        with asyncio.Runner() as runner:
            seconds, runs = runner.run(_history(address, Path(folder)))
        uploads = httpx.get(f"{address.url}/uploads", trust_env=False).json()["uploads"]
    sent, requests = sum(run.counts.sent for run in runs), sum(run.requests for run in runs)
    facts = {"requests": float(requests), "uploads": float(uploads), "peak_megabytes": peak_megabytes()}
    if sent != count:
        raise RuntimeError(f"{sent} of {count} activities were sent")
    return Reading(sent / seconds, facts)


async def _history(address: Address, folder: Path) -> tuple[float, list[Run]]:
    """Elapsed seconds, and the runs."""
    settings = load(
        connections=[{"name": "bench"}],
        compliance_api_url=address.url,
        compliance_access_key=address.key,
        ingestion_endpoint=address.url,
        dcr_immutable_id=RULE_ID,
        state_dir=folder,
    )
    end, runs = datetime.fromisoformat(address.end), list[Run]()
    async with build(settings, clock=SimulatedClock(end), credential=_Credential()) as bridge:
        (connection,) = bridge.connections
        await live.init(connection)
        keeper = connection.plan_store
        await keeper.update(lambda plan: plans.with_history(plan, START, end, limit=connection.pace.page_limit))
        started = time.perf_counter()
        while any(window.state == "waiting" for window in (await keeper.read()).windows):
            turn = await bridge.work_plan()
            for run in turn:
                if run.error is not None:
                    raise run.error
            runs += turn
        return time.perf_counter() - started, runs
