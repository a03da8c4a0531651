"""`Changes`: [{name, old, new}], whatever the API called it; a key is absent where the API did not give the value."""

from collections.abc import Iterable, Mapping
from typing import Any

_FROM_API = {"type": "name", "previous_value": "old", "current_value": "new"}
_TO_API = {ours: theirs for theirs, ours in _FROM_API.items()}

Change = dict[str, Any]


def from_updates(updates: Any) -> list[Change] | None:
    """`updates[]` with its three keys renamed; None unless `to_updates` would give exactly the same back."""
    if updates.__class__ is not list or not updates:
        return None
    changes = []
    for item in updates:
        if item.__class__ is not dict or not item.keys() <= _FROM_API.keys():
            return None
        changes.append({_FROM_API[key]: value for key, value in item.items()})
    return changes


def to_updates(changes: list[Change]) -> list[Change]:
    """The API's `updates[]` again."""
    return [{_TO_API[key]: value for key, value in change.items()} for change in changes]


def loose_updates(updates: Any) -> list[Change]:
    """What can be read from `updates[]` with more keys, or with items that are no objects; Details has the original."""
    items = updates if updates.__class__ is list else []
    renamed = [
        {ours: item[theirs] for theirs, ours in _FROM_API.items() if theirs in item}
        for item in items
        if item.__class__ is dict
    ]
    return [change for change in renamed if change]


def told_by(said: Mapping[str, Any], told: tuple[tuple[str, str | None, str | None], ...]) -> list[Change]:
    """Changes that a type records in fields of its own: `told` are (name, field of the old, field of the new)."""
    changes: list[Change] = []
    for name, old, new in told:
        change: Change = {}
        if old is not None and old in said:
            change["old"] = said[old]
        if new is not None and new in said:
            change["new"] = said[new]
        if any(value is not None for value in change.values()):
            changes.append({"name": name, **change})
    return changes


def named_by(said: Mapping[str, Any]) -> list[Change]:
    """`updated_fields[]`: names of what changed, with the new value where the activity carries it."""
    names = said.get("updated_fields")
    known = dict.fromkeys(name for name in names if name.__class__ is str) if names.__class__ is list else {}
    return [{"name": name, "new": said[name]} if name in said else {"name": name} for name in known]


def paired(fields: Iterable[str], said: Mapping[str, Any]) -> list[Change]:
    """Changes read from names alone, for fields nobody has declared: previous_x or old_x beside x, new_x, current_x."""
    told = []
    for field in fields:
        prefix, _, subject = field.partition("_")
        if prefix in ("previous", "old") and subject:
            new = next((name for name in (f"new_{subject}", f"current_{subject}", subject) if name in said), None)
            told.append((subject, field, new))
    return told_by(said, tuple(told))
