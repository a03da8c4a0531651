"""How fast the simulated Compliance API serves full pages: `python -m bench.sandbox_feed`.

Method: a feed of 200,000 seeded activities of about 650 bytes; each line is the median of 15 pages of 5,000, oldest
first, taken one after the other from the middle of the feed, so that each starts from a cursor. `feed` is the lookup
alone, `envelope` adds the JSON, `in process` the whole application, `http` the same through a socket.
The aim is 15 ms for feed and envelope together: the simulator must never be what a measurement of the bridge measures.
"""

import asyncio
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx

from sandbox.activity import FeedEntry, feed_entry
from sandbox.compliance.activities import envelope
from sandbox.compliance.api import ACTIVITIES_PATH, compliance_app
from sandbox.compliance.cursors import FeedPosition, encode
from sandbox.compliance.feed import FeedQuery, SimulatedFeed
from sandbox.compliance.keys import READ_ACTIVITIES, ApiKey
from sandbox.compliance.server import Served
from shared.clock import SimulatedClock

FEED_SIZE, PAGE_SIZE, PAGES = 200_000, 5_000, 15
START = datetime(2026, 10, 1, tzinfo=UTC)
KEY = ApiKey("sk-ant-api01-bench", "apikey_01FAKEbench", "compliance", frozenset({READ_ACTIVITIES}))


def made(number: int) -> FeedEntry:
    """One activity with the typical size of a file activity."""
    return feed_entry(
        {
            "id": f"activity_01{number:022d}",
            "type": "claude_file_uploaded",
            "created_at": (START + timedelta(milliseconds=500 * number)).isoformat(),
            "organization_id": "org_01FAKEorg000000000000001",
            "organization_uuid": "3f0c9a52-0000-4000-8000-00000000a001",
            "actor": {
                "type": "user_actor",
                "email_address": "mara.lind@contoso.example",
                "user_id": f"user_01FAKE{number % 500:014d}",
                "ip_address": "198.51.100.24",
                "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)",
            },
            "claude_file_id": f"claude_file_01{number:018d}",
            "filename": None,
            "claude_chat_id": f"claude_chat_01{number:018d}",
            "claude_project_id": "claude_proj_01FAKEproj000000001",
        }
    )


def median_milliseconds(fetch: Callable[[FeedPosition], object], starts: list[FeedPosition]) -> float:
    """Median duration of `fetch` over the cursors."""
    durations = []
    for start in starts:
        began = time.perf_counter()
        fetch(start)
        durations.append(time.perf_counter() - began)
    return statistics.median(durations) * 1000


def main() -> None:
    entries = [made(number) for number in range(FEED_SIZE)]
    feed = SimulatedFeed(entries)
    clock = SimulatedClock(START + timedelta(days=2))
    app = compliance_app(feed, [KEY], clock, own_rows=False)
    middle = FEED_SIZE // 2
    chosen = entries[middle : middle + PAGES * PAGE_SIZE : PAGE_SIZE]
    starts = [FeedPosition(each.created_at, each.id) for each in chosen]

    def query(start: FeedPosition) -> FeedQuery:
        return FeedQuery(order="asc", limit=PAGE_SIZE, after=start)

    def params(start: FeedPosition) -> dict[str, str | int]:
        return {"order": "asc", "limit": PAGE_SIZE, "after_id": encode(start)}

    headers = {"x-api-key": KEY.secret}
    page = envelope(feed.page(query(starts[0]), clock.now()))
    print(f"{PAGE_SIZE} rows a page, {len(page) / 1e6:.1f} MB, out of {FEED_SIZE}")
    print(f"feed        {median_milliseconds(lambda start: feed.page(query(start), clock.now()), starts):6.1f} ms")
    both = median_milliseconds(lambda start: envelope(feed.page(query(start), clock.now())), starts)
    print(f"+ envelope  {both:6.1f} ms")
    with asyncio.Runner() as runner:
        inside = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sandbox", headers=headers)
        whole = median_milliseconds(
            lambda start: runner.run(inside.get(ACTIVITIES_PATH, params=params(start))).raise_for_status(), starts
        )
        runner.run(inside.aclose())
    print(f"in process  {whole:6.1f} ms")
    with Served(app) as served, httpx.Client(base_url=served.url, headers=headers, trust_env=False) as client:
        wire = median_milliseconds(
            lambda start: client.get(ACTIVITIES_PATH, params=params(start)).raise_for_status(), starts
        )
    print(f"http        {wire:6.1f} ms")


if __name__ == "__main__":
    main()
