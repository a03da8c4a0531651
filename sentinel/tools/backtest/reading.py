"""What a backtest reads of a workspace, in portions, since answers have limits."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from kql import QueryAnswer
from sentinel.tools.load import content
from shared.rows.times import utc_text
from shared.tables import ACTIVITY

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PORTION_ROWS = 20_000
Key = TypeVar("Key")
JOIN = "ClaudeJoin_"
"""What the functions over other products' tables begin with; the table's name follows."""


class Source(Protocol):
    """What answers KQL: a local workspace, or one in Azure (lookback_azure.py)."""

    def query(self, kql: str) -> QueryAnswer: ...


def activities(
    source: Source, types: Iterable[str] | None, since: datetime | None, until: datetime | None
) -> Iterator[list[dict[str, Any]]]:
    """All activities of `types` that happened in `[since, until)`, a day and some of its types at a time.

    All copies of an activity have the same type and time, and so come together.
    """
    wanted = None if types is None else set(types)
    counts = source.query(f"{ACTIVITY} | summarize count() by Day = bin(EventTime, 1d), ActivityType").rows
    days: dict[datetime, list[tuple[str, int]]] = defaultdict(list)
    for day, name, count in counts:
        if wanted is None or name in wanted:
            days[day].append((name, count))
    for day in sorted(days):
        start, end = max(day, since or day), min(day + DAY, until or day + DAY)
        happened = f"where {_within('EventTime', start, end)}"
        for names in _packed(sorted(days[day])) if start < end else ():
            yield source.query(f"ClaudeActivity(dynamic({json.dumps(names)})) | {happened}").objects()


def neighbors(source: Source, function: str, since: datetime, until: datetime) -> Iterator[list[dict[str, Any]]]:
    """The rows of `[since, until)` that `function`, one of ClaudeJoin_, shows; some hours at a time."""
    within = f"where {_within('TimeGenerated', since, until)}"
    counts = source.query(f"{function} | {within} | summarize count() by Hour = bin(TimeGenerated, 1h)").rows
    counted: list[tuple[datetime, int]] = sorted(counts)
    for hours in _packed(counted):
        span = _within("TimeGenerated", max(hours[0], since), min(hours[-1] + HOUR, until))
        yield source.query(f"{function} | where {span}").objects()


def watchlists(source: Source) -> list[dict[str, str]]:
    """Today's rows of every watchlist of ours, as `_GetWatchlist` would give them."""
    found = []
    for name, file in content.watchlists().items():
        for row in source.query(name).objects():
            texts = {column: _text(value) for column, value in row.items()}
            found.append({"WatchlistAlias": name, "SearchKey": texts.get(file.value.search_key, ""), **texts})
    return found


def _text(value: Any) -> str:
    """A watchlist's value, which is text until one of our functions makes a moment of it."""
    return utc_text(value) if isinstance(value, datetime) else "" if value is None else str(value)


def _within(column: str, start: datetime, end: datetime) -> str:
    return f"{column} >= datetime({utc_text(start)}) and {column} < datetime({utc_text(end)})"


def _packed(counts: Iterable[tuple[Key, int]]) -> Iterator[list[Key]]:
    """Keys in lists that hold PORTION_ROWS at most, unless one key has more by itself."""
    keys: list[Key] = []
    size = 0
    for key, count in counts:
        if keys and size + count > PORTION_ROWS:
            yield keys
            keys, size = [], 0
        keys.append(key)
        size += count
    if keys:
        yield keys


def nobody_listens(table: str, rows: int) -> None:
    """Of what was read, where nobody wants to know."""
