"""Convert rows as sent into rows as stored: columns, types, cell size, and the accepted range of TimeGenerated."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.tables import Column, Table

CELL_LIMIT_BYTES = 65_536  # "64 KB, longer is cut silently"; in UTF-8 bytes, which the page does not specify
OLDEST = timedelta(days=2)
FARTHEST_AHEAD = timedelta(days=1)

_CLASSES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "long": (int,),  # exact classes: a bool is not a number here
    "int": (int,),
    "real": (float, int),
    "boolean": (bool,),
    "dynamic": (dict, list, str, int, float, bool),
    "datetime": (str,),
}
_DROPPED = object()
_BITS = {"long": 63, "int": 31}
_SURELY_SHORT = CELL_LIMIT_BYTES // 4  # a character is at most four bytes

_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Conformed:
    """The result of one call's `received` elements; the counters are by column name."""

    received: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    columns_dropped: Counter[str] = field(default_factory=Counter)
    cells_nulled: Counter[str] = field(default_factory=Counter)
    cells_cut: Counter[str] = field(default_factory=Counter)
    times_replaced: int = 0


class RuleStream:
    """One stream of a rule; it accepts exactly the columns of its table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._columns = {column.name: column for column in table.columns}
        self._strings = frozenset(column.name for column in table.columns if column.type == "string")

    def conform(self, elements: Sequence[Any], received_at: datetime) -> Conformed:
        """Convert every element of a call's array to the table's columns, in place; non-objects are dropped.

        A value of the wrong type becomes null: JSON types are not converted, so that a client's mistake is visible.
        Datetimes are aware and UTC; text without an offset is read as UTC.
        """
        result = Conformed(len(elements))
        strings = self._strings
        for row in elements:
            if row.__class__ is not dict:
                continue
            changed: dict[str, Any] = {}
            for name, value in row.items():
                # Nearly every cell is a short string or null: those cost two look-ups and are left unchanged.
                if value.__class__ is str and name in strings and len(value) <= _SURELY_SHORT:
                    continue
                fitted = self._fit(name, value, result)
                if fitted is not value:
                    changed[name] = fitted
            row.update(changed)
            for name in changed.keys() - self._columns.keys():
                del row[name]
            self._date(row, received_at, result)
            result.rows.append(row)
        return result

    def _fit(self, name: str, value: Any, result: Conformed) -> Any:
        """The value as stored; _DROPPED if there is no such column, None if the type does not match."""
        column = self._columns.get(name)
        if column is None:
            result.columns_dropped[name] += 1
            return _DROPPED
        if value is None:
            return None
        fitted = self._typed(column, value, result) if value.__class__ in _CLASSES[column.type] else None
        if fitted is None:
            result.cells_nulled[name] += 1
        return fitted

    def _typed(self, column: Column, value: Any, result: Conformed) -> Any:
        if column.type == "datetime":
            return _moment(value)
        if value.__class__ is str:
            return self._cut(column.name, value, result)
        if column.type == "dynamic":
            # A dynamic counts as one field. Truncated JSON is not valid JSON, so it is stored as text.
            text = _encode(value)
            return value if len(text) <= CELL_LIMIT_BYTES else self._cut(column.name, text.decode(), result)
        bits = _BITS.get(column.type)
        return value if bits is None or -(1 << bits) <= value < 1 << bits else None

    def _cut(self, name: str, text: str, result: Conformed) -> str:
        encoded = text.encode()
        if len(encoded) <= CELL_LIMIT_BYTES:
            return text
        result.cells_cut[name] += 1
        return encoded[:CELL_LIMIT_BYTES].decode(errors="ignore")

    def _date(self, row: dict[str, Any], received_at: datetime, result: Conformed) -> None:
        """Replace a TimeGenerated that is missing, too old or too far ahead by the time of receipt."""
        generated = row.get("TimeGenerated")
        if generated is None:
            row["TimeGenerated"] = received_at
        elif not received_at - OLDEST <= generated <= received_at + FARTHEST_AHEAD:
            row["TimeGenerated"] = received_at
            result.times_replaced += 1


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
