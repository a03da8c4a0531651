"""What every command shares: the bridge from the environment, the choice of connections, errors as one sentence."""

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid
from rich.text import Text

from shared import logs
from shared.errors import BridgeError, ConfigError
from shared.runs.connection import Connection
from shared.runs.run import Run
from shared.settings import Settings, load
from shared.wiring import Bridge, build

WIDE = 200  # where nobody looks at a terminal: a sentence must not be broken, it may be searched for
console = Console() if sys.stdout.isatty() else Console(width=WIDE)
errors = Console(stderr=True) if sys.stderr.isatty() else Console(stderr=True, width=WIDE)

Name = Annotated[str | None, typer.Option("--connection", help="Only this connection; default: all of them.")]


def chosen(bridge: Bridge, name: str | None) -> tuple[Connection, ...]:
    """The connection called `name`, or all that work; what is wrong with the others is printed."""
    if name is not None:
        return (bridge.connection(name),)
    for broken, error in bridge.broken:
        errors.print(f"{broken}: {error}", style="yellow", highlight=False, markup=False, soft_wrap=True)
    return bridge.connections


def only(bridge: Bridge, name: str | None) -> Bridge:
    """A bridge of just these connections."""
    return Bridge(chosen(bridge, name), ())


def report(runs: list[Run]) -> int:
    """Print what the runs did; 1 when one of them failed."""
    grid = Grid("connection", "stream", "run", "state", "read", "sent", "repeated", "dead", "remedy", box=None)
    for each in runs:
        counts = each.counts
        numbers = (str(count) for count in (counts.read, counts.sent, counts.repeated, counts.dead))
        # Text, not str: a message such as "[/x]" is data, not markup.
        grid.add_row(each.connection, each.stream, each.kind, each.state, *numbers, Text(each.message or ""))
    console.print(grid)
    return 0 if all(each.state.good for each in runs) else 1


def with_bridge(work: Callable[[Bridge], Awaitable[int]]) -> None:
    """Run `work` with the bridge the environment describes; our own errors end in one sentence and exit code 1."""

    async def go() -> int:
        settings = load()
        # A person is reading: the table says what happened, the log only what went wrong, unless it was asked for.
        logs.configure(settings.log_level if "log_level" in settings.model_fields_set else "WARNING")
        async with build(settings) as bridge:
            return await work(bridge)

    try:
        code = asyncio.run(go())
    except ConfigError as wrong:
        errors.print(f"cannot start: {wrong}", style="red", highlight=False, markup=False, soft_wrap=True)
        code = 2
    except BridgeError as wrong:
        errors.print(f"stopped: {logs.safe(str(wrong))}", style="red", highlight=False, markup=False, soft_wrap=True)
        code = 1
    except Exception as error:
        logs.defect(logs.logger(__name__), "command.broke", error)
        errors.print("a defect ended this command; the line above says where", style="red")
        code = 1
    except KeyboardInterrupt:
        errors.print("stopped; progress is saved and the next run resumes there")
        code = 130
    raise typer.Exit(code)


AsJson = Annotated[bool, typer.Option("--json", help="Print the findings for machines instead of tables.")]
From = Annotated[str | None, typer.Option("--from", help="Begin, such as 2026-11-24 or 2026-11-24T13:00 (UTC).")]
To = Annotated[str | None, typer.Option("--to", help="End (exclusive), written the same way.")]


def moment(text: str) -> datetime:
    """`2026-11-24` or `2026-11-24T13:00`, UTC unless it says otherwise. Raises ConfigError for anything else."""
    try:
        parsed = datetime.fromisoformat(text.strip())
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        told = logs.safe(re.sub(r"\s+", " ", text))[:40]
        raise ConfigError(f"{told!r} is no time: write 2026-11-24 or 2026-11-24T13:00 (UTC)") from None


def print_json(found: Any) -> None:
    """One JSON document, indented."""
    typer.echo(json.dumps(found, indent=1, ensure_ascii=False))


def complain(sentence: str) -> None:
    """One sentence on stderr, masked."""
    errors.print(logs.safe(sentence), style="red", highlight=False, markup=False, soft_wrap=True)


def bar() -> Progress:
    """A bar on stderr that leaves nothing behind; silent where stderr is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    return Progress(*columns, TimeElapsedColumn(), console=errors, transient=True, disable=not errors.is_terminal)


def with_settings(work: Callable[[Settings], Awaitable[int]]) -> None:
    """Run `work` with the settings alone: for commands that need neither a sink nor state."""

    async def go() -> int:
        settings = load()
        logs.configure(settings.log_level if "log_level" in settings.model_fields_set else "WARNING")
        return await work(settings)

    try:
        code = asyncio.run(go())
    except ConfigError as wrong:
        complain(f"cannot start: {wrong}")
        code = 2
    except BridgeError as wrong:
        complain(f"stopped: {wrong}")
        code = 1
    except KeyboardInterrupt:
        complain("stopped: nothing was written")
        code = 130
    raise typer.Exit(code)
