"""`python -m sandbox report`: the compliance report of a local workspace, by the code that runs in Azure."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from kql import KqlRefused
from kql.store import LocalWorkspace
from sandbox.page.reader import Reader
from shared import tables
from shared.archive.store import FolderArchive
from shared.cli.common import complain
from shared.cli.report import print_report
from shared.clock import Clock, SystemClock
from shared.errors import BridgeError, SinkRefused
from shared.models import Window
from shared.report.writing import Report, Reporter, write_report
from shared.rows.times import moment
from shared.tables import Table
from shared.workspace.query import Answer


class LocalQueries:
    """A `QueryClient` over a local workspace."""

    def __init__(self, workspace: LocalWorkspace) -> None:
        self._workspace = workspace

    async def ask(self, kql: str) -> Answer:
        """Never truncated: the local engine has no row limit."""
        try:
            found = await asyncio.to_thread(self._workspace.query, kql)
        except KqlRefused as refused:
            raise SinkRefused(f"the local engine refused the query: {refused}") from refused
        return Answer(found.names, found.rows)


async def report_of(
    workspace: Path,
    start: datetime,
    end: datetime,
    out: Path,
    clock: Clock,
    *,
    names: bool = False,
    again: bool = False,
) -> Report:
    """Write the report of `[start, end)` below `out`, unsigned. Raises OSError when the workspace cannot be read."""
    own: dict[str, Table] = {name: tables.load(name) for name in tables.table_names()}
    reader = Reader.open_file(workspace, clock, own, {})
    try:
        reporter = Reporter(LocalQueries(reader), FolderArchive(out), clock, names=names)
        return await write_report(reporter, Window(start, end), again=again)
    finally:
        reader.close()


def report(
    workspace: Annotated[Path, typer.Option("--workspace", help="The local workspace, a DuckDB file.")],
    start: Annotated[str, typer.Option("--from", help="Start, such as 2026-11-01 or 2026-11-01T13:00 (UTC).")],
    end: Annotated[str, typer.Option("--to", help="End (exclusive), in the same format.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for reports; each gets its own subfolder.")] = Path(
        "build/reports"
    ),
    names: Annotated[bool, typer.Option("--names", help="Show people's e-mail addresses.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Write another revision of a finished report.")] = False,
) -> None:
    """Write the compliance report of a local workspace; exit code 1 if an hour or a query result is missing."""
    if not workspace.is_file():
        complain(f"workspace {workspace} not found; create one with `python -m sandbox run`")
        raise typer.Exit(2)
    try:
        period = (moment(start), moment(end))
        written = asyncio.run(report_of(workspace, *period, out, SystemClock(), names=names, again=again))
    except (BridgeError, OSError) as why:
        complain(str(why))
        raise typer.Exit(2) from None
    raise typer.Exit(print_report(written, as_json=False))
