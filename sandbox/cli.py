"""`python -m sandbox`: run the demo, load a feed into a local workspace, query it."""

import asyncio
import contextlib
import json
import shlex
import sys
import threading
import webbrowser
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from kql import KqlRefused
from kql.opening import open_file
from kql.show import Form, print_answer
from sandbox import demo as demos
from sandbox.compliance.feed import SimulatedFeed
from sandbox.demo_report import as_json, print_report
from sandbox.progress_bars import Bars
from sandbox.report import report as compliance_report
from sandbox.run import Delivered, deliver_file, deliver_live, prepare_workspace, state_folder
from sandbox.tenant import build_tenant
from sandbox.world import World, open_world
from shared.clock import SystemClock
from shared.errors import BridgeError
from shared.logs import safe

app = typer.Typer(
    help="Run the bridge on a laptop: load a simulated Claude tenant, or your own feed, into a local workspace and "
    "query it in KQL.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console() if sys.stdout.isatty() else Console(width=110)
errors = Console(stderr=True)

RESUMABLE = "stopped; delivered rows are kept. Run the same command again to resume"
WorkspaceFile = Annotated[Path, typer.Option("--workspace", help="The local workspace, a DuckDB file.")]


@app.command(epilog="Example: python -m sandbox demo --once --json demo.json")
def demo(
    once: Annotated[
        bool,
        typer.Option(
            "--once", help="Exit after the report. Otherwise, in a terminal, serve the workbooks on a local page."
        ),
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the report to this file as JSON.")
    ] = None,
    people: Annotated[int, typer.Option(min=10, max=20_000, help="Size of the simulated tenant.")] = 400,
    seed: Annotated[int, typer.Option(help="Random seed of the simulated tenant.")] = 7,
    folder: Annotated[Path, typer.Option(help="Folder for the demo's files; an earlier demo's are replaced.")] = Path(
        "build/demo"
    ),
) -> None:
    """Load a month of simulated activity, and a morning with API faults, with the production code.

    Exit code 0 only if no activity is missing from the workspace.
    """

    async def work() -> int:
        with Bars(console) as bars:

            def inspect(world: World, report: demos.DemoReport) -> None:
                bars.stop()
                print_report(console, world.workspace, report)
                if json_file is not None:
                    json_file.write_text(
                        json.dumps(as_json(world.workspace, report), indent=1) + "\n", encoding="utf-8"
                    )

            report = await demos.run_demo(folder, bars.update, people=people, seed=seed, inspect=inspect)
        return 0 if report.completeness is not None and report.completeness.complete else 1

    code = _exit_code(work, interrupted="stopped; the next demo starts from scratch")
    kept = folder / demos.WORKSPACE
    if code in (0, 1) and not once and sys.stdin.isatty():
        _show_page(kept)  # outside `work`, where asyncio would handle Ctrl-C
    elif code in (0, 1):
        console.print(
            f"\nTo see the workbooks: python -m sandbox page --workspace {kept}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    raise typer.Exit(code)


@app.command(
    epilog="Examples: python -m sandbox run --live --days 7 --workspace claude.duckdb, or "
    "python -m sandbox run --feed activities.jsonl --workspace claude.duckdb"
)
def run(
    workspace: WorkspaceFile,
    live: Annotated[
        bool, typer.Option("--live", help="Read your organization's feed; set the key in COMPLIANCE_ACCESS_KEY.")
    ] = False,
    days: Annotated[int, typer.Option(min=1, max=2200, help="With --live: days of history to read.")] = 7,
    feed: Annotated[Path | None, typer.Option("--feed", help="Read a JSONL file of raw activities instead.")] = None,
) -> None:
    """Load a feed into a local workspace with the code that runs in Azure. Run it again to resume; no duplicates."""
    if live == (feed is not None):
        _complain("choose one source: --live or --feed FILE")
        raise typer.Exit(2)

    async def work() -> int:
        with Bars(console) as bars:

            def progress(done: int, total: int, read: int) -> None:
                bars.update("history", done, total, f"{read:,} activities read")

            if feed is not None:
                delivered = await deliver_file(feed, workspace, progress)
            else:
                delivered = await deliver_live(days, workspace, progress)
        return _print_delivered(delivered, workspace)

    raise typer.Exit(_exit_code(work, interrupted=RESUMABLE))


@app.command(
    epilog='Example: python -m sandbox kql --workspace claude.duckdb "ClaudeActivity | summarize count() by Category"'
)
def kql(
    query: Annotated[str, typer.Argument(help="The query, or - to read it from standard input.")],
    workspace: WorkspaceFile,
    as_json_list: Annotated[bool, typer.Option("--json", help="Print a JSON list of objects.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a header line.")] = False,
) -> None:
    """Query a local workspace in KQL."""
    form: Form = "json" if as_json_list else "csv" if as_csv else "table"
    if not workspace.is_file():
        _complain(f"workspace {workspace} not found; create one with `python -m sandbox run`")
        raise typer.Exit(2)
    try:
        opened = open_file(workspace, SystemClock())
    except OSError as busy:
        _complain(f"{workspace} cannot be opened: {busy}")
        raise typer.Exit(1) from None
    try:
        print_answer(opened.query(sys.stdin.read() if query == "-" else query), form, sys.stdout)
    except KqlRefused as refused:
        _complain(str(refused))
        raise typer.Exit(1) from None
    finally:
        opened.close()


@app.command(epilog="Example: python -m sandbox page --workspace claude.duckdb --open")
def page(
    workspace: WorkspaceFile,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 picks a free one.")] = 0,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Serve the workbooks, a KQL box and the rules for a local workspace, read-only, on 127.0.0.1 until Ctrl-C."""
    if not workspace.is_file():
        _complain(f"workspace {workspace} not found; create one with `python -m sandbox run`")
        raise typer.Exit(2)
    try:
        _show_page(workspace, port, open_browser=open_browser)
    except OSError as refused:
        _complain(f"{workspace} cannot be shown: {refused}")
        raise typer.Exit(1) from None


app.command(
    "report", epilog="Example: python -m sandbox report --workspace claude.duckdb --from 2026-11-01 --to 2026-11-08"
)(compliance_report)


@app.command(epilog="Example: python -m sandbox serve --people 50 --workspace play.duckdb")
def serve(
    workspace: WorkspaceFile,
    people: Annotated[int, typer.Option(min=10, max=2000, help="Size of the simulated tenant.")] = 50,
    days: Annotated[int, typer.Option(min=1, max=90, help="Days of history.")] = 7,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 picks a free one.")] = 0,
) -> None:
    """Serve a simulated API, ingestion endpoint and workspace in real time, to run the bridge against by hand."""

    async def work() -> int:
        clock = SystemClock()
        now = clock.now()
        tenant = build_tenant(start=now - timedelta(days=days), end=now + timedelta(days=1), people=people)
        with open_world(
            clock, feed=SimulatedFeed(tenant.entries), workspace=prepare_workspace(workspace), port=port
        ) as world:
            console.print("# paste into another terminal, then: claude-bridge init --history-days 1")
            for name, value in {**world.environment(), "STATE_DIR": str(state_folder(workspace))}.items():
                console.print(f"export {name}={shlex.quote(value)}", highlight=False, markup=False, soft_wrap=True)
            console.print("# Press Ctrl-C to stop")
            await asyncio.Event().wait()
        return 0

    raise typer.Exit(_exit_code(work, interrupted="stopped"))


def _show_page(workspace: Path, port: int = 0, *, open_browser: bool = False) -> None:
    """Serve the page until Ctrl-C."""
    from sandbox.page.serve import open_page

    with open_page(workspace, SystemClock(), port=port) as opened:
        console.print("\nWorkbooks, for you and on this machine only:")
        console.print(opened.address, highlight=False, markup=False, soft_wrap=True)
        console.print("Press Ctrl-C to stop", style="dim")
        if open_browser:
            webbrowser.open(opened.address)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


def _complain(message: str) -> None:
    errors.print(message, style="red", highlight=False, markup=False, soft_wrap=True)


def _print_delivered(delivered: Delivered, workspace: Path) -> int:
    console.print(
        f"{delivered.read:,} activities read, {delivered.sent:,} new rows in {workspace} (readable by you only)"
    )
    if delivered.failure is not None:
        _complain(f"not finished: {safe(str(delivered.failure))}")
        return 1
    check = delivered.completeness
    if check is not None:
        console.print(
            f"{check.expected:,} distinct activities in the file: {check.in_workspace:,} in the workspace, "
            f"{check.dead_letters:,} dead letters, {len(check.missing):,} missing"
        )
        if not check.complete:
            _complain(f"missing: {', '.join(check.missing[:10])}")
            return 1
    console.print(
        f'To query it: python -m sandbox kql --workspace {workspace} "ClaudeActivity | summarize count() by Category"',
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    return 0


def _exit_code(work: Callable[[], Coroutine[Any, Any, int]], *, interrupted: str) -> int:
    """Run `work` and return its exit code; a BridgeError prints one sentence and returns 2, an interruption 130."""
    try:
        return asyncio.run(work())
    except BridgeError as wrong:
        _complain(safe(str(wrong)))
        return 2
    except KeyboardInterrupt:
        errors.print(interrupted)
        return 130
