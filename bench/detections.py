"""Time to bind all rules and hunts, and to execute them over the demo tenant's thirty days."""

import time
from datetime import UTC, datetime, timedelta
from itertools import islice

import msgspec

from bench.reading import Reading, peak_megabytes
from kql import LocalWorkspace
from sandbox.tenant import build_tenant
from sentinel.tools.backtest import engine
from sentinel.tools.backtest.engine import Past
from sentinel.tools.load import content
from sentinel.tools.load.models import Rule
from sentinel.tools.prove.verdict import bound_queries
from shared import __version__, tables
from shared.clock import SimulatedClock
from shared.streams.activity.fold import RowContext, fold

END = datetime(2026, 11, 4, 8, tzinfo=UTC)
MONTH = timedelta(days=30)
PORTION = 5000


def ours(count: int) -> Reading:
    """Seconds to execute every rule and hunt once over a month of `count` people; binding time is a fact."""
    files = content.all_detections()
    started = time.perf_counter()
    bound = bound_queries(files)
    binding = time.perf_counter() - started
    past = Past(_month(max(count, 20)), types=engine.types_read(bound.values()))
    executed = [file for file in files if file.value.execution == "executed"]
    started = time.perf_counter()
    for file in executed:
        # A rule's window for new rows is widened to the month, so that its conditions and joins run over all rows.
        wide = {file.value.query_frequency: MONTH} if isinstance(file.value, Rule) else {}
        past.ask(engine.as_of(bound[file.slug], engine.AT, instead=wide), END, MONTH)
    executing = time.perf_counter() - started
    past.close()
    facts = {"bind_seconds": binding, "executed": float(len(executed)), "bound": float(len(files))}
    return Reading(executing, {**facts, "peak_megabytes": peak_megabytes()})


def _month(people: int) -> LocalWorkspace:
    """The demo tenant's month with its storylines, through the real normalizer."""
    workspace = LocalWorkspace.create(None, SimulatedClock(END), [tables.load(name) for name in tables.table_names()])
    context = RowContext("bench", "0a1b2c3d-0000-4000-8000-00000000be4c", __version__, "backfill", True, END)
    decode = msgspec.json.Decoder().decode
    tenant = build_tenant(start=END - MONTH, end=END, people=people)
    rows = (fold(decode(entry.body), context).row for entry in tenant.entries)
    while portion := list(islice(rows, PORTION)):
        workspace.store(tables.ACTIVITY, portion, ingested_at=END)
    return workspace
