"""How far live reading has come: a watermark, and the window that is still open: pure functions, and their store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec

from shared.errors import StateMissing
from shared.models import Cursor, Order, Position, Window
from shared.state.store import Etag, Lease, Store, parsed

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


class OpenCheckpoint:
    """The checkpoint in hand, and the tag that the next save must still find."""

    def __init__(self, store: Store, name: str, lease: Lease, checkpoint: Checkpoint, etag: Etag) -> None:
        self._store = store
        self._name = name
        self._lease = lease
        self._etag = etag
        self.checkpoint = checkpoint

    async def save(self, checkpoint: Checkpoint) -> None:
        """Save, unless nothing changed; CheckpointMoved or LeaseLost when another run was faster."""
        if checkpoint == self.checkpoint:
            return
        self._lease.check()
        self._etag = await self._store.replace(self._name, dump(checkpoint), self._etag)
        self.checkpoint = checkpoint


class CheckpointStore:
    """The checkpoint of one stream, stored as the document `name`; `owner` is the connection's name, for messages."""

    def __init__(self, store: Store, name: str, owner: str) -> None:
        self._store = store
        self._name = name
        self._owner = owner

    async def read(self) -> Checkpoint:
        """Raises StateMissing, StateUnreadable or StoreFailed."""
        checkpoint, _ = await self._load()
        return checkpoint

    async def exists(self) -> bool:
        """Whether the connection was started; raises StoreFailed."""
        return await self._store.read(self._name) is not None

    async def held(self, lease: Lease) -> OpenCheckpoint:
        """The checkpoint for the run that holds `lease`; raises as `read`."""
        checkpoint, etag = await self._load()
        return OpenCheckpoint(self._store, self._name, lease, checkpoint, etag)

    async def create(self, checkpoint: Checkpoint) -> None:
        """Store a first checkpoint; CheckpointMoved when there is one."""
        await self._store.create(self._name, dump(checkpoint))

    async def delete(self) -> None:
        """Remove the checkpoint; no error when there is none."""
        await self._store.delete(self._name)

    async def _load(self) -> tuple[Checkpoint, Etag]:
        saved = await self._store.read(self._name)
        if saved is None:
            raise StateMissing(
                f"connection {self._owner} has no checkpoint for this destination: start it with `claude-bridge init`, "
                "or restore the state if it was running before"
            )
        return parse(saved.data), saved.etag
