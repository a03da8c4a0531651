"""One page's journey: fold what is new, send it, remember what was accepted, set aside what cannot go."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import msgspec

from shared.logs import event, logger
from shared.models import UNDATED, Hour, Outgoing, Page, prefix_of
from shared.rows import limits
from shared.rows.canonical import canonical, digest, encode, kept
from shared.rows.sanitize import tame
from shared.rows.shaping import Shaping
from shared.rows.times import event_time
from shared.runs.counts import Tally
from shared.runs.own_requests import OwnReads
from shared.sink.batches import Sent
from shared.streams.activity.fold import Carriage, Folded, activity_key, fold, original_of

log = logger(__name__)

ROW_LIMIT_BYTES = 950_000


class Sink(Protocol):
    """Where rows go."""

    async def send(
        self, rows: Sequence[Outgoing], remember: Callable[[Sequence[Outgoing]], Awaitable[None]], *, deadline: datetime
    ) -> Sent:
        """Deliver; await `remember` with each accepted part; return the refused rows."""
        ...


class Aside(Protocol):
    """Where what cannot be delivered is kept."""

    async def put(self, rows: Sequence[tuple[Outgoing, str]], run_id: str) -> None: ...

    async def keep_whole(self, prefix: bytes, original: bytes) -> str: ...


class KnownIds(Protocol):
    """One hour's ids."""

    def knows(self, prefix: bytes) -> bool: ...


class Known(Protocol):
    """Which ids need not be sent, and where those that were are remembered; the ledger, normally."""

    async def load(self, hours: Iterable[Hour]) -> Mapping[Hour, KnownIds]: ...

    async def remember(self, rows: Sequence[Outgoing], kind: str = "sent") -> None: ...


@dataclass(frozen=True, slots=True)
class Carrier:
    """Everything a page needs on its way; one per run."""

    known: Known
    sink: Sink
    aside: Aside
    carriage: Carriage
    tally: Tally
    deadline: datetime
    watch_hours: bool = False
    shaping: Shaping = field(default_factory=Shaping)
    own_reads: OwnReads = field(default_factory=OwnReads)
    loaded: dict[Hour, KnownIds] = field(default_factory=dict)

    async def carry(self, page: Page) -> None:
        """Deliver every activity of `page` that the ledger does not know.

        Rows are remembered upload by upload, after the sink's yes: a crash in between sends them twice, and never
        loses one. Raises what the sink and the store raise.
        """
        tally = self.tally
        tally.pages += 1
        tally.read += len(page.items)
        fresh = await self._unseen(page)
        rows: list[Outgoing] = []
        counted: list[Outgoing] = []
        hopeless: list[tuple[Outgoing, str]] = []
        plain = self.shaping.plain
        for item in fresh:
            if not isinstance(item.activity, dict):
                hopeless.append((item.outgoing(), "not an object"))
                continue
            folded = self._folded(item)
            if plain and folded.overflow is None:
                row = self._outgoing(item, folded.row)
            elif self.shaping.mode(folded.row["Category"]) == "count-only":
                counted.append(item.outgoing())
                continue
            else:
                row = self._outgoing(item, await self._shaped(item, folded))
            if len(row.body) > ROW_LIMIT_BYTES:
                hopeless.append((row, f"too large: {len(row.body)} bytes"))
            else:
                rows.append(row)
        sent = await self.sink.send(rows, self._remember, deadline=self.deadline)
        tally.batches += sent.batches
        tally.body_bytes += sent.bytes
        if counted:
            await self.known.remember(counted, "counted")
            tally.counted += len(counted)
        await self._set_aside(hopeless + sent.refused)

    async def _unseen(self, page: Page) -> list["Item"]:
        items = [identified(raw) for raw in page.items]
        for at, places in page.escaped.items():
            items[at] = identified(page.items[at], places)
        if self.watch_hours:
            for item in items:
                self.tally.seen.setdefault(item.hour, set()).add(item.prefix)
        known = await self._hours({item.hour for item in items})
        fresh: list[Item] = []
        here: set[bytes] = set()
        hour: Hour | None = None
        for item in items:
            if item.hour is not hour:  # neighbours mostly share theirs
                hour = item.hour
                knows = known[hour].knows
            if item.prefix in here or knows(item.prefix):
                continue
            here.add(item.prefix)
            fresh.append(item)
        self.tally.repeated += len(items) - len(fresh)
        return fresh

    async def _hours(self, hours: set[Hour]) -> Mapping[Hour, KnownIds]:
        """What is known of these hours. Those of the page before are not asked for again: what this run sends is in
        them, and no other run reads the same window."""
        held = {hour: ids for hour, ids in self.loaded.items() if hour in hours}
        held.update(await self.known.load(hours - held.keys()))
        self.loaded.clear()
        self.loaded.update(held)
        return held

    async def row(self, item: "Item") -> Outgoing | None:
        """The activity as a row, encoded once; None when its category is only counted."""
        folded = self._folded(item)
        if self.shaping.mode(folded.row["Category"]) == "count-only":
            return None
        return self._outgoing(item, await self._shaped(item, folded))

    def _folded(self, item: "Item") -> Folded:
        tally = self.tally
        folded = fold(item.activity, self.carriage, item.escaped, item.time)
        if folded.unknown_type is not None:
            tally.unknown_types[folded.unknown_type] += 1
        if folded.unknown_actor is not None:
            tally.unknown_actors[folded.unknown_actor] += 1
        if folded.unknown_fields:
            kind = folded.row.get("ActivityType", "")
            tally.unknown_fields.update(f"{kind}.{name}" for name in folded.unknown_fields)
        if "escaped" in folded.row.get("Handling", ()):
            tally.escaped += 1
        if item.hour is UNDATED:
            tally.undated += 1
        return folded

    async def _shaped(self, item: "Item", folded: Folded) -> dict[str, Any]:
        """The row as it may leave; when cells had to be cut, with a pointer to the kept original."""
        row = folded.row if self.shaping.plain else self.shaping.row(folded.row)
        cut = set(folded.overflow.columns) if folded.overflow is not None else set()
        if not self.shaping.plain and len(encode(row)) > limits.CELL_LIMIT_BYTES:
            cut.update(limits.fit(row))  # hashes are longer than addresses, and a moved column makes Details grow
        if cut:
            original = folded.overflow.body if folded.overflow is not None else original_of(item.activity, row)
            whole = self.shaping.whole(original, str(row["Category"]))
            pointer = await self.aside.keep_whole(item.prefix, whole)
            told = {"columns": sorted(cut), "sha256": digest(whole), "bytes": len(whole), "pointer": pointer}
            row["Handling"] = {**row.get("Handling", {}), "overflow": told}
            self.tally.overflowed += 1
        return row

    def _outgoing(self, item: "Item", row: dict[str, Any]) -> Outgoing:
        category = row["Category"]
        if category == "compliance_api" and (key := self.own_reads.key_of(item.activity)):
            self.tally.own_keys.add(key)
        return Outgoing(item.id, item.prefix, item.hour, kept(row), item.activity, category, item.escaped)

    def too_large(self, row: Outgoing) -> bool:
        """Whether no upload could take this row, even alone."""
        return len(row.body) > ROW_LIMIT_BYTES

    async def _remember(self, rows: Sequence[Outgoing]) -> None:
        await self.known.remember(rows)
        tally = self.tally
        tally.sent += len(rows)
        tally.hours.update([row.hour for row in rows])
        sizes = tally.bytes_by_category
        for row in rows:
            sizes[row.category] += len(row.body)

    async def _set_aside(self, refused: list[tuple[Outgoing, str]]) -> None:
        """First where the operator sees it, then into the ledger: a crash in between shows it twice."""
        if not refused:
            return
        await self.aside.put(refused, self.carriage.run_id)
        await self.known.remember([row for row, _ in refused], "aside")
        self.tally.aside += len(refused)
        for _, reason in refused:
            self.tally.aside_reasons[reason.split(":", 1)[0]] += 1
        event(log, "row.set_aside", count=len(refused), reason=refused[0][1], remedy="cli replay sends them again")


