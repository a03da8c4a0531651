"""An item of the feed as a row that fits: the one way for live runs, history, replay, repair and estimates."""

from collections import OrderedDict
from collections.abc import Iterable
from functools import partial
from typing import Any

from shared.models import (
    UNDATED,
    Counts,
    Hour,
    Item,
    Made,
    Outgoing,
    Overflowing,
    Undeliverable,
    prefix_of,
)
from shared.rows import limits
from shared.rows.canonical import canonical, digest, encode, kept
from shared.rows.minimize import Shaping
from shared.rows.sanitize import sanitize
from shared.rows.times import event_time
from shared.streams.activity.fold import Folded, RowContext, activity_key, fold, original_of

OWN_REQUESTS_KEPT = 50_000


class OwnRequests:
    """The ids of a connection's latest requests; what they are recognized in names the key the API knows us by."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def add(self, request_ids: Iterable[str]) -> None:
        """Remember these; beyond 50,000 (a day and more of reading) the oldest are forgotten."""
        self._ids.update(dict.fromkeys(request_ids))
        while len(self._ids) > OWN_REQUESTS_KEPT:
            self._ids.popitem(last=False)

    def key_of(self, activity: Any) -> str | None:
        """The key id of an activity that records one of our own requests, else None."""
        if activity.get("request_id") not in self._ids:
            return None
        actor = activity.get("actor")
        key = actor.get("api_key_id") if actor.__class__ is dict else None
        return key if key.__class__ is str else None


class ActivityRows:
    """Makes rows of one run's activities, and counts what is news about them in `counts`."""

    def __init__(
        self, context: RowContext, shaping: Shaping, counts: Counts, own_requests: OwnRequests | None = None
    ) -> None:
        self._context = context
        self._shaping = shaping
        self._counts = counts
        self._own_requests = own_requests or OwnRequests()

    def row(self, item: Item) -> Made:
        """The item as a row, encoded once; pure but for the counts."""
        if not isinstance(item.raw, dict):
            return Undeliverable("not an object")
        folded = fold(item.raw, self._context, item.escaped, item.time)
        row = folded.row
        if folded.unknown_type is not None or folded.unknown_actor is not None or folded.unknown_fields:
            self._count_unknown(folded)
        if "escaped" in row.get("Handling", ()):
            self._counts.escaped += 1
        if item.hour is UNDATED:
            self._counts.undated += 1
        if self._shaping.plain and folded.overflow is None:
            return self._outgoing(item, row)
        if self._shaping.mode(row["Category"]) == "count-only":
            return None
        return self._shaped(item, folded)

    def _shaped(self, item: Item, folded: Folded) -> Made:
        """The row as it may leave; when cells had to be cut, with the original that is to be kept."""
        row = folded.row if self._shaping.plain else self._shaping.row(folded.row)
        cut = set(folded.overflow.columns) if folded.overflow is not None else set()
        if not self._shaping.plain and len(encode(row)) > limits.CELL_LIMIT_BYTES:
            cut.update(limits.fit(row))  # hashes are longer than addresses, and a moved column makes Details grow
        if not cut:
            return self._outgoing(item, row)
        self._counts.overflowed += 1
        original = folded.overflow.body if folded.overflow is not None else original_of(item.raw, row)
        whole = self._shaping.whole(original, str(row["Category"]))
        return Overflowing(whole, partial(self._pointed, item, row, sorted(cut), whole))

    def _pointed(
        self, item: Item, row: dict[str, Any], cut: list[str], whole: bytes, pointer: str
    ) -> Outgoing | Undeliverable:
        overflow = {"columns": cut, "sha256": digest(whole), "bytes": len(whole), "pointer": pointer}
        row["Handling"] = {**row.get("Handling", {}), "overflow": overflow}
        return self._outgoing(item, row)

    def _outgoing(self, item: Item, row: dict[str, Any]) -> Outgoing | Undeliverable:
        category = row["Category"]
        if category == "compliance_api" and (key := self._own_requests.key_of(item.raw)):
            self._counts.own_keys.add(key)
        body = kept(row)
        if len(body) > limits.MAX_ROW_BYTES:
            return Undeliverable(f"too large: {len(body)} bytes")
        return Outgoing(item.id, item.prefix, item.hour, body, item.raw, category, item.escaped)

    def _count_unknown(self, folded: Folded) -> None:
        counts = self._counts
        if folded.unknown_type is not None:
            counts.unknown_types[folded.unknown_type] += 1
        if folded.unknown_actor is not None:
            counts.unknown_actors[folded.unknown_actor] += 1
        if folded.unknown_fields:
            kind = folded.row.get("ActivityType", "")
            counts.unknown_fields.update(f"{kind}.{name}" for name in folded.unknown_fields)


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
    return activity_key(item) if isinstance(item, dict) else f"sha256-{digest(canonical(sanitize(item)[0]))}"


def event_hour(item: Any) -> Hour:
    """The ledger hour of a raw activity: the UTC hour of its `EventTime`, or `undated`."""
    return _hour_in(event_time(item.get("created_at"))) if item.__class__ is dict else UNDATED


def _hour_in(time: tuple[str, bool] | None) -> Hour:
    """One object per hour: its hash is computed once, and it is looked up for every activity."""
    if time is None:
        return UNDATED
    text = time[0][:13]
    return _SEEN_HOURS.get(text) or _SEEN_HOURS.setdefault(text, Hour(text))


_SEEN_HOURS: dict[str, Hour] = {}
