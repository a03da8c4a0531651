"""A history read and sent over HTTP: activities per second of one process, compared with a naive loop."""

import asyncio
import logging
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from azure.monitor.ingestion import LogsIngestionClient

from bench.official import RULE_ID, STREAM, NoCredential
from bench.reading import Reading, on_one_core, peak_megabytes
from bench.sample import PAGE_SIZE, START
from bench.served import Address, server
from sandbox.compliance.api import ACTIVITIES_PATH
from sandbox.world import SandboxCredential
from shared.clock import SimulatedClock
from shared.runs import live
from shared.runs.run import Run
from shared.settings import load
from shared.state import plan as plans
from shared.state.plan import PlanStore
from shared.streams.activity.endpoint import rfc3339
from shared.wiring import Bridge, build


def ours(count: int) -> Reading:
    """Activities a second through `build()` and `work_plan()`, with state in files."""
    with server(count) as address, tempfile.TemporaryDirectory() as folder:
        on_one_core()
        with asyncio.Runner() as runner:
            seconds, runs = runner.run(_history(address, Path(folder)))
        sent = sum(run.counts.sent for run in runs)
        requests = sum(run.requests for run in runs)
        return _reading(count, sent, seconds, requests, address)


def baseline(count: int) -> Reading:
    """The same feed, page by page, with `json()` and `LogsIngestionClient.upload(list)`: no ledger, rows or state."""
    with server(count) as address:
        on_one_core()
        logging.getLogger("azure").setLevel(logging.WARNING)
        with (
            httpx.Client(base_url=address.url, headers={"x-api-key": address.key}, timeout=60, trust_env=False) as http,
            LogsIngestionClient(address.url, NoCredential()) as client,
        ):
            started = time.perf_counter()
            sent, requests = _simple_loop(http, client, address)
            seconds = time.perf_counter() - started
        return _reading(count, sent, seconds, requests, address)


async def _history(address: Address, folder: Path) -> tuple[float, list[Run]]:
    settings = load(
        connections=[{"name": "bench"}],
        compliance_api_url=address.url,
        compliance_access_key=address.key,
        ingestion_endpoint=address.url,
        dcr_immutable_id=RULE_ID,
        state_dir=folder,
    )
    end = datetime.fromisoformat(address.end)
    async with build(settings, clock=SimulatedClock(end), credential=SandboxCredential("bench")) as bridge:
        (connection,) = bridge.connections
        await live.init(connection)
        keeper = connection.plan_store
        await keeper.update(lambda plan: plans.with_history(plan, START, end, limit=connection.pace.page_limit))
        started = time.perf_counter()
        runs = await _to_the_end(bridge, keeper)
        return time.perf_counter() - started, runs


async def _to_the_end(bridge: Bridge, keeper: PlanStore) -> list[Run]:
    runs: list[Run] = []
    while any(window.state == "waiting" for window in (await keeper.read()).windows):
        turn = await bridge.work_plan()
        for run in turn:
            if run.error is not None:
                raise run.error
        runs += turn
    return runs


def _simple_loop(http: httpx.Client, client: LogsIngestionClient, address: Address) -> tuple[int, int]:
    """Rows sent, requests made."""
    query: dict[str, str | int] = {
        "created_at.gte": rfc3339(START),
        "created_at.lt": rfc3339(datetime.fromisoformat(address.end)),
        "order": "asc",
        "limit": PAGE_SIZE,
    }
    sent = requests = 0
    more = True
    while more:
        page: dict[str, Any] = http.get(ACTIVITIES_PATH, params=query).raise_for_status().json()
        requests += 1
        client.upload(RULE_ID, STREAM, page["data"], enforce_https=False)
        sent += len(page["data"])
        more = page["has_more"]
        query["after_id"] = page["last_id"]
    return sent, requests


def _reading(count: int, sent: int, seconds: float, requests: int, address: Address) -> Reading:
    if sent != count:
        raise RuntimeError(f"{sent} of {count} activities were sent")
    seen = httpx.get(f"{address.url}/uploads", trust_env=False).json()
    return Reading(
        sent / seconds,
        {
            "requests": requests,
            "uploads": seen["uploads"],
            "wire_bytes_per_row": seen["wire_bytes"] / sent,
            "peak_megabytes": peak_megabytes(),
        },
    )
