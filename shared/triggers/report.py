"""The timer of the compliance report: looks once a day whether the last whole week or month has its report."""

import logging

import azure.functions as func

from shared.archive.store import ArchiveStore
from shared.clock import Clock
from shared.errors import BridgeError
from shared.logs import event, logger
from shared.report.writing import Report, last_period, open_reporter, write_report
from shared.settings import Settings, load
from shared.triggers.bridge_cache import here
from shared.wiring import identity

log = logger(__name__)

REPORT = "compliance_report"
SCHEDULE = "0 15 5 * * *"
"""After the daily proof, and every day: a report that failed is written the next morning."""

reports = func.Blueprint()  # type: ignore[no-untyped-call]  # azure-functions leaves this one constructor untyped


class ReportFailed(Exception):
    """The report of the last period is not written; tomorrow's turn tries again."""


@reports.function_name(REPORT)
@reports.timer_trigger(arg_name="timer", schedule=SCHEDULE)
async def compliance_report(timer: func.TimerRequest) -> None:
    """The last period's report, unless it is written or REPORT_SCHEDULE is off."""
    try:
        await write_due(load(), here.clock)
    except BridgeError as why:
        raise ReportFailed(f"{why}. docs/report.md says what each refusal means") from why


async def write_due(settings: Settings, clock: Clock, *, archive: ArchiveStore | None = None) -> Report | None:
    """Write the report that is due, on `archive` or in the container; None when there is none. Raises BridgeError."""
    period = last_period(settings.report_schedule, clock.now())
    if period is None:
        return None
    async with identity() as credential, open_reporter(settings, credential, clock, archive=archive) as reporter:
        written = await write_report(reporter, period)
    if not written.new:
        return None
    if written.failed or written.proof is None or not written.proof.complete:
        event(log, "report.incomplete", level=logging.WARNING, report=written.name, failed=",".join(written.failed))
    return written
