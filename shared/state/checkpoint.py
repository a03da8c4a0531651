"""How far live reading has come: a watermark, and the window that is still open. Pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec

from shared.models import Cursor, Order, Position, Window
from shared.state.store import parsed

FORMAT = 1
SMALLEST = timedelta(seconds=1)
FAILURES_BEFORE_HALVING = 3
WIDE_EVERY = timedelta(minutes=10)


class OpenWindow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A `Position` as it is stored, with the failed runs it has cost so far.

    `until` is where the window ended before it was halved: what follows the half is read next, without overlap.
    """

    gte: datetime
    lt: datetime
    limit: int
    order: Order = "asc"
    cursor: str | None = None
    pages: int = 0
    trusted: datetime | None = None
    types: tuple[str, ...] = ()
    failures: int = 0
    until: datetime | None = None

    def position(self) -> Position:
        return Position(
            window=Window(self.gte, self.lt),
            order=self.order,
            cursor=Cursor(self.cursor) if self.cursor is not None else None,
            limit=self.limit,
            pages=self.pages,
            trusted=self.trusted,
            activity_types=self.types,
        )

    @staticmethod
    def at(position: Position, *, failures: int = 0, until: datetime | None = None) -> "OpenWindow":
        return OpenWindow(
            gte=position.window.gte,
            lt=position.window.lt,
            order=position.order,
            cursor=position.cursor,
            limit=position.limit,
            pages=position.pages,
            trusted=position.trusted,
            types=position.activity_types,
            failures=failures,
            until=until,
        )


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One connection's live state.

    Everything with `created_at < watermark` that was indexed in time has been delivered. `wide_at` is when the long
    overlap was last read. `gaps` counts the seconds that could not be read and were left to the plan, `after_gap` is
    the end of the last one: no overlap reaches back over it, or it would be met again and again.
    """

    watermark: datetime
    open: OpenWindow | None = None
    wide_at: datetime | None = None
    gaps: int = 0
    after_gap: datetime | None = None
    format: int = FORMAT


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How the live run cuts its windows, by the settings of these names; the reasons are in docs/architecture.md."""

    settle: timedelta
    overlap: timedelta
    wide_overlap: timedelta
    page_limit: int


def begin(watermark: datetime) -> Checkpoint:
    """The first checkpoint of a connection: everything before `watermark` is history's business."""
    return Checkpoint(watermark=watermark.astimezone(UTC))


def opened(checkpoint: Checkpoint, now: datetime, pace: Pace) -> Checkpoint:
    """The checkpoint with a window to read: the open one as it stands, or the next one up to `now - settle`.

    Without `open` afterwards there is nothing to read yet.
    """
    if checkpoint.open is not None:
        return checkpoint
    lt = now - pace.settle
    if lt <= checkpoint.watermark:
        return checkpoint
    wide = checkpoint.wide_at is None or now - checkpoint.wide_at >= WIDE_EVERY
    gte = checkpoint.watermark - (pace.wide_overlap if wide else pace.overlap)
    if checkpoint.after_gap is not None:
        gte = max(gte, checkpoint.after_gap)
    opened = OpenWindow.at(Position(Window(gte, lt), limit=pace.page_limit))
    return msgspec.structs.replace(checkpoint, open=opened, wide_at=now if wide else checkpoint.wide_at)


def moved(checkpoint: Checkpoint, position: Position) -> Checkpoint:
    """A page was carried: the same window, further on. Progress wipes out earlier failures."""
    until = checkpoint.open.until if checkpoint.open is not None else None
    return msgspec.structs.replace(checkpoint, open=OpenWindow.at(position, until=until))


def closed(checkpoint: Checkpoint, position: Position) -> Checkpoint:
    """The window was read to its end. The watermark moves to what both clocks confirm, never backwards.

    After a half the rest of the original window is open.
    """
    reached = min(position.window.lt, position.trusted) if position.trusted is not None else position.window.lt
    return msgspec.structs.replace(
        checkpoint, watermark=max(checkpoint.watermark, reached), open=_rest(checkpoint, position)
    )


def failed(checkpoint: Checkpoint) -> tuple[Checkpoint, Window | None]:
    """The open window could not be read for a reason of its own. Returns the next state and a gap, if one opens.

    After three failed runs the window is halved and read again from its start; a window of one second that still
    fails becomes a gap: the plan keeps trying it while live reading continues behind it.
    """
    if checkpoint.open is None:
        return checkpoint, None
    position, failures, until = checkpoint.open.position(), checkpoint.open.failures + 1, checkpoint.open.until
    if failures < FAILURES_BEFORE_HALVING:
        tried = OpenWindow.at(position, failures=failures, until=until)
        return msgspec.structs.replace(checkpoint, open=tried), None
    if position.window.span > SMALLEST:
        half = replace(position.restarted(), window=position.window.first_half(), trusted=None)
        opened = OpenWindow.at(half, until=until or position.window.lt)
        return msgspec.structs.replace(checkpoint, open=opened), None
    skipped = msgspec.structs.replace(
        checkpoint,
        watermark=max(checkpoint.watermark, position.window.lt),
        open=_rest(checkpoint, position),
        gaps=checkpoint.gaps + 1,
        after_gap=position.window.lt,
    )
    return skipped, position.window


def _rest(checkpoint: Checkpoint, position: Position) -> OpenWindow | None:
    """What is left of the original window behind `position`, which was a half of it; None when that was all."""
    until = checkpoint.open.until if checkpoint.open is not None else None
    if until is None or position.window.lt >= until:
        return None
    rest = replace(position.restarted(), window=Window(position.window.lt, until), trusted=None)
    return OpenWindow.at(rest, until=until)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Checkpoint)


def dump(checkpoint: Checkpoint) -> bytes:
    return _encoder.encode(checkpoint)


def parse(data: bytes) -> Checkpoint:
    """Read a stored checkpoint; StateUnreadable when it is damaged or from a later release."""
    return parsed(_decoder, data, what="checkpoint", known=FORMAT)
