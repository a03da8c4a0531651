"""How the last turn of each timer ended, kept beside the other state so that any instance can report it."""

import logging
from collections.abc import Sequence
from datetime import datetime

import msgspec

from shared.errors import CheckpointMoved, ConfigError, StoreFailed
from shared.logs import event, logger, safe
from shared.runs.connection import StreamConnection
from shared.runs.run import Run

log = logger(__name__)

POLL, PLAN, PROVE = "poll_activities", "work_plan", "prove_daily"
"""The timers, by the names under which their last turns are remembered."""


class LastTurn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One timer's last turn for one connection.

    `since` is when the first live turn with a checkpoint ended: from then on live reading covers every activity.
    `waits_for` is the sentence of a ConfigError: it names settings and remedies, never values.
    """

    kind: str
    state: str
    ended_at: datetime
    since: datetime | None = None
    read: int = 0
    sent: int = 0
    error: str | None = None
    waits_for: str | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(LastTurn).decode


async def remember(connection: StreamConnection, timer: str, runs: Sequence[Run]) -> None:
    """Store how the turn ended, by its worst run. A turn that left the work to another is not stored.

    No activity depends on this document, so no failure here ends a turn.
    """
    loud = [run for run in runs if not run.state.quiet]
    if not loud:
        return
    worst = next((run for run in loud if not run.state.good), loud[-1])
    now = connection.clock.now()
    name = _name(connection, timer)
    try:
        saved = await connection.store.read(name)
        before = _parse(saved.data) if saved is not None else None
        since = before.since if before is not None else None
        placed = any(run.watermark is not None for run in loud)
        turn = LastTurn(
            kind=worst.kind,
            state=worst.state,
            ended_at=now,
            since=since or (now if placed else None),
            read=sum(run.counts.read for run in loud),
            sent=sum(run.counts.sent for run in loud),
            error=type(worst.error).__name__ if worst.error else None,
            waits_for=safe(str(worst.error)) if isinstance(worst.error, ConfigError) else None,
        )
        if saved is None:
            await connection.store.create(name, _encode(turn))
        else:
            await connection.store.replace(name, _encode(turn), saved.etag)
    except CheckpointMoved:
        return  # another instance was first, and its turn is as new as ours
    except StoreFailed as failed:
        event(log, "status.lost", level=logging.WARNING, connection=connection.name, reason=str(failed))


async def recall(connection: StreamConnection, timer: str) -> LastTurn | None:
    """The last turn of `timer`, or None when none was stored or it cannot be read."""
    saved = await connection.store.read(_name(connection, timer))
    return _parse(saved.data) if saved is not None else None


def _name(connection: StreamConnection, timer: str) -> str:
    return f"status/{connection.prefix}/{timer}.json"


def _parse(data: bytes) -> LastTurn | None:
    try:
        return _decode(data)
    except msgspec.DecodeError:
        return None
