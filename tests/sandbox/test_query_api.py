"""The query API, called by Azure's own clients over real HTTP (toolchain.md: "reading the local workspace")."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from azure.core.exceptions import HttpResponseError
from azure.monitor.query import LogsQueryClient, LogsQueryResult, LogsQueryStatus
from azure.monitor.query.aio import LogsQueryClient as AsyncLogsQueryClient

from sandbox.compliance.server import Served
from sandbox.query_api import parse_timespan, query_app
from tests.kql.workspace_world import NOON, workspace
from tests.sandbox.credentials import AsyncCredential, Credential

ROWS: tuple[dict[str, Any], ...] = (
    {"Id": "old", "TimeGenerated": NOON - timedelta(hours=3, microseconds=-123456)},
    {"Id": "new", "Size": 7, "IsBackfill": False, "Details": {"k": [1, "é"]}, "Share": 0.5},
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    app = query_app({"w1": workspace(*ROWS)}, {"reader": True, "stranger": False})
    with Served(app) as served:
        yield served.url


def asked(url: str, query: str, **options: Any) -> Any:
    with LogsQueryClient(Credential(), endpoint=url) as client:
        result = client.query_workspace("w1", query, enforce_https=False, **{"timespan": None, **options})
    assert isinstance(result, LogsQueryResult)
    assert result.status == LogsQueryStatus.SUCCESS
    return result.tables[0]


def test_the_client_reads_every_type(url: str) -> None:
    """Columns carry Kusto types; datetimes are aware, a dynamic is JSON text, as from Azure."""
    table = asked(url, "Sample_CL | sort by TimeGenerated asc | extend Lag = 90m, Bad = todouble('nan')")
    assert table.name == "PrimaryResult"
    assert dict(zip(table.columns, table.columns_types, strict=True)) == {
        "TimeGenerated": "datetime",
        "EventTime": "datetime",
        "Id": "string",
        "Name": "string",
        "Size": "long",
        "Rank": "int",
        "Share": "real",
        "IsBackfill": "bool",
        "Details": "dynamic",
        "Lag": "timespan",
        "Bad": "real",
    }
    old, new = table.rows
    assert old["TimeGenerated"] == ROWS[0]["TimeGenerated"]
    assert (old["Size"], old["Name"], old["Details"]) == (None, "", None)
    assert (new["Size"], new["IsBackfill"], new["Details"], new["Share"]) == (7, False, '{"k":[1,"é"]}', 0.5)
    assert (new["Lag"], new["Bad"]) == ("01:30:00", "NaN")


@pytest.mark.parametrize(
    "timespan", [timedelta(hours=1), (NOON - timedelta(hours=1), NOON), (NOON - timedelta(hours=1), timedelta(hours=1))]
)
def test_a_timespan_in_each_of_the_clients_forms(url: str, timespan: Any) -> None:
    """A duration, an interval and a start with a duration bound the query, as of the workspace's clock."""
    assert [list(row) for row in asked(url, "Sample_CL | project Id", timespan=timespan).rows] == [["new"]]


async def test_the_async_client_reads_too(url: str) -> None:
    """The aio client gets the same answer."""
    async with AsyncLogsQueryClient(AsyncCredential(), endpoint=url) as client:
        result = await client.query_workspace("w1", "Sample_CL | count", timespan=None, enforce_https=False)
    assert isinstance(result, LogsQueryResult)
    assert [list(row) for row in result.tables[0].rows] == [[2]]


def test_a_bad_query_is_a_bad_argument_with_its_place(url: str) -> None:
    """400 BadArgumentError has the reason and the position."""
    with pytest.raises(HttpResponseError) as refused:
        asked(url, "Sample_CL\n| where Nope == 1")
    assert refused.value.status_code == 400
    assert "no column 'Nope'" in str(refused.value)
    response = httpx.post(
        f"{url}/v1/workspaces/w1/query",
        json={"query": "Nope"},
        headers={"authorization": "Bearer reader"},
        trust_env=False,
    )
    error = response.json()["error"]
    assert (error["code"], error["innererror"]["line"], error["innererror"]["pos"]) == ("BadArgumentError", 1, 1)


def test_the_client_passes_on_a_refused_token(url: str) -> None:
    """The query client turns every error into HttpResponseError, a 401 too: its status says which."""
    with LogsQueryClient(Credential("unknown"), endpoint=url) as client, pytest.raises(HttpResponseError) as refused:
        client.query_workspace("w1", "Sample_CL", timespan=None, enforce_https=False)
    assert refused.value.status_code == 401


@pytest.mark.parametrize(
    ("workspace_id", "authorization", "body", "status", "code"),
    [
        ("w1", "", b'{"query":"Sample_CL"}', 401, "AuthorizationRequiredError"),
        ("w1", "Bearer unknown", b'{"query":"Sample_CL"}', 401, "AuthorizationRequiredError"),
        ("w1", "Bearer stranger", b'{"query":"Sample_CL"}', 403, "InsufficientAccessError"),
        ("w2", "Bearer reader", b'{"query":"Sample_CL"}', 404, "WorkspaceNotFoundError"),
        ("w1", "Bearer reader", b"{", 400, "BadArgumentError"),
        ("w1", "Bearer reader", b"[]", 400, "BadArgumentError"),
        ("w1", "Bearer reader", b"{}", 400, "BadArgumentError"),
        ("w1", "Bearer reader", b'{"query":"Sample_CL","timespan":"soon"}', 400, "BadArgumentError"),
        ("w1", "Bearer reader", b'{"query":"Sample_CL","workspaces":["w2"]}', 400, "BadArgumentError"),
    ],
)
def test_refusals_have_the_documented_codes(
    url: str, workspace_id: str, authorization: str, body: bytes, status: int, code: str
) -> None:
    """https://learn.microsoft.com/azure/azure-monitor/logs/api/errors: status and code of each refusal."""
    response = httpx.post(
        f"{url}/v1/workspaces/{workspace_id}/query",
        content=body,
        headers={"authorization": authorization} if authorization else {},
        trust_env=False,
    )
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("PT3600.0S", NOON - timedelta(hours=1), NOON),
        ("P1DT12H", NOON - timedelta(hours=36), NOON),
        ("P1W", NOON - timedelta(weeks=1), NOON),
        ("2026-11-20T10:00:00.5Z/2026-11-20T11:00:00Z", NOON - timedelta(seconds=7199.5), NOON - timedelta(hours=1)),
        ("2026-11-20T12:00:00+02:00/PT1H", NOON - timedelta(hours=2), NOON - timedelta(hours=1)),
        ("PT1H/2026-11-20T12:00:00Z", NOON - timedelta(hours=1), NOON),
    ],
)
def test_a_timespan_is_an_iso_interval(text: str, start: datetime, end: datetime) -> None:
    """Each ISO 8601 form of the query API."""
    assert parse_timespan(text, NOON) == (start, end)


@pytest.mark.parametrize("text", ["", "P", "PT", "1d", "2026-11-20T10:00:00/PT1H", "PT1H/", "/"])
def test_other_timespans_are_refused(text: str) -> None:
    """Anything else, including a time without a zone, is a ValueError."""
    with pytest.raises(ValueError, match=r"duration|time zone|isoformat"):
        parse_timespan(text, NOON)
