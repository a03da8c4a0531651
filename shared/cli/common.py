"""What every command shares: the bridge from the environment, the choice of connections, errors as one sentence."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid
from rich.text import Text

from shared import logs
from shared.errors import BridgeError, ConfigError, InvalidCommand
from shared.runs.connection import Connection
from shared.runs.turns import Turn
from shared.settings import Settings, load
from shared.wiring import Bridge, build

WIDE = 200  # where nobody looks at a terminal: a sentence must not be broken, it may be searched for
console = Console() if sys.stdout.isatty() else Console(width=WIDE)
errors = Console(stderr=True) if sys.stderr.isatty() else Console(stderr=True, width=WIDE)

Name = Annotated[str | None, typer.Option("--connection", help="Only this connection; default: all of them.")]


def chosen(bridge: Bridge, name: str | None) -> tuple[Connection, ...]:
    """The connection called `name`, or all that work; what is wrong with the others is printed."""
    if name is None:
        for broken, error in bridge.broken:
            complain(f"{broken}: {error}", style="yellow")
    return bridge.chosen(name)


def report(turns: Iterable[Turn], *, idle: bool = True) -> int:
    """Print what the turns did, unless `idle` is false and there were no runs; 1 when one of them failed."""
    turns = list(turns)
    grid = Grid("connection", "stream", "run", "state", "read", "sent", "repeated", "dead", "remedy", box=None)
    runs = [run for turn in turns for run in turn.runs]
    for each in runs:
        counts = each.counts
        numbers = (str(count) for count in (counts.read, counts.sent, counts.repeated, counts.dead))
        # Text, not str: a message such as "[/x]" is data, not markup.
        grid.add_row(each.connection, each.stream, each.kind, each.state, *numbers, Text(each.message or ""))
    if runs or idle:
        console.print(grid)
    failed = [turn for turn in turns if turn.error is not None]
    for turn in failed:
        complain(f"{turn.connection}: {turn.error if isinstance(turn.error, BridgeError) else turn.failures[0]}")
    return 0 if not failed and all(each.state.good for each in runs) else 1


AsJson = Annotated[bool, typer.Option("--json", help="Print the findings for machines instead of tables.")]
From = Annotated[str | None, typer.Option("--from", help="Start, such as 2026-11-24 or 2026-11-24T13:00 (UTC).")]
To = Annotated[str | None, typer.Option("--to", help="End (exclusive), written the same way.")]


def print_json(found: Any) -> None:
    """One JSON document, indented."""
    typer.echo(json.dumps(found, indent=1, ensure_ascii=False))


def complain(sentence: str, *, style: str = "red") -> None:
    """One sentence on stderr, masked."""
    errors.print(logs.safe(sentence), style=style, highlight=False, markup=False, soft_wrap=True)


def bar() -> Progress:
    """A bar on stderr that leaves nothing behind; silent where stderr is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    return Progress(*columns, TimeElapsedColumn(), console=errors, transient=True, disable=not errors.is_terminal)


def with_bridge(work: Callable[[Bridge], Awaitable[int]]) -> None:
    """Run `work` with the bridge the environment describes."""

    async def go(settings: Settings) -> int:
        async with build(settings) as bridge:
            return await work(bridge)

    with_settings(go, interrupted="stopped; progress is saved and the next run resumes there")


def with_settings(
    work: Callable[[Settings], Awaitable[int]], *, interrupted: str = "stopped: nothing was written"
) -> None:
    """Run `work` with the settings. Our own errors end in one sentence: exit code 2 for input, else 1; Ctrl-C 130."""

    async def go() -> int:
        settings = load()
        # A person is reading: the output says what happened, the log only what went wrong, unless it was asked for.
        logs.configure(settings.log_level if "log_level" in settings.model_fields_set else "WARNING")
        return await work(settings)

    try:
        code = asyncio.run(go())
    except InvalidCommand as wrong:
        complain(f"not done: {wrong}")
        code = 2
    except ConfigError as wrong:
        complain(f"cannot start: {wrong}")
        code = 2
    except BridgeError as wrong:
        complain(f"stopped: {wrong}")
        code = 1
    except Exception as error:
        logs.defect(logs.logger(__name__), "command.broke", error)
        complain("this command ended in a defect of the bridge: report it with the line above")
        code = 1
    except KeyboardInterrupt:
        complain(interrupted)
        code = 130
    raise typer.Exit(code)
