"""The three timers. Each gives every connection its turn, and fails only afterwards, in one sentence."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable

import azure.functions as func

from shared.errors import BridgeError, ConfigError
from shared.logs import defect, event, logger
from shared.runs import last_runs, live
from shared.runs.connection import Connection
from shared.runs.due import PLAN, POLL, PROVE, plan_turn, prove_days
from shared.runs.run import Run
from shared.triggers.bridge_cache import here

log = logger(__name__)

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
    """One turn of every connection's plan: repairs, sweeps, history, and snapshots that are due."""
    await turn(PLAN, timer, plan_turn)


@timers.function_name(PROVE)
@timers.timer_trigger(arg_name="timer", schedule="%PROVE_SCHEDULE%")
async def prove_daily(timer: func.TimerRequest) -> None:
    """Prove the last three closed days, newest first, and send again what the workspace lacks."""
    await turn(PROVE, timer, prove_days)


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
