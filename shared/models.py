"""The nouns that travel between the rooms: window, cursor, page, and a row ready to leave."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, NamedTuple, NewType

import msgspec

Cursor = NewType("Cursor", str)
"""Opaque position from a page's envelope; never parsed, never built from a row."""

Order = Literal["asc", "desc", "default"]
"""`default` sends no `order` parameter: the API then answers newest first."""

Hour = NewType("Hour", str)
"""`2026-11-24T13` (UTC hour of `created_at`), or `undated`."""

UNDATED = Hour("undated")


class Delivery(StrEnum):
    """How a row came to the table, in its column `Delivery`."""

    LIVE = "live"
    LATE = "late"
    BACKFILL = "backfill"
    REPAIR = "repair"
    REPLAY = "replay"


def hour_of(moment: datetime) -> Hour:
    """The ledger hour of an event time."""
    return Hour(moment.astimezone(UTC).strftime("%Y-%m-%dT%H"))


def hour_start(hour: Hour) -> datetime:
    """First moment of a dated hour."""
    return datetime.strptime(hour, "%Y-%m-%dT%H").replace(tzinfo=UTC)


def prefix_of(activity_id: str) -> bytes:
    """First 8 bytes of the SHA-256 of an id: what the ledger keeps, and what digests add up."""
    try:
        name = activity_id.encode()
    except UnicodeEncodeError:
        name = activity_id.encode("utf-8", "surrogatepass")  # twice as slow, and hardly ever needed
    return hashlib.sha256(name).digest()[:8]


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open span of `created_at`: `[gte, lt)`, both aware UTC."""

    gte: datetime
    lt: datetime

    @property
    def span(self) -> timedelta:
        return self.lt - self.gte

    def first_half(self) -> "Window":
        """The older half, in whole microseconds."""
        return replace(self, lt=self.gte + self.span / 2)

    def hours(self) -> Iterable[Hour]:
        """Every ledger hour the window touches."""
        at = self.gte.replace(minute=0, second=0, microsecond=0)
        while at < self.lt:
            yield hour_of(at)
            at += timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading stands in a window whose bounds, order and page size stay frozen until it closes.

    `trusted` is the latest moment the API's own clock confirms (its `Date` at the first page, less the settling
    time): a local clock that runs ahead must not move the watermark past it.
    """

    window: Window
    order: Order = "asc"
    cursor: Cursor | None = None
    limit: int = field(kw_only=True)
    pages: int = 0
    trusted: datetime | None = None
    activity_types: tuple[str, ...] = ()

    def restarted(self, *, order: Order | None = None, limit: int | None = None) -> "Position":
        """The same window from its start: a cursor must not outlive a change of order (rows would be lost)."""
        return replace(self, cursor=None, pages=0, order=order or self.order, limit=limit or self.limit)


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of the feed, decoded.

    `items` are raw activities as the API sent them (anything JSON allows, objects normally); `escaped` maps an
    item's index to the paths whose odd values had to be written as strings.
    """

    items: list[Any]
    has_more: bool | None
    last_id: Cursor | None
    request_id: str
    server_time: datetime | None
    bytes: int
    escaped: dict[int, tuple[str, ...]] = field(default_factory=dict)


class Item(msgspec.Struct, frozen=True, gc=False):
    """An item of a page with its identity; `time` is its `created_at` as `event_time` read it, where it has one.

    `escaped` are the places in it whose odd values are text by now. A Struct, because thousands are made per page and
    a dataclass costs ten times as much.
    """

    id: str
    prefix: bytes
    hour: Hour
    raw: Any
    time: tuple[str, bool] | None = None
    escaped: tuple[str, ...] = ()

    def outgoing(self) -> "Outgoing":
        """Without a row: for the ledger and for dead letters."""
        return Outgoing(self.id, self.prefix, self.hour, b"", self.raw, "", self.escaped)


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """A row encoded once, with what the ledger must remember and what a dead letter would need.

    `body` is the row as compact JSON; `raw` the item it was made of.
    """

    id: str
    prefix: bytes
    hour: Hour
    body: bytes
    raw: Any
    category: str = ""
    escaped: tuple[str, ...] = ()


class Undeliverable(NamedTuple):
    """No row can be made of an item, or none that any upload could take."""

    reason: str


class Overflowing(NamedTuple):
    """A row whose cells had to be cut: `whole` is to be kept, and `pointed` makes the row with where it is."""

    whole: bytes
    pointed: Callable[[str], "Outgoing | Undeliverable"]


Made = Outgoing | Overflowing | Undeliverable | None
"""What a stream makes of an item; None where its category is only counted."""


@dataclass(slots=True)
class Counts:
    """What one run did, in numbers: the facts of its health row.

    Every item read ends in exactly one of `sent`, `repeated`, `dead` and `counted`. `counted` are items of categories
    that are only counted: their ids are in the ledger, and no row leaves. `repeated` were in the ledger already (or
    twice in one page). `own_keys` are ids of keys our own requests were recorded under. `seen` holds, per hour, the
    distinct prefixes the feed showed, while `watch_hours` asks for it.
    """

    sent: int = 0
    repeated: int = 0
    dead: int = 0
    counted: int = 0
    read: int = 0
    pages: int = 0
    batches: int = 0
    body_bytes: int = 0
    upload_retries: int = 0
    escaped: int = 0
    overflowed: int = 0
    undated: int = 0
    bytes_by_category: Counter[str] = field(default_factory=Counter)
    dead_reasons: Counter[str] = field(default_factory=Counter)
    unknown_types: Counter[str] = field(default_factory=Counter)
    unknown_actors: Counter[str] = field(default_factory=Counter)
    unknown_fields: Counter[str] = field(default_factory=Counter)
    hours: Counter[Hour] = field(default_factory=Counter)
    own_keys: set[str] = field(default_factory=set)
    seen: dict[Hour, set[bytes]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter: the activity as it arrived (`raw`), why, when and by which run."""

    id: str
    prefix: bytes
    hour: str
    reason: str
    run_id: str
    at: str
    raw: Any
    escaped: tuple[str, ...] = ()


@dataclass(slots=True)
class Receipts:
    """What one run's requests left behind: how many went out, how many were retries, the ids of those answered."""

    requests: int = 0
    retries: int = 0
    request_ids: list[str] = field(default_factory=list)
