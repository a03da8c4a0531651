"""Reads the workspace back: an accepted row is not a stored row until a query finds it."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError
from azure.monitor.query import LogsQueryPartialResult
from azure.monitor.query.aio import LogsQueryClient

from shared.clock import Clock
from shared.errors import SinkBusy, SinkRefused
from shared.models import Hour, hour_of
from shared.tables import ACTIVITY, HEALTH
from shared.telemetry import event, logger, safe

log = logger(__name__)

PAUSE_SECONDS = 10.0


class WorkspaceReader:
    """Questions to one workspace, by the official query client."""

    def __init__(self, client: LogsQueryClient, workspace_id: str, clock: Clock, *, enforce_https: bool = True) -> None:
        self._client = client
        self._workspace_id = workspace_id
        self._clock = clock
        self._options: dict[str, Any] = {} if enforce_https else {"enforce_https": False}

    async def rows(self, kql: str) -> list[list[Any]]:
        """The rows of the answer's first table. Raises SinkRefused (rights, workspace, query) or SinkBusy (try later).

        No time span is sent: it would bound TimeGenerated, and history written today would not be found.
        """
        try:
            answer = await self._client.query_workspace(self._workspace_id, kql, timespan=None, **self._options)
        except HttpResponseError as refused:
            status = refused.status_code or 0
            if status == 429 or status >= 500:
                raise SinkBusy(f"the workspace is busy ({status})") from refused
            raise SinkRefused(
                f"the workspace cannot be queried ({status}): check WORKSPACE_ID, and that the identity has Log "
                f"Analytics Reader on it ({safe(str(refused.message))[:200]})"
            ) from refused
        except AzureError as broken:
            raise SinkBusy(f"the workspace did not answer ({type(broken).__name__})") from broken
        if isinstance(answer, LogsQueryPartialResult):
            raise SinkBusy("the workspace answered in part only: ask for a shorter period")
        return [list(row) for row in answer.tables[0].rows] if answer.tables else []

    async def hours(self, connection: str, start: datetime, end: datetime) -> dict[Hour, tuple[int, int]]:
        """Per event hour of `[start, end)`: distinct ids, and the sum of the first 40 bits of their SHA-256."""
        answer = await self.rows(
            f"""{_period(connection, start, end)}
| summarize EventTime = min(EventTime) by ActivityId
| extend IdBits = tolong(strcat("0x", substring(hash_sha256(ActivityId), 0, 10)))
| summarize Ids = count(), Bits = sum(IdBits) by Hour = bin(EventTime, 1h)"""
        )
        return {hour_of(_moment(hour)): (int(ids), int(bits)) for hour, ids, bits in answer}

    async def ids(self, connection: str, start: datetime, end: datetime) -> set[str]:
        """Every id the workspace holds of `[start, end)`; meant for an hour (an answer ends at 500,000 rows)."""
        return {str(row[0]) for row in await self.rows(f"{_period(connection, start, end)}\n| distinct ActivityId")}

    async def wait_for_run(self, run_id: str, *, until: datetime) -> bool:
        """Ask until the health row of `run_id` is found; False when `until` comes first.

        The first rows of a new table may take a quarter of an hour.
        """
        query = f'{HEALTH} | where RunId == "{run_id}" | count'
        while True:
            try:
                found = await self.rows(query)
                if found and int(found[0][0]) > 0:
                    return True
            except SinkBusy as busy:
                event(log, "workspace.busy", level=logging.WARNING, reason=str(busy))
            if self._clock.now() + timedelta(seconds=PAUSE_SECONDS) >= until:
                return False
            await self._clock.sleep(PAUSE_SECONDS)


def _period(connection: str, start: datetime, end: datetime) -> str:
    return (
        f'{ACTIVITY} | where ConnectionName == "{connection}" '
        f"and EventTime >= datetime({start:%Y-%m-%dT%H:%M:%S.%fZ}) "
        f"and EventTime < datetime({end:%Y-%m-%dT%H:%M:%S.%fZ}) "
        "| where isempty(tostring(Handling.noCreatedAt))"
    )


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
