"""How commands tell what they found: JSON on stdout for machines, one sentence on stderr for refusals, progress."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from shared import logs
from shared.cli.common import errors
from shared.errors import BridgeError, ConfigError
from shared.settings import Settings, load

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
