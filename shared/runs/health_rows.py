"""What a run says about itself: one health row (or several), kept and sent later when the sink says no."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from shared import __version__, tables
from shared.clock import Clock
from shared.errors import BridgeError, SinkRefused
from shared.logs import event, logger, safe
from shared.models import UNDATED, Outgoing, prefix_of
from shared.rows.minimize import fitted, newer_columns
from shared.runs.pipeline import Sink
from shared.runs.run import Run, attention
from shared.state.store import Store
from shared.tables import HEALTH

log = logger(__name__)
_encode = msgspec.json.Encoder().encode

REQUEST_IDS_PER_ROW = 600
DIGESTS_PER_ROW = 150
NAMES_BYTES = 20_000
NAME_LENGTH = 100
"""Cells are cut by the service beyond 32,000 bytes: an id is about 40 bytes, a digest about 150."""


class HealthRows:
    """Writes health rows; what cannot be sent waits in `health/{prefix}/` and goes before the next one.

    `deployed_version` is that of the health table in the workspace; None means this release's own. What an older one
    lacks goes into `Details`: the service would drop it without a word.
    """

    def __init__(
        self,
        sink: Sink,
        store: Store,
        *,
        connection: str,
        stream: str,
        prefix: str,
        clock: Clock,
        deployed_version: int | None = None,
    ) -> None:
        self._sink = sink
        self._store = store
        self._connection = connection
        self._stream = stream
        self._pending = f"health/{prefix}"
        self._clock = clock
        self._turn = asyncio.Lock()
        self._newer = newer_columns(HEALTH, deployed_version)

    async def write(self, run: Run, *, deadline: datetime) -> BridgeError | None:
        """Send the run's rows, older ones first; what kept them from being accepted, or None. Never raises one.

        One at a time: runs that end together must not both send what waits.
        """
        newer = self._newer
        rows = [_encode(row if newer.isdisjoint(row) else fitted(row, newer)) for row in self._rows(run)]
        async with self._turn:
            try:
                taken = await self._older(run)
                older = [line for lines in taken.values() for line in lines]
                sent = await self._sink.send(
                    [_health_row(body) for body in (*older, *rows)], _nothing, deadline=deadline
                )
            except BridgeError as no:
                event(log, "health.kept", level=logging.WARNING, rows=len(rows), reason=type(no).__name__)
                await self._keep(rows)
                return no
            await self._forget(taken)
        if sent.refused:
            reason = sent.refused[0][1]
            event(log, "health.refused", level=logging.ERROR, rows=len(sent.refused), reason=reason)
            return SinkRefused(f"the health row was refused ({reason}): deploy table and DCR of {HEALTH} again")
        return None

    async def _older(self, run: Run) -> dict[str, list[bytes]]:
        """Rows that wait, by file. They are first moved out of the reach of other processes, which append to them.

        A store that is down keeps nobody's row from being sent: the run's own says that it is down.
        """
        try:
            await self._store.rename(f"{self._pending}/waiting.jsonl", f"{self._pending}/taken-{run.id}.jsonl")
            names = [name for name in await self._store.names(self._pending) if "/taken-" in name]
            return {name: (await self._store.tail(name, 0)).splitlines() for name in names}
        except BridgeError as no:
            event(log, "health.waiting_unread", level=logging.WARNING, reason=safe(str(no)))
            return {}

    async def _forget(self, taken: Iterable[str]) -> None:
        try:
            for name in taken:
                await self._store.delete(name)
        except BridgeError as no:
            event(log, "health.sent_twice", level=logging.WARNING, reason=safe(str(no)))

    async def _keep(self, rows: Sequence[bytes]) -> None:
        try:
            await self._store.append(f"{self._pending}/waiting.jsonl", b"".join(row + b"\n" for row in rows))
        except BridgeError as no:
            # Neither sink nor store: the log line is all that is left, and it is enough to see that a run failed.
            event(log, "health.lost", level=logging.ERROR, rows=len(rows), reason=safe(str(no)))

    def _rows(self, run: Run) -> list[dict[str, Any]]:
        parts = max(1, -(-len(run.request_ids) // REQUEST_IDS_PER_ROW), -(-len(run.digests) // DIGESTS_PER_ROW))
        rows = [self._common(run, part, parts) for part in range(1, parts + 1)]
        rows[0].update(_counts(run, self._clock.now()))
        for part, row in enumerate(rows):
            row["OwnKeyIds"] = sorted(run.counts.own_keys) if part == 0 else []
            row["RequestIds"] = run.request_ids[part * REQUEST_IDS_PER_ROW : (part + 1) * REQUEST_IDS_PER_ROW]
            row["Digests"] = run.digests[part * DIGESTS_PER_ROW : (part + 1) * DIGESTS_PER_ROW]
        return rows

    def _common(self, run: Run, part: int, parts: int) -> dict[str, Any]:
        now = _iso(self._clock.now())
        return {
            "TimeGenerated": now,
            "EventTime": now,
            "ConnectionName": self._connection,
            "Stream": self._stream,
            "RunId": run.id,
            "BridgeVersion": __version__,
            "TableVersion": tables.load(tables.ACTIVITY).version,
            "RunKind": run.kind,
            "State": run.state,
            "Attention": attention(run.state, lag=run.lag(self._clock.now()), dead_letters=run.counts.dead),
            "StartedAt": _iso(run.started_at),
            "Part": part,
            "Parts": parts,
        }


def _counts(run: Run, now: datetime) -> dict[str, Any]:
    """The columns that stand in a run's first row only; absent where there is nothing to say."""
    counts = run.counts
    row: dict[str, Any] = {
        "WindowFrom": _iso(run.window.gte) if run.window else None,
        "WindowTo": _iso(run.window.lt) if run.window else None,
        "Watermark": _iso(run.watermark) if run.watermark else None,
        "LagSeconds": int(lag.total_seconds()) if (lag := run.lag(now)) is not None else None,
        "PlanId": run.plan_id,
        "PlanWaiting": run.plan_waiting,
        "Pages": counts.pages,
        "Requests": run.requests,
        "Retries": run.retries + counts.upload_retries,
        "ItemsRead": counts.read,
        "RowsSent": counts.sent,
        "RowsLate": run.late,
        "RowsRepeated": counts.repeated,
        "RowsDeadLettered": counts.dead,
        "RowsCounted": counts.counted,
        "RowsEscaped": counts.escaped,
        "RowsOverflowed": counts.overflowed,
        "RowsUndated": counts.undated,
        "Batches": counts.batches,
        "BytesSent": counts.body_bytes,
        "BytesByCategory": _most(counts.bytes_by_category),
        "DeadLetterReasons": _most(counts.dead_reasons),
        "UnknownTypes": _most(counts.unknown_types),
        "UnknownActors": _most(counts.unknown_actors),
        "UnknownFields": _most(counts.unknown_fields),
        "BudgetLimit": run.budget_limit,
        "BudgetRemaining": run.budget_remaining,
        "MissingIds": run.missing,
        "Gaps": run.gaps,
        "ErrorClass": type(run.error).__name__ if run.error else None,
        "ErrorMessage": run.message,
    }
    return {name: value for name, value in row.items() if value is not None and value != {}}


def _most(counts: Counter[str]) -> dict[str, int]:
    """The most frequent names, as many as a cell holds: a flood of new ones must not burst it."""
    kept: Counter[str] = Counter()
    room = NAMES_BYTES
    for name, count in counts.most_common():
        short = name[:NAME_LENGTH]
        if short not in kept:
            room -= len(_encode(short)) + 12
            if room < 0:
                break
        kept[short] += count
    return dict(kept)


def _health_row(body: bytes) -> Outgoing:
    return Outgoing("health", prefix_of("health"), UNDATED, body, None)


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def _nothing(_: Sequence[Outgoing]) -> None:
    """Health rows are not in the ledger: they are made once, and a repeat is recognized by RunId and Part."""
