"""Client side of the comparison's servers: URL, key, and a clock that the client sets.

Imports little, because it runs in the process whose memory is measured. The other side is `bench.comparison_server`.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from bench.scenarios import START
from shared.clock import SimulatedClock


@dataclass(frozen=True, slots=True)
class ComparisonServers:
    """URL and key of the running servers."""

    url: str
    key: str

    def outcome(self) -> "Outcome":
        """What has been stored so far, as reported by the servers."""
        return Outcome(**httpx.get(f"{self.url}/outcome", timeout=120, trust_env=False).raise_for_status().json())


@dataclass(frozen=True, slots=True)
class Outcome:
    """`expected` activities happened, `lost` of them are in no row. `doubled` rows repeat another one as stored;
    `shown_twice` still do when they are read through `ClaudeActivity()`.

    Requests and uploads count every try. Delays are minutes from an activity to its first row.
    """

    expected: int
    rows: int
    lost: int
    doubled: int
    shown_twice: int
    requests: int
    uploads: int
    median_delay_minutes: float
    p95_delay_minutes: float


class ServerClock(SimulatedClock):
    """A client's clock that also sets the servers' clock."""

    def __init__(self, url: str) -> None:
        super().__init__(START)
        self._http = httpx.Client(base_url=url, trust_env=False)

    def advance_to(self, moment: datetime) -> None:
        super().advance_to(moment)
        self._http.put("/clock", content=self.now().isoformat()).raise_for_status()

    def advance(self, step: timedelta) -> datetime:
        self.advance_to(self.now() + step)
        return self.now()

    def close(self) -> None:
        self._http.close()


@contextmanager
def start_servers(scenario: str, scale: float, feed: Path) -> Iterator[ComparisonServers]:
    """Start the server process with the activities in `feed` (JSONL); it ends with the block."""
    command = [sys.executable, "-m", "bench.comparison_server", scenario, str(scale), str(feed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("the server process exited before it was ready; see its message above")
            yield ComparisonServers(**json.loads(line))
        finally:
            process.stdin.close()
