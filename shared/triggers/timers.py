"""The timers. Those of the bridge give every connection its turn, and fail only afterwards, in one sentence."""

import logging
from collections import Counter

import azure.functions as func

from shared.errors import BridgeError, ConfigError
from shared.logs import event, logger
from shared.runs.last_turns import PLAN, POLL, PROVE
from shared.runs.turns import take_turns
from shared.triggers.bridge_cache import here

log = logger(__name__)

REPORT = "compliance_report"
REPORT_SCHEDULE = "0 15 5 * * *"
"""After the daily proof, and every day: a report that failed is written the next morning."""

timers = func.Blueprint()  # type: ignore[no-untyped-call]  # azure-functions leaves this one constructor untyped


class RunsFailed(Exception):
    """Some connection's run ended badly; every connection has had its turn, and what was delivered stays delivered."""


class ReportFailed(Exception):
    """The last period's report is not written; tomorrow's run tries again."""


@timers.function_name(POLL)
@timers.timer_trigger(arg_name="timer", schedule="%POLL_SCHEDULE%")
async def poll_activities(timer: func.TimerRequest) -> None:
    """One live run of every connection."""
    await fire(POLL, timer)


@timers.function_name(PLAN)
@timers.timer_trigger(arg_name="timer", schedule="%PLAN_SCHEDULE%")
async def work_plan(timer: func.TimerRequest) -> None:
    """One turn of every connection's plan: repairs, sweeps, history, and snapshots that are due."""
    await fire(PLAN, timer)


@timers.function_name(PROVE)
@timers.timer_trigger(arg_name="timer", schedule="%PROVE_SCHEDULE%")
async def prove_daily(timer: func.TimerRequest) -> None:
    """Prove the last three closed days, newest first, and send again what the workspace lacks."""
    await fire(PROVE, timer)


@timers.function_name(REPORT)
@timers.timer_trigger(arg_name="timer", schedule=REPORT_SCHEDULE)
async def compliance_report(timer: func.TimerRequest) -> None:
    """The last whole week's or month's report, unless it is written or REPORT_SCHEDULE is off."""
    from shared.settings import load

    settings = load()
    if settings.report_schedule == "off":
        return
    # Only apps that write reports load the parts that sign and render them.
    from shared.report.writing import write_due
    from shared.wiring import identity

    try:
        async with identity() as credential:
            await write_due(settings, credential, here.clock)
    except BridgeError as why:
        raise ReportFailed(f"{why}. docs/report.md says what each refusal means") from why


async def fire(name: str, timer: func.TimerRequest) -> None:
    """Every connection's turn, side by side. Raises RunsFailed when a run ended badly.

    Overlapping and late invocations are harmless: whoever comes second finds the lease held and leaves quietly, and
    windows follow from the checkpoint, not from the schedule. Without a usable key it only logs what it waits for.
    """
    if timer.past_due:
        event(log, "timer.late", timer=name)
    failures: Counter[str] = Counter()
    try:
        async with here.bridge() as bridge:
            for broken, why in bridge.broken:
                event(log, "connection.waiting", level=logging.WARNING, connection=broken, timer=name, reason=str(why))
            for turn in await take_turns(bridge.connections, name):
                failures.update(turn.failures)
    except ConfigError as why:
        event(log, "bridge.waiting", level=logging.WARNING, timer=name, reason=str(why))
        return
    if failures:
        listed = "; ".join(f"{what} ({count} times)" if count > 1 else what for what, count in failures.items())
        raise RunsFailed(f"{listed}. docs/operate.md says what each state means; the health rows hold the details")
