"""The way back: the raw activity from a row, as `fold` made it or as the workspace returns it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.rows.times import spelling
from shared.streams.activity.actor import unfold_actor
from shared.streams.activity.changes import to_updates
from shared.streams.activity.mapping import plan_for


def unfold(row: Mapping[str, Any]) -> dict[str, Any]:
    """The activity a row was folded from; values that `Handling` calls withheld, escaped or cut stay as they are.

    Dynamic cells may be JSON text and absent strings "", as the query API gives them. The row must have been folded
    by a catalogue that knew no less of its type: later versions only ever add fields.
    """
    details = _dynamic(row.get("Details")) or {}
    plan = plan_for(row.get("ActivityType") or "", True)
    activity: dict[str, Any] = {}
    for column, field in plan.owners.items():
        value = row.get(column)
        if field in details or value is None or value == "":
            continue
        shape = plan.shaped.get(field, ("", ""))[1]
        if shape == "updates":
            value = to_updates(_dynamic(value))
        elif shape == "strings":
            value = _dynamic(value)
        activity[field] = value
    if row.get("ActivityId") == f"sha256-{row.get('RecordHash')}":
        activity.pop("id", None)  # it had no id, or one that Details holds
    if "noCreatedAt" not in (_dynamic(row.get("Handling")) or {}):
        activity["created_at"] = spelling(row["EventTime"])
    actor = unfold_actor(row, _dynamic(row.get("ActorDetails")) or {})
    if actor is not None:
        activity["actor"] = actor
    return activity | details


def _dynamic(cell: Any) -> Any:
    return msgspec.json.decode(cell) if isinstance(cell, str) and cell else cell
