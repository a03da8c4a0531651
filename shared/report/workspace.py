"""The report's own questions to Log Analytics, by the official client, with a right of its own."""

from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError
from azure.monitor.query import LogsQueryPartialResult
from azure.monitor.query.aio import LogsQueryClient

from shared.errors import SinkBusy, SinkRefused
from shared.report.answers import Answer
from shared.telemetry import safe

MOST_ROWS = 500_000
"""https://learn.microsoft.com/azure/azure-monitor/fundamentals/service-limits (Query API), seen 2026-11."""
SERVER_SECONDS = 300


class LogAnalyticsAsker:
    """An `Asker` over one workspace. No time span is sent: it would bound TimeGenerated, and hide late rows."""

    def __init__(self, client: LogsQueryClient, workspace_id: str, *, enforce_https: bool = True) -> None:
        self._client = client
        self._workspace_id = workspace_id
        self._options: dict[str, Any] = {} if enforce_https else {"enforce_https": False}

    async def ask(self, kql: str) -> Answer:
        """The answer's first table; not whole when the service says so, or when it ends at its limit of rows."""
        try:
            found = await self._client.query_workspace(
                self._workspace_id, kql, timespan=None, server_timeout=SERVER_SECONDS, **self._options
            )
        except HttpResponseError as refused:
            raise _judged(refused) from refused
        except AzureError as broken:
            raise SinkBusy(
                f"the workspace did not answer ({type(broken).__name__}): write the report later"
            ) from broken
        partial = isinstance(found, LogsQueryPartialResult)
        tables = (found.partial_data if isinstance(found, LogsQueryPartialResult) else found.tables) or []
        if not tables:
            raise SinkBusy("the workspace answered without a table: write the report later")
        rows = [[_aware(value) for value in row] for row in tables[0].rows]
        return Answer(tuple(tables[0].columns), rows, whole=not partial and len(rows) < MOST_ROWS)


def _judged(refused: HttpResponseError) -> SinkBusy | SinkRefused:
    status = refused.status_code or 0
    if status in (0, 408, 429) or status >= 500:
        return SinkBusy(f"the workspace is busy ({status or type(refused).__name__}): write the report later")
    if status in (401, 403, 404):
        return SinkRefused(
            f"the workspace cannot be queried ({status}): check WORKSPACE_ID, and that the identity has Log Analytics "
            "Reader on the workspace (docs/report.md)"
        )
    return SinkRefused(
        f"the workspace refuses the question ({status}): deploy the parsers of this release again "
        f"({safe(str(refused.message))[:200]})"
    )


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
