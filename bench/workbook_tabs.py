"""Load time of a tab of the local workbook page over many activities, from the click to its last tile."""

import asyncio
import tempfile
import time
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import msgspec

from bench.kql_parser import PORTION
from bench.reading import Reading, peak_megabytes
from bench.sample import START, entries
from kql import LocalWorkspace
from sandbox.page.app import PageContext
from sandbox.page.serve import open_page
from shared import __version__, tables
from shared.clock import SimulatedClock
from shared.streams.activity.fold import RowContext, fold

MOST_SECONDS = 3.0
LOOKBACK = "365d"
"""A million activities of 400 people are about eight months: all of them are in the period."""
RUN = "0a1b2c3d-0000-4000-8000-00000000be4c"

_decode = msgspec.json.Decoder().decode


def ours(count: int) -> Reading:
    """Seconds of the slowest tab on first load; the facts are all tabs' times, and the opening time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "million.duckdb"
        last = _fill(path, count)
        begun = time.perf_counter()
        with open_page(path, SimulatedClock(last)) as opened:
            facts = asyncio.run(_tabs(opened.address, opened.context, begun))
    facts["peak_megabytes"] = peak_megabytes()
    return Reading(max(seconds for name, seconds in facts.items() if name.startswith("tab_")), facts)


async def _tabs(address: str, desk: PageContext, begun: float) -> dict[str, float]:
    facts: dict[str, float] = {}
    async with httpx.AsyncClient(trust_env=False, follow_redirects=True, timeout=120) as client:
        await client.get(address)
        base = address.partition("/?")[0]
        somebody = await _answer(client, f"{base}/api/choices/Person", {})
        facts["opening_seconds"] = time.perf_counter() - begun
        chosen = {"TimeRange": LOOKBACK, "Person": somebody["rows"][0][0]}
        for page in desk.book.pages:
            asked = chosen if page.slug == "person" else {"TimeRange": LOOKBACK}
            started = time.perf_counter()
            await asyncio.gather(
                *(_answer(client, f"{base}/api/tile/{page.slug}/{tile}", asked) for tile in page.queries)
            )
            facts[f"tab_{page.slug}_seconds"] = time.perf_counter() - started
    return facts


async def _answer(client: httpx.AsyncClient, url: str, chosen: dict[str, str]) -> dict[str, Any]:
    answer = await client.get(url, params=chosen)
    if answer.status_code != 200:
        raise RuntimeError(f"{url}: {answer.text}")
    found: dict[str, Any] = answer.json()
    return found


def _fill(path: Path, count: int) -> datetime:
    """Rows of the sample in a workspace file, and a health row with every hour's digest; returns the last moment."""
    workspace = LocalWorkspace.create(path, SimulatedClock(START), [tables.load(name) for name in tables.table_names()])
    last = START
    try:
        source = entries(count)
        while portion := list(islice(source, PORTION)):
            last = portion[-1].created_at
            rows = [
                fold(_decode(entry.body), RowContext("bench", RUN, __version__, "live", False, entry.created_at)).row
                for entry in portion
            ]
            workspace.store(tables.ACTIVITY, rows, ingested_at=last)
        workspace.store(tables.HEALTH, [_health(workspace, last)], ingested_at=last)
    finally:
        workspace.close()
    return last


def _health(workspace: LocalWorkspace, last: datetime) -> dict[str, Any]:
    """A run that digested every hour, as the bridge writes it."""
    digests = workspace.query(
        f"""{tables.ACTIVITY}
| extend Bits = tolong(strcat("0x", substring(hash_sha256(ActivityId), 0, 10)))
| summarize ids = count(), sum = sum(Bits) by hour = bin(EventTime, 1h)"""
    ).objects()
    return {
        "TimeGenerated": last,
        "EventTime": last,
        "ConnectionName": "bench",
        "RunId": RUN,
        "RunKind": "history",
        "State": "ok",
        "Part": 1,
        "Parts": 1,
        "Digests": [{**digest, "hour": digest["hour"].isoformat(), "dead": 0} for digest in digests],
    }
