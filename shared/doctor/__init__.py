"""Examines everything the bridge depends on; every line that does not pass says what to do."""

import logging
from collections.abc import Awaitable

from shared import tables
from shared.doctor import sink, source, state
from shared.doctor.check import Api, Check, Probe, Subject, Verdict, failed
from shared.logs import event, logger
from shared.runs.run import Run, RunKind
from shared.runs.status import status

log = logger(__name__)

__all__ = ["Api", "Check", "Probe", "Subject", "Verdict", "examine"]


async def examine(subject: Subject) -> tuple[Run, list[Check]]:
    """All checks of one connection, in the order in which to fix them.

    Three or four requests are made; the run's health row names them, so that the workspace knows them as our own.
    """
    checks: list[Check] = []
    async with subject.connection.run(RunKind.DOCTOR) as run:
        replies = await source.ask(subject)
        run.requests = len(replies.asked)
        run.request_ids = [reply.request_id for reply in replies.asked if reply.request_id]
        checks += [
            await _guarded("key", source.key(subject)),
            source.activities(replies),
            source.others(replies),
            source.delete_rights(replies),
            source.clock(replies),
            source.budget(replies, subject.connection.limits.request_reserve),
        ]
        identified = await _guarded("identity", sink.identity(subject))
        checks += [identified, await _guarded("role on the DCR", sink.role(subject, identified))]
        for name in tables.table_names():
            checks.append(await _guarded(f"columns of {name}", sink.columns(subject, name)))
        stands = await status(subject.connection)
        checks += [
            await _guarded("state storage", state.storage(subject)),
            state.initialized(stands),
            state.lag(stands),
        ]
        checks += [await _guarded("last run", state.last_run(subject)), await _guarded("drift", state.drift(subject))]
        checks += [state.dead_letters(stands), state.health_waiting(stands)]
    if run.error is not None:
        what = f"the examination stopped here ({type(run.error).__name__})"
        checks.append(failed("doctor", what, "report this with the log; the lines that are missing were not checked"))
    return run, checks


async def _guarded(name: str, check: Awaitable[Check]) -> Check:
    """A check that breaks is a finding too, and must not keep the others from speaking."""
    try:
        return await check
    except Exception as error:
        event(log, "check.broke", level=logging.WARNING, check=name, error=type(error).__name__)
        return failed(name, f"the check could not be carried out ({type(error).__name__})", "report this with the log")
