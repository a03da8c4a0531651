"""Sends again what was set aside: after a new release, a wider table, or a mended DCR."""

from collections.abc import Sequence
from functools import partial

from shared.connection import Connection
from shared.health import Run
from shared.models import UNDATED, Outgoing
from shared.progress.ledger import hour_digest

PORTION = 2000


async def replay(connection: Connection) -> Run:
    """Try every waiting row once more; the run's tally says what went (`sent`) and what is still refused (`aside`)."""
    async with connection.run("replay") as run, connection.store.lease(f"lease/{connection.folder}/replay"):
        deadline = run.started_at + connection.limits.planned
        carrier = connection.carrier(run, "replay", deadline=deadline)

        async def remember(day: str, rows: Sequence[Outgoing]) -> None:
            await connection.ledger.remember(rows)
            await connection.set_aside.mark_replayed(day, rows)
            run.tally.sent += len(rows)
            run.tally.hours.update(row.hour for row in rows)

        async for day, items in connection.set_aside.waiting():
            run.tally.read += len(items)
            activities = [item.raw for item in items if isinstance(item.raw, dict)]
            run.tally.aside += len(items) - len(activities)
            for start in range(0, len(activities), PORTION):
                rows = [await carrier.row(activity) for activity in activities[start : start + PORTION]]
                fitting = [row for row in rows if not carrier.too_large(row)]
                sent = await connection.sink.send(fitting, partial(remember, day), deadline=deadline)
                run.tally.aside += len(sent.refused) + len(rows) - len(fitting)
                run.tally.batches += sent.batches
                run.tally.body_bytes += sent.bytes
        # These hours were proved with rows missing; say what the workspace must hold of them now.
        for hour in sorted(run.tally.hours.keys() - {UNDATED}):
            run.digests.append(hour_digest(hour, await connection.ledger.hour(hour)))
    return run
