"""The simulated feed: every activity in order, and the page that a query returns at a given time (section 6)."""

import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sandbox.activity import FeedEntry
from sandbox.compliance.cursors import FeedPosition

Order = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True)
class FeedQuery:
    """The query of one request; None is an absent parameter. `after` and `before` are relative to `order`.

    `organizations` includes activities without an organization; `visible_organizations`, the reach of a
    single-organization key, does not.
    """

    gte: datetime | None = None
    gt: datetime | None = None
    lte: datetime | None = None
    lt: datetime | None = None
    types: frozenset[str] | None = None
    excluded_types: frozenset[str] | None = None
    users: frozenset[str] | None = None
    organizations: frozenset[str] | None = None
    visible_organizations: frozenset[str] | None = None
    order: Order = "desc"
    after: FeedPosition | None = None
    before: FeedPosition | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Entries in the query's order; `has_more` is whether more follow in the direction of paging."""

    entries: tuple[FeedEntry, ...]
    has_more: bool

    @property
    def first(self) -> FeedPosition | None:
        return _position(self.entries[0]) if self.entries else None

    @property
    def last(self) -> FeedPosition | None:
        return _position(self.entries[-1]) if self.entries else None


class SimulatedFeed:
    """Thread-safe store ordered by (`created_at`, id); late activities are inserted at their own time."""

    def __init__(self, entries: Iterable[FeedEntry] = ()) -> None:
        self._entries: list[FeedEntry] = []
        self._by_id: dict[str, FeedPosition] = {}
        self._lock = threading.Lock()
        self.extend(entries)

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def add(self, entry: FeedEntry) -> None:
        with self._lock:
            insort(self._entries, entry, key=_order_key)
            self._by_id[entry.id] = _position(entry)

    def extend(self, entries: Iterable[FeedEntry]) -> None:
        fresh = sorted(entries, key=_order_key)
        if not fresh:
            return
        with self._lock:
            # Only the entries after the earliest new one need sorting again.
            start = bisect_left(self._entries, _order_key(fresh[0]), key=_order_key)
            self._entries[start:] = sorted([*self._entries[start:], *fresh], key=_order_key)
            self._by_id.update((entry.id, _position(entry)) for entry in fresh)

    def position(self, activity_id: str) -> FeedPosition | None:
        """The position of the activity with this id; None if there is none."""
        with self._lock:
            return self._by_id.get(activity_id)

    def ids(self, gte: datetime, lt: datetime) -> set[str]:
        """Ids of everything created in `[gte, lt)`, visible or not: the reference of a completeness check."""
        with self._lock:
            low, high = self._span(FeedQuery(gte=gte, lt=lt))
            return {entry.id for entry in self._entries[low:high]}

    def page(self, query: FeedQuery, now: datetime) -> FeedPage:
        """The entries visible at `now` that match `query`, starting at its cursor.

        With `before` the page ends immediately before the cursor, so that paging goes backward.
        """
        wanted = _filter(query)
        backwards = (query.order == "desc") == (query.before is None)
        found: list[FeedEntry] = []
        with self._lock:
            low, high = self._span(query)
            for index in range(high - 1, low - 1, -1) if backwards else range(low, high):
                entry = self._entries[index]
                if entry.visible_at <= now and (wanted is None or wanted(entry)):
                    found.append(entry)
                    if len(found) > query.limit:
                        break
        has_more = len(found) > query.limit
        del found[query.limit :]
        if query.before is not None:
            found.reverse()
        return FeedPage(tuple(found), has_more)

    def _span(self, query: FeedQuery) -> tuple[int, int]:
        """Index bounds `[low, high)` of the query's times and cursor; the caller holds the lock."""
        entries, low, high = self._entries, 0, len(self._entries)
        if query.gte is not None:
            low = max(low, bisect_left(entries, query.gte, key=_created_at))
        if query.gt is not None:
            low = max(low, bisect_right(entries, query.gt, key=_created_at))
        if query.lt is not None:
            high = min(high, bisect_left(entries, query.lt, key=_created_at))
        if query.lte is not None:
            high = min(high, bisect_right(entries, query.lte, key=_created_at))
        ascending = query.order == "asc"
        newer_than, older_than = (query.after, query.before) if ascending else (query.before, query.after)
        if newer_than is not None:
            low = max(low, bisect_right(entries, (newer_than.created_at, newer_than.id), key=_order_key))
        if older_than is not None:
            high = min(high, bisect_left(entries, (older_than.created_at, older_than.id), key=_order_key))
        return low, high


def _created_at(entry: FeedEntry) -> datetime:
    return entry.created_at


def _order_key(entry: FeedEntry) -> tuple[datetime, str]:
    return entry.created_at, entry.id


def _position(entry: FeedEntry) -> FeedPosition:
    return FeedPosition(entry.created_at, entry.id)


def _filter(query: FeedQuery) -> Callable[[FeedEntry], bool] | None:
    """One predicate for the query's filters; None if it has none, the common and fast case."""
    tests: list[Callable[[FeedEntry], bool]] = []
    if (types := query.types) is not None:
        tests.append(lambda entry: entry.type in types)
    if (excluded := query.excluded_types) is not None:
        tests.append(lambda entry: entry.type not in excluded)
    if (users := query.users) is not None:
        tests.append(lambda entry: entry.user_id in users)
    if (organizations := query.organizations) is not None:
        tests.append(lambda entry: _within(entry, organizations) or _without_organization(entry))
    if (visible := query.visible_organizations) is not None:
        tests.append(lambda entry: _within(entry, visible))
    return (lambda entry: all(test(entry) for test in tests)) if tests else None


def _within(entry: FeedEntry, organizations: frozenset[str]) -> bool:
    return entry.organization_id in organizations or entry.organization_uuid in organizations


def _without_organization(entry: FeedEntry) -> bool:
    return entry.organization_id is None and entry.organization_uuid is None
