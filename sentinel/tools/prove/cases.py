"""The small worlds of tests: what `activities:`, `neighbors:` and `watchlists:` mean, as rows that arrive in time."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sentinel.tools.load import content
from sentinel.tools.load.models import Case
from sentinel.tools.load.spans import parse
from sentinel.tools.prove.actors import actor
from shared.rows.times import utc_text
from shared.streams.activity import catalogue
from shared.streams.activity.fold import RowContext, fold
from shared.tables import ACTIVITY, Table

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday, noon: the moment every test's query runs
CREATED, INDEXING = timedelta(minutes=-3), timedelta(minutes=1)
LATE_AFTER = timedelta(minutes=30)
ORGANIZATION = {"organization_id": "org_example", "organization_uuid": "00000000-0000-4000-8000-00000000000a"}
_OURS = frozenset({"type", "actor", "ip", "agent", "created", "ingested", "times", "every", "backfill"})
_RELATIVE = re.compile(r"[-+]\d+[smhd]")
_STAR = "{n}"


@dataclass(frozen=True, slots=True)
class Sent:
    """One thing of a test's world: an activity (`table` is ClaudeActivity_CL) or another table's row.

    `created` is when it happened, `ingested` when it became queryable; both relative to NOW.
    """

    table: str
    body: Mapping[str, Any]
    created: timedelta
    ingested: timedelta
    backfill: bool = False
    offset: timedelta = timedelta(0)

    def moved(self, *, created: timedelta, ingested: timedelta = timedelta(0)) -> "Sent":
        """The same at another time; moments inside the body move with `created`."""
        return replace(
            self, created=self.created + created, ingested=self.ingested + ingested, offset=self.offset + created
        )

    def row(self) -> dict[str, Any]:
        """The row as the bridge or the neighbor writes it."""
        happened = utc_text(NOW + self.created)
        if self.table != ACTIVITY:
            late = {"TimeGenerated": happened} if "TimeGenerated" in _columns(self.table) else {}
            if "EventTime" in _columns(self.table):
                late["EventTime"] = happened
            return {**late, **_resolved(self.body, self.offset)}
        late_row = self.ingested - self.created > LATE_AFTER
        context = RowContext(
            "example", "run", "test", "backfill" if self.backfill else "late" if late_row else "live",
            self.backfill, NOW + self.ingested,
        )  # fmt: skip
        return fold({"created_at": happened, **_resolved(self.body, self.offset)}, context).row


def rows(written: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of one activity as tests write it. ValueError says what is wrong with it."""
    return [_activity(one, index).row() for index, one in enumerate(_repeated(written), 1)]


def world(case: Case) -> list[Sent]:
    """Everything a case sends. ValueError says what is wrong with which activity, row or list."""
    sent = list(_numbered(case))
    for table, rows in case.neighbors.items():
        sent += _neighbor_rows(table, rows)
    return sent


def _numbered(case: Case) -> Iterator[Sent]:
    index = 0
    for position, written in enumerate(case.activities):
        try:
            for one in _repeated(written):
                index += 1
                yield _activity(one, index)
        except ValueError as exc:
            raise ValueError(f"activities.{position}: {exc}") from exc


def _activity(written: Mapping[str, Any], index: int) -> Sent:
    kind = written.get("type")
    entry = catalogue.load().types.get(kind) if isinstance(kind, str) else None
    if entry is None:
        raise ValueError(f"{kind!r} is no activity type of shared/streams/activity/catalogue.json")
    fields = {name: value for name, value in written.items() if name not in _OURS}
    unknown = fields.keys() - entry.fields - ORGANIZATION.keys() - {"id"}
    if unknown:
        raise ValueError(f"{kind} has no field {', '.join(sorted(unknown))}; it has {', '.join(sorted(entry.fields))}")
    who = written.get("actor", "person")
    return Sent(
        ACTIVITY,
        {
            "id": f"activity_{index:04}",
            **ORGANIZATION,
            "type": kind,
            "actor": None if who is None else actor(who, written.get("ip"), written.get("agent")),
            **fields,
        },
        *_times(written),
        backfill=bool(written.get("backfill", False)),
    )


def _neighbor_rows(table: str, rows: list[dict[str, Any]]) -> Iterator[Sent]:
    if table == ACTIVITY:
        raise ValueError(f"neighbors: {ACTIVITY} is filled by activities")
    known = _columns(table)
    for position, row in enumerate(rows):
        fields = {name: value for name, value in row.items() if name not in ("created", "ingested", "times", "every")}
        if not fields.keys() <= known:
            raise ValueError(
                f"neighbors.{table}.{position}: no column {', '.join(sorted(fields.keys() - known))} in "
                "schemas/neighbors.json"
            )
        for one in _repeated(row):
            body = {name: value for name, value in one.items() if name in fields}
            yield Sent(table, body, *_times(one))


@cache
def _columns(table: str) -> frozenset[str]:
    found: Table | None = content.neighbor_tables().get(table) or content.own_tables().get(table)
    if found is None:
        raise ValueError(f"neighbors: there is no table {table} in schemas/neighbors.json")
    return frozenset(found.names)


def _times(written: Mapping[str, Any]) -> tuple[timedelta, timedelta]:
    created = parse(written["created"]) if "created" in written else CREATED
    ingested = parse(written["ingested"]) if "ingested" in written else min(created + INDEXING, timedelta(0))
    if created > ingested or ingested > timedelta(0):
        raise ValueError("created, ingested and now come in this order")
    return created, ingested


def _repeated(written: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """`times` copies, `every` after the one before; `{n}` in texts counts them from 1."""
    every = parse(written.get("every", "1s"))
    created, ingested = _times(written)
    times = int(written.get("times", 1))
    if created + every * (times - 1) > timedelta(0):
        raise ValueError(f"the last of {times} would be created after now")
    for number in range(times):
        step = every * number
        one = _filled(dict(written), number + 1)
        one["created"] = _seconds(created + step)
        one["ingested"] = _seconds(min(ingested + step, timedelta(0)))
        yield one


def _seconds(span: timedelta) -> str:
    return f"{'-' if span < timedelta(0) else ''}{abs(span) // timedelta(seconds=1)}s"


def _filled(value: Any, number: int) -> Any:
    if isinstance(value, str):
        return value.replace(_STAR, str(number))
    if isinstance(value, list):
        return [_filled(item, number) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, number) for key, item in value.items()}
    return value


def _resolved(body: Mapping[str, Any], offset: timedelta = timedelta(0)) -> dict[str, Any]:
    """Texts such as `-10m` or `+1d` are moments relative to NOW (and `offset`)."""
    return {
        name: utc_text(NOW + offset + parse(value)) if isinstance(value, str) and _RELATIVE.fullmatch(value) else value
        for name, value in body.items()
    }


def watchlist_rows(case: Case) -> list[dict[str, str]]:
    """The rows of a case's watchlists, all texts, as `_GetWatchlist` gives them. ValueError for undeclared ones."""
    rows = []
    for alias, items in case.watchlists.items():
        declared = content.watchlists().get(alias)
        if declared is None:
            raise ValueError(f"watchlists: there is no watchlist {alias} in sentinel/watchlists")
        columns = {column.name for column in declared.value.columns}
        for item in items:
            if not item.keys() <= columns:
                raise ValueError(f"watchlists.{alias}: no column {', '.join(sorted(item.keys() - columns))}")
            texts = {name: str(value) for name, value in _resolved(item).items()}
            rows.append({"WatchlistAlias": alias, "SearchKey": texts.get(declared.value.search_key, ""), **texts})
    return rows
