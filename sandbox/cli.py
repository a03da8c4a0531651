"""`python -m sandbox`: the demo, a feed into a local workspace, and questions to it."""

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
    help="The bridge on a laptop: a simulated Claude tenant, or your own feed, in a local workspace that answers KQL.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console() if sys.stdout.isatty() else Console(width=110)
errors = Console(stderr=True)

GOES_ON = "stopped; what was carried is kept, and the same command goes on from there"
WorkspaceFile = Annotated[Path, typer.Option("--workspace", help="The local workspace, a DuckDB file.")]


@app.command(epilog="Example: python -m sandbox demo --once --json demo.json")
def demo(
    once: Annotated[
        bool,
        typer.Option("--once", help="End after the report; without it, a terminal gets the workbooks on a local page."),
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the summary for machines to this file.")
    ] = None,
    people: Annotated[int, typer.Option(min=10, max=20_000, help="Size of the simulated tenant.")] = 400,
    seed: Annotated[int, typer.Option(help="Another seed is another tenant.")] = 7,
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its workspace; emptied first.")] = Path(
        "build/demo"
    ),
) -> None:
    """A simulated tenant's month and a rough morning through the real code; exit code 0 only if nothing is missing."""

    async def work() -> int:
        with Bars(console) as bars:

            def inspect(world: World, report: demos.DemoReport) -> None:
                bars.stop()
                print_report(console, world.workspace, report)
                if json_file is not None:
                    json_file.write_text(
                        json.dumps(as_json(world.workspace, report), indent=1) + "\n", encoding="utf-8"
                    )

            report = await demos.run_demo(folder, bars.tell, people=people, seed=seed, inspect=inspect)
        return 0 if report.outcome is not None and report.outcome.complete else 1

    code = _code_of(work, interrupted="stopped; the next demo begins anew")
    kept = folder / demos.WORKSPACE
    if code in (0, 1) and not once and sys.stdin.isatty():
        _show_page(kept)  # not in `work`: there Ctrl-C would be asyncio's
    elif code in (0, 1):
        console.print(
            f"\nsee it: python -m sandbox page --workspace {kept}", highlight=False, markup=False, soft_wrap=True
        )
    raise typer.Exit(code)


@app.command(
    epilog="Examples: python -m sandbox run --live --days 7 --workspace claude.duckdb, or "
    "python -m sandbox run --feed activities.jsonl --workspace claude.duckdb"
)
def run(
    workspace: WorkspaceFile,
    live: Annotated[
        bool, typer.Option("--live", help="Read your organisation's feed; key from COMPLIANCE_ACCESS_KEY.")
    ] = False,
    days: Annotated[int, typer.Option(min=1, max=2200, help="With --live: how far back.")] = 7,
    feed: Annotated[
        Path | None, typer.Option("--feed", help="A file of raw activities, one JSON value a line.")
    ] = None,
) -> None:
    """Carry a feed into a local workspace by the code that runs in Azure; a second run goes on and doubles nothing."""
    if live == (feed is not None):
        _complain("name one source: --live, or --feed FILE")
        raise typer.Exit(2)

    async def work() -> int:
        with Bars(console) as bars:

            def progress(done: int, total: int, read: int) -> None:
                bars.tell("history", done, total, f"{read:,} activities read")

            if feed is not None:
                carried = await deliver_file(feed, workspace, progress)
            else:
                carried = await deliver_live(days, workspace, progress)
        return _say(carried, workspace)

    _end(work)


@app.command(
    epilog='Example: python -m sandbox kql --workspace claude.duckdb "ClaudeActivity | summarize count() by Category"'
)
def kql(
    query: Annotated[str, typer.Argument(help="The query; - reads it from standard input.")],
    workspace: WorkspaceFile,
    as_json_list: Annotated[bool, typer.Option("--json", help="A list of objects.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a header line.")] = False,
) -> None:
    """Ask a local workspace in KQL."""
    form: Form = "json" if as_json_list else "csv" if as_csv else "table"
    if not workspace.is_file():
        _complain(f"there is no workspace {workspace}: make one with `python -m sandbox run`")
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
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    open_browser: Annotated[bool, typer.Option("--open", help="Open it in the browser, too.")] = False,
) -> None:
    """Show the workbooks, a KQL box and the rules over a local workspace, on 127.0.0.1 until Ctrl-C; reads only."""
    if not workspace.is_file():
        _complain(f"there is no workspace {workspace}: make one with `python -m sandbox run`")
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
    days: Annotated[int, typer.Option(min=1, max=90, help="Days of its past.")] = 7,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
) -> None:
    """Serve a simulated API, ingestion endpoint and workspace in real time, to operate the bridge against by hand."""

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
            console.print("# Ctrl-C ends")
            await asyncio.Event().wait()
        return 0

    raise typer.Exit(_code_of(work, interrupted="stopped"))


def _show_page(workspace: Path, port: int = 0, *, open_browser: bool = False) -> None:
    """Serve the page until Ctrl-C."""
    from sandbox.page.serve import open_page

    with open_page(workspace, SystemClock(), port=port) as opened:
        console.print("\nThe workbooks are open, for you and on this machine only:")
        console.print(opened.address, highlight=False, markup=False, soft_wrap=True)
        console.print("Ctrl-C ends", style="dim")
        if open_browser:
            webbrowser.open(opened.address)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


def _complain(words: str) -> None:
    errors.print(words, style="red", highlight=False, markup=False, soft_wrap=True)


def _say(carried: Delivered, workspace: Path) -> int:
    console.print(f"{carried.read:,} activities read, {carried.sent:,} new rows in {workspace} (readable by you only)")
    if carried.failure is not None:
        _complain(f"not finished: {safe(str(carried.failure))}")
        return 1
    outcome = carried.outcome
    if outcome is not None:
        console.print(
            f"{outcome.expected:,} different activities in the file: {outcome.in_workspace:,} in the workspace, "
            f"{outcome.dead_letters:,} set aside, {len(outcome.missing):,} missing"
        )
        if not outcome.complete:
            _complain(f"missing: {', '.join(outcome.missing[:10])}")
            return 1
    console.print(
        f'ask it: python -m sandbox kql --workspace {workspace} "ClaudeActivity | summarize count() by Category"',
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    return 0


def _end(work: Callable[[], Coroutine[Any, Any, int]]) -> None:
    raise typer.Exit(_code_of(work, interrupted=GOES_ON))


def _code_of(work: Callable[[], Coroutine[Any, Any, int]], *, interrupted: str) -> int:
    """Run `work` for its exit code; our own errors end in one sentence and 2, an interruption in 130."""
    try:
        return asyncio.run(work())
    except BridgeError as wrong:
        _complain(safe(str(wrong)))
        return 2
    except KeyboardInterrupt:
        errors.print(interrupted)
        return 130
