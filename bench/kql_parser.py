"""The cost of the parser in the sandbox's workspace, compared with the raw table it reads."""

import time
from datetime import timedelta
from itertools import islice

import msgspec

from bench.reading import Reading, peak_megabytes
from bench.sample import LONGEST, START, entries
from kql import LocalWorkspace
from shared import __version__, tables
from shared.clock import SimulatedClock
from shared.streams.activity.fold import RowContext, fold

PORTION = 5000
SUMMARY = "summarize count() by Category"
NOW = START + LONGEST


def ours(count: int) -> Reading:
    """Seconds for `ClaudeActivity | summarize count() by Category`: first copies, with the join to health."""
    return _asked(f"ClaudeActivity | {SUMMARY}", count)


def baseline(count: int) -> Reading:
    """Seconds for the same query on `ClaudeActivity_CL`: no de-duplication, no IsOwnRead."""
    return _asked(f"{tables.ACTIVITY} | {SUMMARY}", count)


def _asked(kql: str, count: int) -> Reading:
    clock = SimulatedClock(NOW)
    workspace = LocalWorkspace.create(None, clock, [tables.load(name) for name in tables.table_names()])
    try:
        _fill(workspace, count)
        started = time.perf_counter()
        answer = workspace.query(kql)
        seconds = time.perf_counter() - started
    finally:
        workspace.close()
    counted = sum(int(rows) for _, rows in answer.rows)
    if counted != count:
        raise RuntimeError(f"{counted} of {count} rows were counted")
    return Reading(seconds, {"peak_megabytes": peak_megabytes()})


def _fill(workspace: LocalWorkspace, count: int) -> None:
    context = RowContext("bench", "0a1b2c3d-0000-4000-8000-00000000be4c", __version__, "backfill", True, NOW)
    decode = msgspec.json.Decoder().decode
    rows = (fold(decode(entry.body), context).row for entry in entries(count))
    ingested_at = NOW
    while portion := list(islice(rows, PORTION)):
        workspace.store(tables.ACTIVITY, portion, ingested_at=ingested_at)
        ingested_at += timedelta(seconds=1)
