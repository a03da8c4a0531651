"""A Log Analytics workspace in Azure as backtest.py reads one, through the official query client."""

import json
from datetime import UTC, datetime
from typing import Any, cast

from azure.core.credentials import TokenCredential
from azure.monitor.query import LogsQueryClient, LogsQueryPartialResult

from kql import QueryAnswer


class AzureWorkspace:
    """Questions to one workspace; the identity needs Log Analytics Reader on it."""

    def __init__(self, workspace_id: str, credential: TokenCredential, endpoint: str) -> None:
        """`endpoint` is a cloud's, or http on this machine: the sandbox's."""
        self._workspace_id = workspace_id
        self._client = LogsQueryClient(credential, endpoint=endpoint)
        self._enforce_https = endpoint.startswith("https://")

    def query(self, kql: str) -> QueryAnswer:
        """The whole answer. azure.core's errors say what Azure refused; RuntimeError when it answered in part only."""
        answer = self._client.query_workspace(self._workspace_id, kql, timespan=None, enforce_https=self._enforce_https)
        if isinstance(answer, LogsQueryPartialResult):
            raise RuntimeError("the workspace answered in part only: look back over fewer days, or at fewer rules")
        table = answer.tables[0]
        columns = tuple(zip(table.columns, map(str, cast("list[Any]", table.columns_types)), strict=True))
        kinds = [kind for _, kind in columns]
        return QueryAnswer(columns, [tuple(map(_value, row, kinds)) for row in table.rows])


def _value(value: Any, kind: str) -> Any:
    """A moment is UTC; a dynamic value comes as its JSON text, and a text within a dynamic column as itself."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value
    if kind == "dynamic" and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
