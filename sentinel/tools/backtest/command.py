"""`python -m tools content backtest`: what the rules would have said over days that are past."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from azure.core.exceptions import AzureError
from azure.identity import DefaultAzureCredential
from rich.console import Console

from kql.opening import open_file
from sentinel.tools.backtest.azure import AzureWorkspace
from sentinel.tools.backtest.reading import Source
from sentinel.tools.backtest.report import Line, run_backtest, table_of
from sentinel.tools.load import content
from sentinel.tools.load.content import File
from sentinel.tools.load.models import Rule
from sentinel.tools.load.problems import ContentError
from sentinel.tools.prove.verdict import bound_queries
from shared.clock import SimulatedClock
from shared.errors import ConfigError
from shared.settings import checked_url

console = Console(soft_wrap=True, highlight=False)
progress = Console(stderr=True, highlight=False)


def backtest(
    start: Annotated[
        datetime,
        typer.Option("--from", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="UTC, such as 2026-10-05."),
    ],
    end: Annotated[
        datetime,
        typer.Option("--to", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="UTC; this moment is no longer in it."),
    ],
    local: Annotated[Path | None, typer.Option(help="A local workspace, as python -m sandbox makes one.")] = None,
    workspace_id: Annotated[str | None, typer.Option(help="A workspace in Azure; you need to be its reader.")] = None,
    query_endpoint: Annotated[
        str, typer.Option(help="Where Azure answers queries; other clouds have another.")
    ] = "https://api.loganalytics.azure.com",
    only: Annotated[list[str] | None, typer.Option(help="Slug of a rule; may be given several times.")] = None,
    neighbors: Annotated[
        bool,
        typer.Option(help="Read other products' tables, too; the sign-in logs of a large tenant take their time."),
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each rule instead of a table.")] = False,
    show_subjects: Annotated[
        bool, typer.Option("--show-subjects", help="Name whom alerts are about: addresses, ids.")
    ] = False,
) -> None:
    """Run every rule over history, as its schedule would have, into a report: no alerts, no incidents.

    The activities the rules read are copied into this process's memory for the time it takes.
    """
    since, until = start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)
    if until - since < timedelta(hours=1):
        raise typer.BadParameter("--to is at least an hour after --from")
    if (local is None) == (workspace_id is None):
        raise typer.BadParameter("give one of --local and --workspace-id")
    lines: list[Line] = []
    try:
        files, source = _rules(only), _source(local, workspace_id, query_endpoint, until)
        bound = bound_queries(files)
        for line in run_backtest(source, files, bound, since, until, neighbors=neighbors, tell=_Tally()):
            lines.append(line)
            if as_json:
                typer.echo(json.dumps(line.as_json(show_subjects=show_subjects)))
            else:
                progress.print(f"{line.slug}: {line.not_run or line.alerts}", markup=False)
    except (ContentError, AzureError, RuntimeError) as exc:
        progress.print(str(exc), markup=False, style="red")
        raise typer.Exit(1) from exc
    if not as_json:
        silent = sum(not line.alerts and line.not_run is None for line in lines)
        console.print(table_of(lines, show_subjects=show_subjects))
        without = sorted({name for line in lines for name in line.without})
        if without:
            console.print(f"no rows in {', '.join(without)}: rules that read them found less than they could")
        console.print(f"{silent} rules silent; not run: {sum(line.not_run is not None for line in lines)}")


def _rules(only: list[str] | None) -> list[File[Rule]]:
    paths = {path.stem: path for path in content.rule_paths()}
    if unknown := set(only or ()) - paths.keys():
        raise typer.BadParameter(f"there is no rule {', '.join(sorted(unknown))}")
    return [content.rule(paths[slug]) for slug in only or paths]


def _source(local: Path | None, workspace_id: str | None, query_endpoint: str, now: datetime) -> Source:
    if workspace_id is not None:
        try:
            endpoint = checked_url(query_endpoint, "--query-endpoint")
        except ConfigError as wrong:
            raise typer.BadParameter(str(wrong)) from wrong
        return AzureWorkspace(workspace_id, DefaultAzureCredential(), endpoint)
    assert local is not None
    if not local.is_file():
        raise typer.BadParameter(f"there is no file {local}")
    try:
        return open_file(local, SimulatedClock(now))
    except OSError as refused:
        raise typer.BadParameter(f"{local}: {refused}") from refused


class _Tally:
    """Says now and then how many rows were read of which table."""

    EVERY = 100_000

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}

    def __call__(self, table: str, rows: int) -> None:
        before = self._rows.get(table, 0)
        self._rows[table] = before + rows
        if before // self.EVERY < self._rows[table] // self.EVERY or not before:
            progress.print(f"reading {table}: {self._rows[table]:,} rows", markup=False)
