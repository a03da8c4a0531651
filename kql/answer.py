"""The result of a query: columns with Kusto types, rows of plain Python values."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from duckdb_kql.types import kusto_type

from kql.shim import is_hidden

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """`columns` are (name, Kusto type); a row holds str, int, float, bool, None, aware UTC `datetime`, `timedelta`,
    and for `dynamic` the parsed JSON. As in Kusto, a string is never null: a missing one is ""."""

    columns: tuple[tuple[str, str], ...]
    rows: list[tuple[Any, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)

    def objects(self) -> list[dict[str, Any]]:
        """One dict per row."""
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]


def answer_of(description: Sequence[tuple[Any, ...]], fetched: Sequence[tuple[Any, ...]]) -> QueryAnswer:
    """Turn a DuckDB result (`cursor.description`, its rows) into a `QueryAnswer`, without the hidden columns."""
    kept = [(index, str(column[0]), column[1]) for index, column in enumerate(description) if not is_hidden(column[0])]
    columns = tuple((name, _kusto_type(type_)) for _, name, type_ in kept)
    converts = [(index, _converter(type_), "" if str(type_) == "VARCHAR" else None) for index, _, type_ in kept]
    rows = [
        tuple(
            missing if (value := row[index]) is None else value if convert is None else convert(value)
            for index, convert, missing in converts
        )
        for row in fetched
    ]
    return QueryAnswer(columns, rows)


def timespan_text(span: timedelta) -> str:
    """A timespan as Kusto prints it: `[-][d.]hh:mm:ss[.fffffff]`."""
    sign = "-" if span < timedelta(0) else ""
    seconds, micros = divmod(abs(span) // timedelta(microseconds=1), 1_000_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return f"{sign}{f'{days}.' if days else ''}{hour:02}:{minute:02}:{second:02}{f'.{micros:06}0' if micros else ''}"


def datetime_text(moment: datetime) -> str:
    """A datetime as the query API prints it: ISO 8601, `Z`, seven digits only when there is a fraction."""
    fraction = f".{moment.microsecond:06}0" if moment.microsecond else ""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"


def _kusto_type(type_: Any) -> str:
    name = str(type_)
    if name.startswith("DECIMAL"):  # Log Analytics columns have no decimal; sums of longs have a scale of 0
        return "long" if name.endswith(",0)") else "real"
    return "dynamic" if name == '"NULL"' else kusto_type(type_)


def _converter(type_: Any) -> Convert | None:
    """How a top-level value of this DuckDB type becomes a result value; None if it needs no conversion."""
    name = str(type_)
    if name.startswith("TIMESTAMP"):
        return _aware
    if name == "DATE":
        return lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC)
    if name.startswith("DECIMAL"):
        return int if name.endswith(",0)") else float
    if name == "UUID":
        return str
    return _inside(type_) if kusto_type(type_) == "dynamic" else None


def _inside(type_: Any) -> Convert | None:
    """The same for a value inside a dynamic, where only JSON types exist."""
    name = str(type_)
    if name == "JSON":
        return json.loads
    if name.startswith("TIMESTAMP"):
        return lambda moment: datetime_text(_aware(moment))
    if name == "INTERVAL":
        return timespan_text
    if name.startswith("DECIMAL"):
        return _number
    if type_.id in ("list", "array"):
        each = _inside(type_.children[0][1])
        return lambda values: [value if each is None or value is None else each(value) for value in values]
    if type_.id == "struct":
        members = {member: _inside(child) for member, child in type_.children}
        return lambda bag: {
            key: value if value is None or (convert := members[key]) is None else convert(value)
            for key, value in bag.items()
        }
    return None


def _aware(moment: datetime) -> datetime:
    # A DuckDB TIMESTAMP has no time zone; every KQL datetime is UTC.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
