"""The alert queries fire on what they are for and stay silent otherwise, over health rows in the local workspace."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kql import LocalWorkspace
from shared.clock import SimulatedClock
from shared.tables import Column, Table, load
from tools.infra.build import BICEP

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WELL: Mapping[str, Any] = {
    "ConnectionName": "contoso",
    "RunId": "r1",
    "BridgeVersion": "0.1.0",
    "RunKind": "live",
    "State": "ok",
    "Part": 1,
    "Parts": 1,
    "Attention": "never",
    "LagSeconds": 60,
    "RowsDeadLettered": 0,
    "BytesSent": 1_000_000,
    "BudgetLimit": 600,
    "BudgetRemaining": 500,
}
ERROR_LOG = Table(
    name="DCRLogErrors",
    stream="",
    version=1,
    meaning="Azure's own: rows a data collection rule refused.",
    columns=(
        Column("TimeGenerated", "datetime", "", (), "none", 1),
        Column("OperationName", "string", "", (), "none", 1),
        Column("InputStreamId", "string", "", (), "none", 1),
        Column("Message", "string", "", (), "none", 1),
    ),
)

FIRES: dict[str, list[dict[str, Any]]] = {
    "no-data": [{"minutes": 45}],
    "lag": [{"LagSeconds": 1000}],
    "run-failures": [{"Attention": "page-now", "State": "refused"}],
    "dead-letters": [{"RowsDeadLettered": 3}],
    "ingestion": [{"BytesSent": 3_000_000_000, "RunKind": "sweep"}],
    "budget": [{"BudgetRemaining": 0, "minutes": minutes} for minutes in (1, 2, 3)],
}
SILENT: dict[str, list[dict[str, Any]]] = {
    "no-data": [{"minutes": 1}, {"minutes": 45}],
    "lag": [{"LagSeconds": 1000, "minutes": 10}, {"LagSeconds": 60, "minutes": 1}],
    "run-failures": [{"Attention": "office-hours", "State": "busy"}],
    "dead-letters": [{"RowsDeadLettered": 3, "RunKind": "replay"}],
    "ingestion": [{"BytesSent": 3_000_000_000, "RunKind": "history"}],
    "budget": [{"BudgetRemaining": 0, "minutes": 1}],
}


def alert(name: str) -> str:
    """The query, with the placeholder filled in as modules/alerts.bicep does."""
    text = (BICEP / "alerts" / f"{name}.kql").read_text(encoding="utf-8")
    return text.replace("{estimateBytes}", "1024000000")


@pytest.fixture
def workspace() -> Iterator[LocalWorkspace]:
    made = LocalWorkspace.create(None, SimulatedClock(NOW), [load("ClaudeBridgeHealth_CL"), ERROR_LOG])
    yield made
    made.close()


def _store(workspace: LocalWorkspace, changes: list[dict[str, Any]]) -> None:
    rows = []
    for change in changes:
        told = {**WELL, **change}
        when = NOW - timedelta(minutes=told.pop("minutes", 1))
        rows.append({**told, "TimeGenerated": when.isoformat(), "EventTime": when.isoformat()})
    workspace.store("ClaudeBridgeHealth_CL", rows, ingested_at=NOW)


def test_every_alert_is_deployed_and_tested() -> None:
    """One query a file, each loaded by modules/alerts.bicep."""
    files = {path.stem for path in (BICEP / "alerts").glob("*.kql")}
    loaded = set(re.findall(r"alerts/([\w-]+)\.kql", (BICEP / "modules" / "alerts.bicep").read_text(encoding="utf-8")))
    assert files == loaded == FIRES.keys() | {"rule-errors"}


@pytest.mark.parametrize("name", sorted(FIRES))
def test_an_alert_fires(workspace: LocalWorkspace, name: str) -> None:
    """What it is for gives a row."""
    _store(workspace, FIRES[name])
    assert len(workspace.query(alert(name)).rows) == 1


@pytest.mark.parametrize("name", sorted(FIRES))
def test_an_alert_stays_silent(workspace: LocalWorkspace, name: str) -> None:
    """Its near miss, and a healthy run, give none."""
    _store(workspace, SILENT[name])
    assert workspace.query(alert(name)).rows == []


def test_the_alert_on_refused_rows(workspace: LocalWorkspace) -> None:
    """An error of one of our streams gives a row; of another stream, or none at all, gives none."""
    assert workspace.query(alert("rule-errors")).rows == []
    for stream in ("Custom-Other_CL", "Custom-ClaudeActivity_CL"):
        error = {
            "TimeGenerated": (NOW - timedelta(minutes=5)).isoformat(),
            "OperationName": "Ingestion",
            "InputStreamId": stream,
            "Message": "InvalidRecord",
        }
        workspace.store("DCRLogErrors", [error], ingested_at=NOW)
    assert [row["InputStreamId"] for row in workspace.query(alert("rule-errors")).objects()] == [
        "Custom-ClaudeActivity_CL"
    ]
