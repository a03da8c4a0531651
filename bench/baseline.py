"""A poller in the style of public Function-app connectors for Sentinel: the baseline of the comparison.

Written for this comparison, not copied: a timer, a window from the last run to now, page after page, each passed to the
official client as a list, and a file with a time in it. Forty lines, easy to read, and correct without faults. Its
weaknesses, each exercised by the fault script of `bench.scenarios`:

1. **No overlap.** Activities indexed after the window's end are never requested again: permanently lost.
2. **One time as state.** Saved before the upload (`saves="before"`), a run that fails loses its whole window. Saved
   after it (`saves="after"`), a run that fails half-way sends again what had already arrived.
3. **No ledger.** Sent ids are not recorded, so nothing can be compared, proved or repaired, and a repeat is a row.
4. **No retry of a read.** A 429, a 500 or a page cut short ends the run, whatever Retry-After says. Uploads have the
   retries of the SDK alone: no plain 429 and no reset, and pauses that no deadline ends.
5. **The whole window again.** A long window (after an outage, say) starts over from its first page each time.
6. **Unchecked rows.** Cell and row limits are not checked and there is no dead-letter store: one bad row fails its
   upload, and the window with it.
7. **No health data.** Its log records that a run failed; no row reports its progress or what is missing.

In its favor: it waits the documented minute before it reads, requests the largest page, follows cursors, and uploads
500 rows at a time. The last is a concession: the client packs a longer list into uploads of a MiB without counting the
separators between the rows, so that they exceed the documented limit, which our endpoint enforces; a whole page of
5,000 would then always fail, and the burst with it. Whether the real service is as strict was not tested.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import httpx
from azure.monitor.ingestion import LogsIngestionClient

from bench.official import RULE_ID, STREAM

FEED_PATH = "/v1/compliance/activities"
DOCUMENTED_DELAY = timedelta(minutes=1)
LARGEST_PAGE = 5000
ROWS_AN_UPLOAD = 500

Saves = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Poller:
    """`state` is the file with the end of the last window; `now` the present, aware UTC.

    `uploaded` is called after each accepted upload: where the fault script crashes the process.
    """

    http: httpx.Client
    ingestion: LogsIngestionClient
    state: Path
    now: Callable[[], datetime]
    saves: Saves
    uploaded: Callable[[], None] = lambda: None

    def begin(self) -> None:
        """The first window starts now."""
        self._save(self.now() - DOCUMENTED_DELAY)

    def run(self) -> int:
        """One tick of the timer; returns how many rows were uploaded. Raises what fails: the host logs it."""
        start = datetime.fromisoformat(self.state.read_text(encoding="utf-8"))
        end = self.now() - DOCUMENTED_DELAY
        if self.saves == "before":
            self._save(end)
        sent = 0
        for page in self._pages(start, end):
            for at in range(0, len(page), ROWS_AN_UPLOAD):
                rows: list[Any] = [_row(activity) for activity in page[at : at + ROWS_AN_UPLOAD]]
                self.ingestion.upload(RULE_ID, STREAM, rows, enforce_https=False)
                sent += len(rows)
                self.uploaded()
        if self.saves == "after":
            self._save(end)
        return sent

    def _pages(self, start: datetime, end: datetime) -> Iterator[list[dict[str, Any]]]:
        query: dict[str, str | int] = {
            "created_at.gte": start.isoformat(),
            "created_at.lt": end.isoformat(),
            "limit": LARGEST_PAGE,
        }
        while True:
            answer = self.http.get(FEED_PATH, params=query)
            answer.raise_for_status()
            page = answer.json()
            if page["data"]:
                yield page["data"]
            if not page["has_more"]:
                return
            query["after_id"] = page["last_id"]

    def _save(self, moment: datetime) -> None:
        self.state.write_text(moment.isoformat(), encoding="utf-8")


def _row(activity: dict[str, Any]) -> dict[str, Any]:
    """The two columns one needs, and the rest as it is."""
    return {
        "TimeGenerated": activity["created_at"],
        "EventTime": activity["created_at"],
        "ActivityId": activity["id"],
        "ActivityType": activity["type"],
        "ActorDetails": activity["actor"],
        "Details": json.dumps(activity),
    }
