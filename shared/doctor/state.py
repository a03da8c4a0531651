"""The bridge's own state: can it be stored, is the connection initialized, what is waiting."""

from contextlib import suppress
from datetime import timedelta

from shared.doctor.check import Check, Subject, failed, passed, warned
from shared.errors import BridgeError, CheckpointMoved
from shared.logs import safe
from shared.runs.run import LATE, SLOW
from shared.runs.status import Status

STORAGE_REMEDY = (
    "check STATE_CONTAINER_URL and Storage Blob Data Contributor on it, or that STATE_DIR is ours and not full"
)


async def storage(subject: Subject) -> Check:
    """Write a document, read it, remove it."""
    name, store = f"doctor/{subject.connection.prefix}.txt", subject.connection.store
    try:
        with suppress(CheckpointMoved):  # an earlier doctor was interrupted: its document will do
            await store.create(name, b"written by doctor")
        saved = await store.read(name)
        await store.delete(name)
    except BridgeError as wrong:
        return failed("state storage", safe(str(wrong)), STORAGE_REMEDY)
    if saved is None:
        return failed("state storage", "what was written could not be read", STORAGE_REMEDY)
    return passed("state storage", "state can be written, read and removed")


def initialized(status: Status) -> Check:
    """Whether checkpoint and plan exist and can be read."""
    if status.blocking:
        return failed("state", status.blocking[0], "run `init`, or restore the earlier checkpoint and plan")
    return passed("state", "the connection is initialized")


def lag(status: Status) -> Check:
    """How far live reading is behind."""
    if status.lag is None:
        return warned("lag", "unknown without a checkpoint", "fix the `state` check first")
    what = f"live reading is {_minutes(status.lag)} behind"
    remedy = "check the last run's state, and that the timer (or `run`) fires every minute"
    if status.lag > LATE:
        return failed("lag", what, remedy)
    return warned("lag", what, remedy) if status.lag > SLOW else passed("lag", what)


def dead_letters(status: Status) -> Check:
    """Rows that could not be delivered."""
    total = status.dead_letters.total()
    if not total:
        return passed("dead letters", "none waiting")
    reasons = ", ".join(f"{count} {reason}" for reason, count in status.dead_letters.most_common(5))
    return warned("dead letters", f"{total} waiting: {safe(reasons)}", "fix the cause, then `replay`")


def health_waiting(status: Status) -> Check:
    """Health rows that could not be sent."""
    if not status.health_waiting:
        return passed("health rows", "none waiting")
    remedy = "fix `role on the DCR`: the next run sends them"
    return warned("health rows", f"{status.health_waiting} waiting to be sent", remedy)


def _minutes(span: timedelta) -> str:
    minutes = max(0, int(span.total_seconds() // 60))
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
