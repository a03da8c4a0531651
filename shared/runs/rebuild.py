"""Restores a lost ledger from what the workspace holds, so that the next sweep sends nothing twice."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import ConfigError
from shared.models import UNDATED, Hour, Outgoing, Window, hour_start, prefix_of
from shared.runs.connection import Connection
from shared.runs.run import Run, RunKind
from shared.state.ledger import LedgerKind, digest
from shared.tables import ACTIVITY
from shared.workspace.query import Workspace, quoted

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(slots=True)
class Rebuilt:
    """`looked` hours were compared; `restored` ids were written down as delivered, `dead` as dead letters."""

    looked: int = 0
    restored: int = 0
    dead: int = 0


async def rebuild(
    connection: Connection, days: int, tell: Callable[[datetime], None] = lambda _: None
) -> tuple[Run, Rebuilt]:
    """Write down every id of the last `days` days that the workspace has and the ledger lacks; `tell` hears each day.

    Newest first: the sweeps read the last two days. An hour whose digest agrees is skipped, so that a second run goes
    on where the first ended and then changes nothing. Dead letters are recorded as such again. Ids of
    categories that are only counted have no rows: the next `prove --repair` counts them again.
    Raises ConfigError when no workspace is configured; other errors end in the run's state.
    """
    workspace = connection.workspace
    if workspace is None:
        raise ConfigError("WORKSPACE_ID must be set: the ledger is rebuilt from the workspace")
    done = Rebuilt()
    async with connection.run(RunKind.REBUILD) as run:
        end = run.started_at.replace(minute=0, second=0, microsecond=0) + HOUR
        run.window = Window(end - days * DAY, end)
        done.dead = await _restore_dead(connection)
        for day in range(days):
            period = Window(end - (day + 1) * DAY, end - day * DAY)
            tell(period.gte)
            await _restore_day(connection, workspace, period, done)
            connection.ledger.forget_most()
        done.restored += await _restore_undated(connection, workspace, run.window.gte)
    return run, done


async def _restore_day(connection: Connection, workspace: Workspace, period: Window, done: Rebuilt) -> None:
    stored = await workspace.hours(connection.name, period.gte, period.lt)
    for hour in period.hours():
        done.looked += 1
        known = await connection.ledger.hour(hour)
        if hour not in stored or digest(known.sent.prefixes) == stored[hour]:
            continue
        start = hour_start(hour)
        ids = await workspace.ids(connection.name, start, start + HOUR)
        done.restored += await _remember(connection, hour, ids, LedgerKind.SENT)


async def _restore_dead(connection: Connection) -> int:
    restored = 0
    async for _, items in connection.dead_letters.waiting():
        by_hour: dict[Hour, list[str]] = {}
        for item in items:
            by_hour.setdefault(Hour(item.hour), []).append(item.id)
        for hour, ids in by_hour.items():
            restored += await _remember(connection, hour, ids, LedgerKind.DEAD)
    return restored


async def _restore_undated(connection: Connection, workspace: Workspace, since: datetime) -> int:
    """Activities without a time stand in a file of their own; their rows say so."""
    rows = await workspace.rows(
        f"{ACTIVITY} | where ConnectionName == {quoted(connection.name)} "
        f"and EventTime >= datetime({since:%Y-%m-%dT%H:%M:%SZ}) "
        "| where isnotempty(tostring(Handling.noCreatedAt)) | distinct ActivityId"
    )
    return await _remember(connection, UNDATED, [str(row[0]) for row in rows], LedgerKind.SENT)


async def _remember(connection: Connection, hour: Hour, ids: Iterable[str], kind: LedgerKind) -> int:
    known = (await connection.ledger.hour(hour)).file(kind).prefixes
    rows = [Outgoing(id, prefix_of(id), hour, b"", None) for id in ids]
    lacking = [row for row in rows if row.prefix not in known]
    await connection.ledger.remember(lacking, kind)
    return len(lacking)
