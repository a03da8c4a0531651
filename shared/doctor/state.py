"""The bridge's own state: can it be stored, is it initialized, what is waiting; and the last runs."""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.doctor.check import Check, Subject, failed, passed, warned
from shared.doctor.sink import WORKSPACE_REMEDY
from shared.errors import BridgeError, CheckpointMoved
from shared.logs import safe
from shared.runs.run import LATE, SLOW, RunState
from shared.runs.status import Status
from shared.tables import HEALTH
from shared.workspace.query import quoted

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


_PASSING = {state.value for state in RunState if state.good} | {RunState.BUSY.value}
SILENT_FOR = timedelta(minutes=15)
DEAD_FOR = timedelta(hours=1)
LIVE_RUNS = 'RunKind == "live" and Part == 1'
ASK_REMEDY = "see the lines about identity and columns; if they pass, try again in a minute"
DRIFT_COLUMNS = ("UnknownTypes", "UnknownActors", "UnknownFields")


async def last_run(subject: Subject) -> Check:
    """State and age of the newest live run that reached the workspace."""
    name = "last run"
    try:
        rows = await _ask(
            subject, 'RunKind == "live" and Part == 1', "top 1 by EventTime desc | project EventTime, State"
        )
    except BridgeError as error:
        return warned(name, safe(str(error)), ASK_REMEDY)
    if rows is None:
        return warned(name, "not asked: no workspace is configured", WORKSPACE_REMEDY)
    if not rows:
        return warned(name, "no live run has reached the workspace", "run `run` once; then look at the timer's log")
    moment, state = _moment(rows[0][0]), str(rows[0][1])
    age = subject.connection.clock.now() - moment
    what = f"{safe(state)}, {max(0, int(age.total_seconds() // 60))} min ago"
    if state not in _PASSING:
        return failed(name, what, "docs/operate.md says what this state means; `run` shows its remedy")
    if age > DEAD_FOR:
        return failed(name, what, "the timer does not run, or its health rows are refused: look at the app's log")
    if age > SILENT_FOR:
        return warned(name, what, "a live run is due every minute: look at the timer")
    return passed(name, what)


async def drift(subject: Subject) -> Check:
    """Types, actors and fields this release does not know; they are carried whole, in Details."""
    name = "drift"
    try:
        since = subject.connection.clock.now() - timedelta(days=1)
        columns = ", ".join(DRIFT_COLUMNS)
        rows = await _ask(
            subject, f"EventTime > datetime({since:%Y-%m-%dT%H:%M:%SZ}) and Part == 1", f"project {columns}"
        )
    except BridgeError as error:
        return warned(name, safe(str(error)), ASK_REMEDY)
    if rows is None:
        return warned(name, "not asked: no workspace is configured", WORKSPACE_REMEDY)
    found: Counter[str] = Counter()
    for row in rows:
        for column, cell in zip(DRIFT_COLUMNS, row, strict=True):
            found.update({f"{column[7:-1].lower()} {name}": count for name, count in _counts(cell).items()})
    if not found:
        return passed(name, "nothing unknown in the last day")
    told = safe(", ".join(f"{what} ({count})" for what, count in found.most_common(5)))
    remedy = "nothing is lost; look for a newer release, or teach the catalogue"
    return warned(name, f"{len(found)} unknown in the last day: {told}", remedy)


async def _ask(subject: Subject, where: str, then: str) -> Sequence[Sequence[Any]] | None:
    """Health rows of this connection; None when there is no workspace to ask."""
    workspace = subject.connection.workspace
    if workspace is None:
        return None
    connection = quoted(subject.connection.name)
    return await workspace.rows(f"{HEALTH} | where ConnectionName == {connection} and {where} | {then}")


def _counts(cell: Any) -> dict[str, int]:
    """A dynamic cell arrives as its JSON text."""
    try:
        value = json.loads(cell) if isinstance(cell, str) and cell else cell
    except ValueError:
        return {}
    return {str(name): int(count) for name, count in value.items()} if isinstance(value, dict) else {}


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
