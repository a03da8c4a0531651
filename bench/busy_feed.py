"""A busy organization's feed, generated on request: `python -m bench.busy_feed COUNT` serves it.

A million activities of a kilobyte, kept, would take the serving machine gigabytes; these are made when a page is asked
for, from a sample, an id and a time. They lie evenly over ten days, so that ten planned windows are read at once.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta

import msgspec
from starlette.applications import Starlette
from starlette.routing import Mount

from bench.reading import on_the_other_cores
from bench.sample import START, entries
from bench.served import KEY, PLENTY, Address, discarding_app
from sandbox.activity import FeedEntry
from sandbox.compliance.api import compliance_app
from sandbox.compliance.feed import FeedPage, FeedQuery, SimulatedFeed
from sandbox.compliance.server import Served
from shared.clock import SimulatedClock

DAYS = 10
SPAN = timedelta(days=DAYS)
SAMPLES = 1000
_ID, _TIME = b"@the-id@", b"@the-time@"


class MadeFeed(SimulatedFeed):
    """`count` activities from START on, evenly over SPAN; read oldest first and without filters, as history is."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count
        self._step = SPAN / count
        self._samples = [_blank(entry) for entry in entries(SAMPLES)]

    def __len__(self) -> int:
        return self._count

    def page(self, query: FeedQuery, now: datetime) -> FeedPage:
        """ValueError for unsupported queries: another order, a filter, backward paging."""
        if replace(query, gte=None, lt=None, after=None, limit=0) != FeedQuery(order="asc", limit=0):
            raise ValueError(f"this feed is read oldest first and whole, not {query}")
        low = self._first(query.gte) if query.gte is not None else 0
        high = self._first(query.lt) if query.lt is not None else self._count
        if query.after is not None:
            low = max(low, self._first(query.after.created_at) + 1)
        last = min(high, low + query.limit)
        return FeedPage(tuple(self._entry(number) for number in range(low, last)), has_more=last < high)

    def _first(self, moment: datetime) -> int:
        """The number of the first activity at or after `moment`."""
        return min(self._count, max(0, -((START - moment) // self._step)))

    def _entry(self, number: int) -> FeedEntry:
        sample, at = self._samples[number % SAMPLES], START + number * self._step
        id, time = f"activity_01{number:022d}", at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        body = sample.body.replace(_ID, id.encode(), 1).replace(_TIME, time.encode(), 1)
        return replace(sample, created_at=at, visible_at=at, id=id, body=body)


def _blank(entry: FeedEntry) -> FeedEntry:
    activity = msgspec.json.decode(entry.body)
    activity["id"], activity["created_at"] = _ID.decode(), _TIME.decode()
    return replace(entry, body=msgspec.json.encode(activity))


@contextmanager
def server(count: int) -> Iterator[Address]:
    """Start the server process; it ends with the block."""
    command = [sys.executable, "-m", "bench.busy_feed", str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("the serving process ended before it served; its message stands above")
            yield Address(**json.loads(line))
        finally:
            process.stdin.close()


def main() -> None:
    on_the_other_cores()
    end = START + SPAN
    feed = MadeFeed(int(sys.argv[1]))
    api = compliance_app(feed, [KEY], SimulatedClock(end), requests_per_minute=PLENTY, own_rows=False)
    with Served(Starlette(routes=[*discarding_app().routes, Mount("/", api)])) as served:
        line = json.dumps(asdict(Address(served.url, KEY.secret, end.isoformat()))) + "\n"
        with suppress(BrokenPipeError):  # the client has been stopped
            os.write(sys.stdout.fileno(), line.encode())
        sys.stdin.read()


if __name__ == "__main__":
    main()
