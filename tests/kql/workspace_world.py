"""A small workspace for the tests: one table with a column of every type, and the time NOON."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kql import LocalWorkspace
from shared.clock import SimulatedClock
from shared.tables import Column, ColumnType, Table

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
STREAM = "Custom-Sample_CL"


def column(name: str, type_: ColumnType) -> Column:
    return Column(name, type_, "A column of the tests.", (), "none", 1)


TABLE = Table(
    "Sample_CL",
    STREAM,
    1,
    "One row of the tests.",
    (
        column("TimeGenerated", "datetime"),
        column("EventTime", "datetime"),
        column("Id", "string"),
        column("Name", "string"),
        column("Size", "long"),
        column("Rank", "int"),
        column("Share", "real"),
        column("IsBackfill", "boolean"),
        column("Details", "dynamic"),
    ),
)


def workspace(
    *rows: dict[str, Any], path: Path | None = None, parsers: Path = Path("no-such-folder")
) -> LocalWorkspace:
    """A workspace at NOON with `rows`, each with TimeGenerated NOON unless it has its own, ingested a minute later."""
    made = LocalWorkspace.create(path, SimulatedClock(NOON), [TABLE], parsers=parsers)
    made.store("Sample_CL", [{"TimeGenerated": NOON, **row} for row in rows], ingested_at=NOON + timedelta(minutes=1))
    return made
