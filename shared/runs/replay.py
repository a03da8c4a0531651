"""Sends again what was set aside: after a new release, a wider table, or a mended DCR."""

from collections.abc import Sequence
from datetime import datetime

from shared.models import UNDATED, AsideItem, Outgoing
from shared.runs.connection import Connection
from shared.runs.health_rows import Run
from shared.runs.pipeline import identified
from shared.state.ledger import hour_digest

PORTION = 2000


async def replay(connection: Connection) -> Run:
    """Try every waiting row once more; the run's tally says what went (`sent`) and what is still refused (`aside`)."""
    async with connection.run("replay") as run, connection.store.lease(f"lease/{connection.folder}/replay"):
        deadline = run.started_at + connection.limits.planned
        gone: set[bytes] = set()
        async for day, items in connection.set_aside.waiting():
            # The same row may wait under two days (a crash between set-aside and ledger): it goes once.
            twice = [item for item in items if item.prefix in gone]
            await connection.set_aside.mark_replayed(day, [item.prefix for item in twice])
            await _send(connection, run, day, [item for item in items if item.prefix not in gone], gone, deadline)
        # These hours were proved with rows missing; say what the workspace must hold of them now.
        for hour in sorted(run.tally.hours.keys() - {UNDATED}):
            run.digests.append(hour_digest(hour, await connection.ledger.hour(hour)))
    return run


async def _send(
    connection: Connection, run: Run, day: str, items: Sequence[AsideItem], gone: set[bytes], deadline: datetime
) -> None:
    """One day's rows, in portions."""
    tally, carrier = run.tally, connection.carrier(run, "replay", deadline=deadline)

    async def remember(rows: Sequence[Outgoing]) -> None:
        await connection.ledger.remember(rows)
        await connection.set_aside.mark_replayed(day, [row.prefix for row in rows])
        gone.update(row.prefix for row in rows)
        tally.sent += len(rows)
        tally.hours.update(row.hour for row in rows)

    async def count(rows: Sequence[Outgoing]) -> None:
        """Of a category that is only counted by now no row leaves any more."""
        if rows:
            await connection.ledger.remember(rows, "counted")
            await connection.set_aside.mark_replayed(day, [row.prefix for row in rows])
            tally.counted += len(rows)

    tally.read += len(items)
    still: list[str] = [item.reason for item in items if not isinstance(item.raw, dict)]
    activities = [item for item in items if isinstance(item.raw, dict)]
    for start in range(0, len(activities), PORTION):
        portion = [identified(item.raw, item.escaped) for item in activities[start : start + PORTION]]
        made = [(item, await carrier.row(item)) for item in portion]
        await count([item.outgoing() for item, row in made if row is None])
        rows = [row for _, row in made if row is not None]
        fitting = [row for row in rows if not carrier.too_large(row)]
        sent = await connection.sink.send(fitting, remember, deadline=deadline)
        still += [reason for _, reason in sent.refused] + ["too large"] * (len(rows) - len(fitting))
        tally.batches += sent.batches
        tally.body_bytes += sent.bytes
    tally.aside += len(still)
    tally.aside_reasons.update(reason.split(":", 1)[0] for reason in still)
