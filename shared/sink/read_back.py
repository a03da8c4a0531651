"""Reads the workspace back: an accepted row is not a stored row until a query finds it."""

import logging
from datetime import datetime, timedelta
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError
from azure.monitor.query.aio import LogsQueryClient

from shared.clock import Clock
from shared.errors import SinkBusy, SinkRefused
from shared.tables import HEALTH
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
        """The rows of the answer's first table. Raises SinkRefused (rights, workspace) or SinkBusy (try later)."""
        try:
            answer = await self._client.query_workspace(
                self._workspace_id, kql, timespan=timedelta(days=2), **self._options
            )
        except HttpResponseError as refused:
            status = refused.status_code or 0
            if status in (429,) or status >= 500:
                raise SinkBusy(f"the workspace is busy ({status})") from refused
            raise SinkRefused(
                f"the workspace cannot be queried ({status}): check WORKSPACE_ID, and that the identity has Log "
                f"Analytics Reader on it ({safe(str(refused.message))[:200]})"
            ) from refused
        except AzureError as broken:
            raise SinkBusy(f"the workspace did not answer ({type(broken).__name__})") from broken
        tables = getattr(answer, "tables", None) or getattr(answer, "partial_data", None) or []
        return [list(row) for row in tables[0].rows] if tables else []

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
