"""The simple poller as a participant of the comparison."""

import time
from datetime import timedelta
from pathlib import Path

import httpx
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import RequestsTransport
from azure.monitor.ingestion import LogsIngestionClient

from bench.baseline import Poller, Saves
from bench.comparison import Crash, Work, ticks
from bench.comparison_client import ComparisonServers, ServerClock
from bench.official import NoCredential


class SimulatedTransport(RequestsTransport):  # type: ignore[misc]  # loaded lazily by azure-core, so untyped
    """The SDK's own retries sleep in simulated time."""

    def __init__(self, clock: ServerClock) -> None:
        super().__init__()
        self._clock = clock

    def sleep(self, duration: float) -> None:
        self._clock.advance(timedelta(seconds=duration))


def run(place: ComparisonServers, clock: ServerClock, folder: Path, work: Work, saves: Saves) -> None:
    """The simple poller, once a minute."""
    http = httpx.Client(base_url=place.url, headers={"x-api-key": place.key}, timeout=60, trust_env=False)
    client = LogsIngestionClient(place.url, NoCredential(), transport=SimulatedTransport(clock))
    with http, client:
        poller = Poller(http, client, folder / "last", clock.now, saves, lambda: work.crash_if_due(clock))
        poller.begin()
        for _ in ticks(clock):
            started = time.perf_counter()
            sent = 0
            try:
                sent = poller.run()
            except (httpx.HTTPError, AzureError, ValueError):
                work.failed_ticks += 1
            except Crash:
                continue
            work.tick(sent, time.perf_counter() - started)
