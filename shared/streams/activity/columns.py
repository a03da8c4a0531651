"""Which values a column holds as they are, and what it makes of others: strict for the way back, generous to fill."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from shared.rows.sanitize import LONG_MAX, LONG_MIN
from shared.streams.activity import catalogue

Shape = Literal["boolean", "int", "long", "strings", "key", "updates"]

# By column, or by field where the field is what needs care. Columns that are not here hold strings.
SHAPES: dict[str, Shape] = {
    "Enabled": "boolean",
    "StatusCode": "int",
    "ItemCount": "long",
    "TargetUserIds": "strings",
    "Scopes": "strings",
    "Changes": "updates",
    "admin_api_key_id": "key",
}

# Widest first: who can reach a thing is read from the left.
_AUDIENCES = ("anyone_with_link", "public", "organization", "users", "external_invite")


def fits(shape: Shape, value: Any) -> bool:
    """Whether a value can go to its column and leave no trace in Details (`updates` is changes.py's own matter)."""
    kind = value.__class__
    if shape == "boolean":
        return kind is bool
    if shape == "int":
        return kind is int and -(2**31) <= value < 2**31
    if shape == "long":
        return kind is int and LONG_MIN <= value <= LONG_MAX
    if shape == "strings":
        return kind is list and bool(value) and all(item.__class__ is str for item in value)
    return shape == "key" and kind is str and value != "" and key_id(value) is value


def key_id(value: str) -> str:
    """Admin keys are written admin_api_key_01X by some events and apikey_01X by others; the second joins both."""
    return "apikey_" + value[14:] if value.startswith("admin_api_key_") else value


@cache
def columns_by_field() -> dict[str, tuple[int, str]]:
    """Field -> (precedence within its column, column), for values that found no owner."""
    return {
        field: (rank, column)
        for column, fields in catalogue.load().columns.items()
        for rank, field in enumerate(fields)
    }


def fill(row: dict[str, Any], details: Mapping[str, Any], owners: Mapping[str, str], skip: frozenset[str]) -> None:
    """Let what stayed in Details fill the columns that are still empty; Details keeps its copy.

    A column owned by a field that is absent stays empty: `unfold` would read the field from it.
    """
    known = columns_by_field()
    found = [(*known[field], field) for field in details if field in known and field not in skip]
    for _, column, field in sorted(found):
        if column not in row and owners.get(column, field) in details:
            value = best(column, details[field])
            if value is not None:
                row[column] = value


def best(column: str, value: Any) -> Any:
    """What `column` can show of a value that it cannot hold as it is; None when it is nothing."""
    kind = value.__class__
    if column == "Audience":
        return _audience(value)
    if column in ("Scopes", "TargetUserIds"):
        items = value.replace(",", " ").split() if kind is str else value if kind is list else ()
        return [item for item in items if item.__class__ is str] or None
    if column == "Enabled":
        return value if kind is bool else None
    if column in ("ItemCount", "StatusCode"):
        whole = int(value) if kind is float and value.is_integer() else value
        return whole if fits("int" if column == "StatusCode" else "long", whole) else None
    return text(value)


def text(value: Any) -> str | None:
    """A string for a string column: text (keys in their joined form) and integers; nothing of other kinds."""
    if value.__class__ is str:
        return key_id(value) or None
    return str(value) if value.__class__ is int else None


def _audience(value: Any) -> str | None:
    if value is True:
        return "public"
    if value.__class__ is not list:
        return text(value)
    words = [item.get("type") if item.__class__ is dict else item for item in value]
    named = dict.fromkeys(word for word in words if word.__class__ is str and word)
    return (
        ",".join([*(word for word in _AUDIENCES if word in named), *(w for w in named if w not in _AUDIENCES)]) or None
    )
