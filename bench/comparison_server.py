"""The servers of the comparison: `python -m bench.comparison_server SCENARIO SCALE FEED`.

FEED is a file written by `write_feed`. The feed, the ingestion endpoint and their faults run on one simulated clock,
which the client sets (PUT /clock). GET /outcome reports what was stored. Prints its address as a line of JSON and
serves until its standard input ends.
"""

import json
import os
import random
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from bench.comparison_client import ComparisonServers, Outcome
from bench.official import RULE_ID
from bench.scenarios import BURST_MINUTE, BUSY, BY_NAME, END, INDEXED_WITHIN, START, Scenario, inject_faults, minute
from kql import LocalWorkspace
from sandbox.activity import FeedEntry, feed_entry
from sandbox.compliance.api import compliance_app
from sandbox.compliance.feed import SimulatedFeed
from sandbox.compliance.keys import READ_ACTIVITIES, ApiKey
from sandbox.compliance.server import Served
from sandbox.faults import Faults
from sandbox.ingestion import CollectionRule, ingestion_app
from sandbox.tenant import days
from shared import tables
from shared.clock import SimulatedClock

KEY = ApiKey("sk-ant-api01-bench", "apikey_01FAKEbench", "compliance", frozenset({READ_ACTIVITIES}))
PEOPLE = 2_000

_decode = msgspec.json.Decoder().decode


def write_feed(path: Path, *, people: int = PEOPLE, seed: int = 7) -> int:
    """Write the activities of the tenant's busy hours as JSONL and return their number. Slow, so done once."""
    midnight = START.replace(hour=0)
    lived = days(start=midnight, end=midnight + timedelta(days=1), people=people, seed=seed, late_share=0.0)
    awake = [entry.body for entry in chain.from_iterable(lived) if START <= entry.created_at < START + BUSY]
    path.write_bytes(b"".join(body + b"\n" for body in awake))
    return len(awake)


def entries(scenario: Scenario, feed: Path, *, seed: int = 7) -> Iterator[FeedEntry]:
    """The feed of a scenario, with late activities and the burst."""
    chance = random.Random(f"{seed}/{scenario.name}")
    awake = [feed_entry(_decode(line)) for line in feed.read_bytes().splitlines()]
    for entry in awake:
        late = chance.random() < scenario.late_share
        delay = timedelta(minutes=chance.uniform(2, 40)) if late else INDEXED_WITHIN * chance.random()
        yield replace(entry, visible_at=entry.created_at + delay)
    for number in range(scenario.burst):
        yield _again(awake[number % len(awake)], number, scenario.burst, chance)


def _again(entry: FeedEntry, number: int, count: int, chance: random.Random) -> FeedEntry:
    """Another activity like `entry`, in the minute of the burst."""
    at = minute(BURST_MINUTE) + timedelta(microseconds=60_000_000 * number // count)
    activity = {
        **_decode(entry.body),
        "id": f"activity_burst{number:08d}",
        "created_at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    return feed_entry(activity, visible_at=at + INDEXED_WITHIN * chance.random())


@dataclass(slots=True)
class _Stored:
    """Rows of the activity table in order of arrival; other tables are ignored."""

    ids: list[str] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)

    def store(self, table: str, rows: Sequence[Mapping[str, Any]], /, *, ingested_at: datetime) -> None:
        if table == tables.ACTIVITY:
            self.ids += [str(row["ActivityId"]) for row in rows]
            self.times += [ingested_at] * len(rows)

    def shown(self) -> int:
        """The number of rows that the parser returns."""
        workspace = LocalWorkspace.create(
            None, SimulatedClock(END), [tables.load(name) for name in tables.table_names()]
        )
        try:
            rows = [{"ActivityId": id, "TimeGenerated": END} for id in self.ids]
            workspace.store(tables.ACTIVITY, rows, ingested_at=END)
            return int(workspace.query("ClaudeActivity() | count").rows[0][0])
        finally:
            workspace.close()


def comparison_app(scenario: Scenario, path: Path) -> Starlette:
    """All servers as one application."""
    clock, api_faults, sink_faults, stored = SimulatedClock(START), Faults(), Faults(), _Stored()
    happened = {entry.id: entry for entry in entries(scenario, path)}
    feed = SimulatedFeed(happened.values())
    inject_faults(scenario, api_faults, sink_faults)
    streams = {tables.load(name).stream: tables.load(name) for name in tables.table_names()}
    api = compliance_app(feed, [KEY], clock, faults=api_faults, own_rows=False)
    ingestion = ingestion_app({RULE_ID: CollectionRule(RULE_ID, streams, stored.store)}, clock, faults=sink_faults)
    requests = 0

    async def set_clock(request: Request) -> Response:
        clock.advance_to(datetime.fromisoformat((await request.body()).decode()))
        return Response(status_code=204)

    async def outcome(_: Request) -> Response:
        created = {id: entry.created_at for id, entry in happened.items()}
        return JSONResponse(asdict(_judged(created, stored, requests, sum(ingestion.state.metrics.calls.values()))))

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        nonlocal requests
        requests += 1
        await api(scope, receive, send)

    routes = [Route("/clock", set_clock, methods=["PUT"]), Route("/outcome", outcome), *ingestion.routes]
    return Starlette(routes=[*routes, Mount("/", counted)])


def _judged(happened: Mapping[str, datetime], stored: _Stored, requests: int, uploads: int) -> Outcome:
    first: dict[str, datetime] = {}
    for id, at in zip(stored.ids, stored.times, strict=True):
        first.setdefault(id, at)
    delays = sorted((at - happened[id]).total_seconds() / 60 for id, at in first.items())
    return Outcome(
        expected=len(happened),
        rows=len(stored.ids),
        lost=len(happened.keys() - first.keys()),
        doubled=len(stored.ids) - len(first),
        shown_twice=stored.shown() - len(first),
        requests=requests,
        uploads=uploads,
        median_delay_minutes=statistics.median(delays),
        p95_delay_minutes=delays[int(len(delays) * 0.95)],
    )


def main() -> None:
    name, scale, path = sys.argv[1:]
    with Served(comparison_app(BY_NAME[name].thinned(float(scale)), Path(path))) as served:
        line = json.dumps(asdict(ComparisonServers(served.url, KEY.secret))) + "\n"
        with suppress(BrokenPipeError):  # the client has been stopped
            os.write(sys.stdout.fileno(), line.encode())
        sys.stdin.read()


if __name__ == "__main__":
    main()
