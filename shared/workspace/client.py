"""The one query client: KQL to a Log Analytics workspace, and what the bridge asks it about its own rows."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.exceptions import AzureError
from azure.monitor.query import LogsQueryPartialResult
from azure.monitor.query.aio import LogsQueryClient

from shared.azure_errors import WORKSPACE, translated
from shared.clock import Clock
from shared.errors import SinkBusy
from shared.logs import event, logger
from shared.models import Hour, hour_of
from shared.retry import GRACE_SECONDS
from shared.tables import ACTIVITY, HEALTH
from shared.workspace.query import Answer, kql_moment, quoted

log = logger(__name__)

PAUSE_SECONDS = 10.0
ANSWER_LIMIT_ROWS = 500_000
"""https://learn.microsoft.com/azure/azure-monitor/fundamentals/service-limits (Query API), seen 2026-11."""
SERVER_SECONDS = 300


class LogAnalyticsWorkspace:
    """A `Workspace` by the official query client, which the caller closes.

    No time span is sent: it would bound TimeGenerated, and history written today would not be found.
    """

    def __init__(self, client: LogsQueryClient, workspace_id: str, clock: Clock, *, enforce_https: bool = True) -> None:
        self._client = client
        self._workspace_id = workspace_id
        self._clock = clock
        self._options: dict[str, Any] = {} if enforce_https else {"enforce_https": False}

    async def ask(self, kql: str) -> Answer:
        """The answer's first table; not whole when the service says so, or when it ends at its limit of rows."""
        try:
            async with asyncio.timeout(SERVER_SECONDS + GRACE_SECONDS):
                found = await self._client.query_workspace(
                    self._workspace_id,
                    kql,
                    timespan=None,
                    server_timeout=SERVER_SECONDS,
                    permit_redirects=False,
                    **self._options,
                )
        except TimeoutError as late:
            raise SinkBusy("the workspace did not answer within five minutes: ask for a shorter period") from late
        except AzureError as refused:
            raise translated(refused, WORKSPACE) from refused
        partial = isinstance(found, LogsQueryPartialResult)
        tables = (found.partial_data if isinstance(found, LogsQueryPartialResult) else found.tables) or []
        if not tables:
            raise SinkBusy("the workspace answered without a table: try again later")
        rows = [[_aware(value) for value in row] for row in tables[0].rows]
        types = tuple(str(kind) for kind in getattr(tables[0], "columns_types", ()))
        return Answer(tuple(tables[0].columns), rows, not partial and len(rows) < ANSWER_LIMIT_ROWS, types)

    async def rows(self, kql: str) -> Sequence[Sequence[Any]]:
        answer = await self.ask(kql)
        if not answer.whole:
            raise SinkBusy("the workspace answered in part only: ask for a shorter period")
        return answer.rows

    async def hours(self, connection: str, start: datetime, end: datetime) -> dict[Hour, tuple[int, int]]:
        answer = await self.rows(
            f"""{_period(connection, start, end)}
| summarize EventTime = min(EventTime) by ActivityId
| extend IdBits = tolong(strcat("0x", substring(hash_sha256(ActivityId), 0, 10)))
| summarize Ids = count(), Bits = sum(IdBits) by Hour = bin(EventTime, 1h)"""
        )
        return {hour_of(_moment(hour)): (int(ids), int(bits)) for hour, ids, bits in answer}

    async def ids(self, connection: str, start: datetime, end: datetime) -> set[str]:
        """Meant for an hour: an answer ends at 500,000 rows."""
        return {str(row[0]) for row in await self.rows(f"{_period(connection, start, end)}\n| distinct ActivityId")}

    async def wait_for_run(self, run_id: str, *, until: datetime) -> bool:
        """The first rows of a new table may take a quarter of an hour."""
        query = f"{HEALTH} | where RunId == {quoted(run_id)} | count"
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
        f"{ACTIVITY} | where ConnectionName == {quoted(connection)} "
        f"and EventTime >= datetime({kql_moment(start)}) and EventTime < datetime({kql_moment(end)}) "
        "| where isempty(tostring(Handling.noCreatedAt))"
    )


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _aware(value: Any) -> Any:
    return _moment(value) if isinstance(value, datetime) else value
