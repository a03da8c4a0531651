"""What is due besides the live run: the plan's turn, snapshots, and the days of the daily proof."""

import asyncio
from datetime import datetime, timedelta

from shared.logs import event, logger
from shared.models import Window
from shared.runs import backfill, last_runs, snapshot
from shared.runs.connection import Connection
from shared.runs.prove import CLOSED_FOR, DAY, HOUR, prove
from shared.runs.run import Run

log = logger(__name__)

POLL, PLAN, PROVE = "poll_activities", "work_plan", "prove_daily"
"""The timers, by the names under which their last turns are remembered."""

PROOF_DAYS = 3
PROOF_STARTS = timedelta(minutes=10)
"""A further day is only begun within this time of the turn's beginning."""
PROOF_ENDS_SECONDS = 20 * 60
"""A day that takes longer is given up: at host.json's functionTimeout the host would end the whole process."""


async def plan_turn(connection: Connection) -> list[Run]:
    """Repairs, sweeps and history of the feed, and beside them the snapshots that are due."""
    planned, snapshots = await asyncio.gather(backfill.work_plan(connection), snapshot.read_due(connection.snapshots))
    return [*planned, *snapshots]


async def prove_days(connection: Connection, *, ends_seconds: float = PROOF_ENDS_SECONDS) -> list[Run]:
    """Prove day after day until the time is up; at least one. TimeoutError when that one does not end.

    What is missing is sent again. Of the newest day that is a repair, which tomorrow's proof will check; an older day
    has had its repair, so that what it lacks is a gap.
    """
    runs: list[Run] = []
    left = connection.limits.prove_repair_rows
    until = connection.clock.now() + PROOF_STARTS
    async with asyncio.timeout(ends_seconds):
        for day in await days_to_prove(connection):
            run, proof = await prove(connection, day.gte, day.lt, repair=True, most_rows=left, again=bool(runs))
            left = max(0, left - proof.repaired)
            runs.append(run)
            if run.error is not None or connection.clock.now() >= until:
                break
    return runs


async def days_to_prove(connection: Connection) -> list[Window]:
    """The last three days, UTC, that the live walk has passed, newest first; none before its first whole hour.

    What lies before that hour is history: its windows may still wait, and `claude-bridge prove` proves it.
    """
    known = await last_runs.recall(connection, POLL)
    if known is None or known.since is None:
        event(log, "proof.postponed", connection=connection.name, reason="the live walk has not had its first turn")
        return []
    passed = min(connection.clock.now() - CLOSED_FOR, (await connection.checkpoint_store.read()).watermark)
    midnight = passed.replace(hour=0, minute=0, second=0, microsecond=0)
    first = _hour_after(known.since)
    days = [Window(max(first, midnight - (ago + 1) * DAY), midnight - ago * DAY) for ago in range(PROOF_DAYS)]
    return [day for day in days if day.gte < day.lt]


def _hour_after(moment: datetime) -> datetime:
    """The first whole hour at or after `moment`."""
    floor = moment.replace(minute=0, second=0, microsecond=0)
    return floor if floor == moment else floor + HOUR
