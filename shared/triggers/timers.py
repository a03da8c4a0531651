"""The three timers. Each gives every connection its turn, and fails only afterwards, in one sentence."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import azure.functions as func

from shared.errors import BridgeError, ConfigError
from shared.logs import defect, event, logger
from shared.models import Window
from shared.runs import backfill, last_runs, live
from shared.runs.connection import Connection
from shared.runs.prove import CLOSED_FOR, DAY, HOUR, prove
from shared.runs.run import Run
from shared.triggers.bridge_cache import here

log = logger(__name__)

POLL, PLAN, PROVE = "poll_activities", "work_plan", "prove_daily"

PROOF_DAYS = 3
PROOF_STARTS = timedelta(minutes=10)
"""A further day is only begun within this time of the turn's beginning."""
PROOF_ENDS_SECONDS = 20 * 60
"""A day that takes longer is given up: at host.json's functionTimeout the host would end the whole process."""

Work = Callable[[Connection], Awaitable[list[Run]]]

timers = func.Blueprint()  # type: ignore[no-untyped-call]  # azure-functions leaves this one constructor untyped


class RunsFailed(Exception):
    """Some connection's run ended badly; every connection has had its turn, and what was carried stays carried."""


@timers.function_name(POLL)
@timers.timer_trigger(arg_name="timer", schedule="%POLL_SCHEDULE%")
async def poll_activities(timer: func.TimerRequest) -> None:
    """One live run of every connection."""

    async def poll(connection: Connection) -> list[Run]:
        return [await live.poll(connection)]

    await turn(POLL, timer, poll)


@timers.function_name(PLAN)
@timers.timer_trigger(arg_name="timer", schedule="%PLAN_SCHEDULE%")
async def work_plan(timer: func.TimerRequest) -> None:
    """One turn of every connection's plan: repairs, sweeps, history."""
    await turn(PLAN, timer, backfill.work_plan)


@timers.function_name(PROVE)
@timers.timer_trigger(arg_name="timer", schedule="%PROVE_SCHEDULE%")
async def prove_daily(timer: func.TimerRequest) -> None:
    """Prove the last three closed days, newest first, and send again what the workspace lacks."""
    await turn(PROVE, timer, prove_days)


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


async def turn(name: str, timer: func.TimerRequest, work: Work) -> None:
    """Every connection's turn, side by side. Raises RunsFailed when a run ended badly.

    Overlapping and late invocations are harmless: whoever comes second finds the lease held and leaves quietly, and
    windows follow from the checkpoint, not from the schedule. Without a usable key there is nothing to do but say so.
    """
    if timer.past_due:
        event(log, "timer.late", timer=name)
    failures: Counter[str] = Counter()
    try:
        async with here.bridge() as bridge:
            for broken, why in bridge.broken:
                event(log, "connection.waiting", level=logging.WARNING, connection=broken, timer=name, reason=str(why))
            for bad in await asyncio.gather(*(_one(name, connection, work) for connection in bridge.connections)):
                failures.update(bad)
    except ConfigError as why:
        event(log, "bridge.waiting", level=logging.WARNING, timer=name, reason=str(why))
        return
    if failures:
        told = "; ".join(f"{what} ({count} times)" if count > 1 else what for what, count in failures.items())
        raise RunsFailed(f"{told}. docs/operate.md says what each state means; the health rows hold the details")


async def _one(timer: str, connection: Connection, work: Work) -> list[str]:
    """One connection's turn. Returns what went wrong; nothing of it ends the turn of another connection."""
    try:
        runs = await work(connection)
    except BridgeError as error:
        event(log, "turn.failed", level=logging.ERROR, connection=connection.name, timer=timer, error=str(error))
        return [f"connection {connection.name}: {timer} ended with {type(error).__name__}"]
    except Exception as error:
        defect(log, "turn.broke", error, connection=connection.name, timer=timer)
        return [f"connection {connection.name}: {timer} ended with {type(error).__name__}"]
    await last_runs.remember(connection, timer, runs)
    return [f"connection {connection.name}: {run.kind} ended {run.state}" for run in runs if _bad(run)]


def _bad(run: Run) -> bool:
    """A run that only waits for a setting or a key is no failure: it would fail once a minute until somebody acts."""
    return not run.state.good and not isinstance(run.error, ConfigError)


def _hour_after(moment: datetime) -> datetime:
    """The first whole hour at or after `moment`."""
    floor = moment.replace(minute=0, second=0, microsecond=0)
    return floor if floor == moment else floor + HOUR
