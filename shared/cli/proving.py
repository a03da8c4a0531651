"""`prove`: the operator's proof that nothing is missing, and the repair when something is."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table as Grid

from shared.cli.common import Name, chosen, console, with_bridge
from shared.errors import ConfigError
from shared.proof import HourProof, prove
from shared.wiring import Bridge


def moment(text: str) -> datetime:
    """`2026-11-24` or `2026-11-24T13:00`, UTC unless it says otherwise. Raises ConfigError for anything else."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r} is no time: write 2026-11-24 or 2026-11-24T13:00 (UTC)") from None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
