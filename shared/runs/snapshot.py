"""Snapshots: all pages of a few lists, whole or marked incomplete; an id per snapshot, so that no two are mixed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from shared import __version__
from shared.errors import NotAvailable, SinkRefused
from shared.logs import event, logger
from shared.models import UNDATED, Outgoing, Receipts, prefix_of
from shared.rows.canonical import kept
from shared.rows.limits import CELL_LIMIT_BYTES, fit
from shared.rows.minimize import fitted
from shared.rows.times import utc_text
from shared.runs import last_turns
from shared.runs.connection import ListedPage, SnapshotConnection
from shared.runs.run import Run, RunKind, RunState
from shared.streams import Family

log = logger(__name__)

SNAPSHOT = "snapshot"
RETRY_AFTER = timedelta(minutes=5)
"""A snapshot that did not end whole is read again after this time, not after its whole interval."""


_WHOLE = (RunState.OK, RunState.NOT_AVAILABLE)


async def due_at(connection: SnapshotConnection) -> datetime:
    """When the next snapshot is due: an interval after the last whole one ended, minutes after one that did not."""
    last = await last_turns.recall(connection, SNAPSHOT)
    if last is None:
        return connection.clock.now()
    return last.ended_at + (connection.every if last.state in _WHOLE else RETRY_AFTER)


async def read_due(connections: Sequence[SnapshotConnection]) -> list[Run]:
    """The snapshots that are due, one after the other: they share the request budget with everything else."""
    runs = []
    for connection in connections:
        if await due_at(connection) <= connection.clock.now():
            run = await take(connection)
            await last_turns.remember(connection, SNAPSHOT, [run])
            runs.append(run)
    return runs


async def take(connection: SnapshotConnection) -> Run:
    """Read every family to its end and send every row. `ok` says whole: all families were read, all rows accepted.

    The run's id is the snapshot's. Its digests say, per family, pages, items and whether the end was reached; a family
    that is not available to this key is named there, and a row that was refused makes the snapshot `incomplete`.
    """
    async with (
        connection.run(RunKind.SNAPSHOT) as run,
        connection.store.lease(f"lease/{connection.prefix}/{SNAPSHOT}"),
    ):
        receipts = Receipts()
        try:
            await connection.lists.begin_run()
            found = [await _read(connection, family, run, receipts) for family in connection.declared.families]
        finally:
            run.note(receipts)
        if not any(found):
            run.state = RunState.NOT_AVAILABLE
        elif run.counts.dead:
            run.state = RunState.INCOMPLETE
    return run


async def _read(connection: SnapshotConnection, family: Family, run: Run, receipts: Receipts) -> bool:
    """One family; False when it is not available."""
    digest: dict[str, Any] = {"family": family.name, "pages": 0, "items": 0, "whole": False}
    run.digests.append(digest)
    deadline = run.started_at + connection.limits.planned
    pages = connection.lists.pages(
        family.endpoint, receipts, deadline=deadline, reserve=connection.limits.request_reserve
    )
    try:
        async for page in pages:
            digest["pages"] += 1
            digest["items"] += len(page.items) + page.not_objects
            await _send(connection, family, page, run, deadline)
    except NotAvailable as closed:
        digest["notAvailable"] = True
        event(log, "family.not_available", connection=connection.name, family=family.name, reason=str(closed))
        return False
    digest["whole"] = True
    return True


async def _send(connection: SnapshotConnection, family: Family, page: ListedPage, run: Run, deadline: datetime) -> None:
    counts = run.counts
    counts.pages += 1
    counts.read += len(page.items) + page.not_objects
    common = _common(connection, run)
    rows, refused = list[Outgoing](), ["not an object"] * page.not_objects
    for item in page.items:
        try:
            columns = family.to_row(item)
        except (AttributeError, KeyError, TypeError, ValueError) as odd:
            refused.append(f"unreadable: {type(odd).__name__}")  # one odd item must not stop all others for ever
            continue
        rows.append(_outgoing(connection, family, item, {**common, "Family": family.name, **columns}, run))

    async def remember(accepted: Sequence[Outgoing]) -> None:
        counts.sent += len(accepted)
        counts.bytes_by_category[family.name] += sum(len(row.body) for row in accepted)

    sent = await connection.sink.send(rows, remember, deadline=deadline)
    counts.batches += sent.batches
    counts.body_bytes += sent.bytes
    counts.upload_retries += sent.retries
    # No dead letters: the next snapshot reads every item again.
    refused += [reason for _, reason in sent.refused]
    counts.dead += len(refused)
    counts.dead_reasons.update(reason.split(":", 1)[0] for reason in refused)


def _common(connection: SnapshotConnection, run: Run) -> dict[str, Any]:
    now = utc_text(connection.clock.now())
    return {
        "TimeGenerated": now,
        "EventTime": utc_text(run.started_at),
        "ConnectionName": connection.name,
        "Stream": connection.stream,
        "RunId": run.id,
        "BridgeVersion": __version__,
    }


def _outgoing(
    connection: SnapshotConnection, family: Family, item: dict[str, Any], row: dict[str, Any], run: Run
) -> Outgoing:
    unknown = row.keys() - connection.columns
    if unknown:
        raise SinkRefused(f"stream {connection.stream} makes columns its table lacks: {', '.join(sorted(unknown))}")
    if not connection.newer.isdisjoint(row):
        row = fitted(row, connection.newer)
    body = kept(row)
    if len(body) > CELL_LIMIT_BYTES and fit(row):
        run.counts.overflowed += 1  # the API keeps the whole; the next snapshot shows it again
        body = kept(row)
    key = str(item.get("id") or item.get("uuid") or "")
    return Outgoing(key, prefix_of(key), UNDATED, body, item, family.name)