class Item(msgspec.Struct, frozen=True, gc=False):
    """An item of a page with its identity, and its `created_at` as `event_time` read it; a Struct as Outgoing is."""

    id: str
    prefix: bytes
    hour: Hour
    activity: Any
    time: tuple[str, bool] | None = None
    escaped: tuple[str, ...] = ()

    def outgoing(self) -> Outgoing:
        """For set-aside: no row could be made of it."""
        return Outgoing(self.id, self.prefix, self.hour, b"", self.activity)


def identified(raw: Any, escaped: tuple[str, ...] = ()) -> Item:
    """A raw item of a page, with what the ledger knows it by."""
    key, time = None, None
    if raw.__class__ is dict:
        key = raw.get("id")
        time = event_time(raw.get("created_at"))
    if key.__class__ is not str or not key:
        key = identity(raw)
    return Item(key, prefix_of(key), _hour_in(time), raw, time, escaped)


def identity(item: Any) -> str:
    """What the ledger knows an item of a page by: its id, else a digest of the whole, be it an activity or not."""
    return activity_key(item) if isinstance(item, dict) else f"sha256-{digest(canonical(tame(item)[0]))}"


def event_hour(item: Any) -> Hour:
    """The ledger hour of a raw activity: the UTC hour its `EventTime` lies in, or `undated`."""
    return _hour_in(event_time(item.get("created_at"))) if item.__class__ is dict else UNDATED


def _hour_in(time: tuple[str, bool] | None) -> Hour:
    """One object per hour: its hash is computed once, and it is looked up for every activity."""
    if time is None:
        return UNDATED
    text = time[0][:13]
    return _SEEN_HOURS.get(text) or _SEEN_HOURS.setdefault(text, Hour(text))


_SEEN_HOURS: dict[str, Hour] = {}
