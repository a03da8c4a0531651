"""One activity of the feed to one row of ClaudeActivity_CL, losing nothing; pure, and fast enough to be free.

What a row cannot show in a column as it is stays in `Details` (`ActorDetails` for the actor), value for value:
`unfold(fold(activity, context).row)` is the activity again, unless something was withheld, escaped or cut, and then
`Handling` says so. Absent and null are different; a null stays in `Details`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any

import msgspec

from shared.rows import limits
from shared.rows.canonical import activity_key, canonical, strictly
from shared.rows.sanitize import DEPTH_LIMIT, sanitize
from shared.rows.times import event_time, utc_text
from shared.streams.activity import changes
from shared.streams.activity.actor import ActorPlan, fold_actor
from shared.streams.activity.columns import columns_by_field, fill, fits
from shared.streams.activity.derive import free
from shared.streams.activity.mapping import Plan, plan_for
from shared.streams.activity.unfold import unfold

__all__ = ["Folded", "Overflow", "RowContext", "activity_key", "fold", "original_of", "unfold"]

# Rules look at rows by TimeGenerated: a row that comes later than this is shown at the time of its sending.
LATE_AFTER = timedelta(minutes=30)
EARLY_AFTER = timedelta(minutes=5)
# Of unknown names and escaped places, reported per activity: a hostile one could have thousands, each of megabytes.
NAMES_LIMIT, NAME_LIMIT = 50, 200


@dataclass(frozen=True, slots=True)
class RowContext:
    """What all rows of one page share. `delivery` is live, late, backfill, repair or replay; `received_at` aware UTC.

    `content_names` lets names of files and titles of artifacts through; without it they are withheld.
    """

    connection: str
    run_id: str
    version: str
    delivery: str
    is_backfill: bool
    received_at: datetime
    content_names: bool = False
    # Made once, so that a row costs a copy and two comparisons of text.
    columns: dict[str, Any] = field(init=False, repr=False, compare=False)
    received: str = field(init=False, repr=False, compare=False)
    starts: dict[str, tuple[Plan, dict[str, Any]]] = field(init=False, repr=False, compare=False)
    earliest: str = field(init=False, repr=False, compare=False)
    latest: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        columns = {
            "ConnectionName": self.connection,
            "RunId": self.run_id,
            "BridgeVersion": self.version,
            "Delivery": self.delivery,
            "IsBackfill": self.is_backfill,
        }
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "starts", {})
        object.__setattr__(self, "received", utc_text(self.received_at))
        object.__setattr__(self, "earliest", utc_text(self.received_at - LATE_AFTER))
        object.__setattr__(self, "latest", utc_text(self.received_at + EARLY_AFTER))

    def start(self, kind: str) -> tuple[Plan, dict[str, Any]]:
        """The plan of a type, and what all its rows of this page share: to be copied."""
        found = self.starts.get(kind)
        if found is None:
            plan = plan_for(kind, self.content_names)
            found = self.starts[kind] = (plan, {**self.columns, **plan.constants})
        return found


@dataclass(frozen=True, slots=True)
class Overflow:
    """The activity's canonical JSON, because `columns` of its row were cut; names that are withheld are null in it."""

    body: bytes
    sha256: str
    columns: tuple[str, ...]


class Folded(msgspec.Struct, gc=False):
    """A row, and what is news about it.

    `unknown_type` and `unknown_actor` name what the catalogue lacks ("" when the activity names none), else are None.
    `unknown_fields` are fields the catalogue lacks for a type or actor it has (`actor.x` for the actor's).
    The caller stores `overflow.body` and writes where into `row["Handling"]["overflow"]["pointer"]`.
    """

    row: dict[str, Any]
    unknown_type: str | None = None
    unknown_actor: str | None = None
    unknown_fields: tuple[str, ...] = ()
    overflow: Overflow | None = None


def fold(
    activity: dict[str, Any],
    context: RowContext,
    escaped: tuple[str, ...] = (),
    time: tuple[str, bool] | None = None,
) -> Folded:
    """Fold one activity; `escaped` are the places `odd.read_page` replaced by text in it, `time` its `event_time`
    where the caller has read it.

    Long for a function here: a call costs a hundredth of the time there is, so only the rare is called.
    """
    try:
        source = strictly(activity)
    except TypeError:
        activity, positions = sanitize(activity)
        escaped = (*escaped, *positions)
        source = canonical(activity)
    digest = sha256(source).hexdigest()
    kind = activity.get("type")
    plan, shared_cells = context.start(kind if kind.__class__ is str else "")
    row = shared_cells.copy()
    row["RecordHash"] = digest
    details: dict[str, Any] = {}
    handling: dict[str, Any] = {}
    strings, loose, nested = plan.strings, False, False
    for name, value in activity.items():
        column = strings.get(name)
        if column is not None and value.__class__ is str and value:  # "" stays: Kusto cannot distinguish it from absent
            row[column] = value
        elif value is None:
            details[name] = None
        elif name == "created_at" or name == "actor":
            pass
        elif name in plan.shaped:
            loose |= _fold_shaped(name, value, plan, row, details)
            nested |= name == "updates"
        elif name in plan.withheld and value != "":
            details[name] = None
            handling.setdefault("withheld", []).append(name)
        else:
            details[name] = value
            loose |= name in _FILLING
            nested |= value.__class__ in _CONTAINERS

    created_at = activity.get("created_at")
    if time is None:
        time = event_time(created_at)
    if time is None:
        row["EventTime"] = row["TimeGenerated"] = context.received
        handling["noCreatedAt"] = True
        if created_at is not None:
            details["created_at"] = created_at
    else:
        at, reversible = time
        row["EventTime"] = at
        row["TimeGenerated"] = at if context.earliest <= at <= context.latest else context.received
        if not reversible:
            details["created_at"] = created_at

    folded = Folded(row)
    actor = activity.get("actor")
    if actor.__class__ is dict and actor:
        actor_plan, rest = fold_actor(actor, row)
        if rest or not actor_plan.known:
            _note_actor(actor_plan, rest, row, folded)
            nested = True
    else:
        folded.unknown_actor = ""
        if "actor" in activity:
            details["actor"] = actor
            nested = True
    if nested and source.count(b"{") + source.count(b"[") > DEPTH_LIMIT:  # so many that they could lie in each other
        sanitized, positions = sanitize(activity)
        if positions:
            return fold(sanitized, context, (*escaped, *positions))

    if "ActivityId" not in row:
        row["ActivityId"] = f"sha256-{digest}"
    if loose:
        fill(row, details, plan.owners, plan.not_filling)
    for origin, target in plan.copies:
        if origin in row:
            row[target] = row[origin]
    for step in plan.steps:
        step(activity, row, details)
    if not plan.known:
        folded.unknown_type = row.get("ActivityType", "")[:NAME_LIMIT]
    if details:
        if plan.known and not details.keys() <= plan.fields:
            _note_drift(activity, plan, row, details, folded)
        row["Details"] = details
    if escaped:
        handling["escaped"] = list(_names(escaped))
    if handling:
        row["Handling"] = handling
    if len(source) > limits.SMALL_BYTES:
        _fit(activity, source, handling, folded)
    return folded


_FILLING = columns_by_field()
_CONTAINERS = (dict, list)


def _fold_shaped(name: str, value: Any, plan: Plan, row: dict[str, Any], details: dict[str, Any]) -> bool:
    """Put a value that is no string in its column, or in Details; True when it could still fill a column."""
    column, shape = plan.shaped[name]
    held = changes.from_updates(value) if shape == "updates" else value if fits(shape, value) else None
    if held is None:
        details[name] = value
        return True
    row[column] = held
    return False


def _note_actor(plan: ActorPlan, rest: dict[str, Any], row: dict[str, Any], folded: Folded) -> None:
    if rest:
        row["ActorDetails"] = rest
    if not plan.known:
        folded.unknown_actor = row.get("ActorType", "")[:NAME_LIMIT]
    elif not rest.keys() <= plan.fields:
        folded.unknown_fields = _names(f"actor.{name}" for name in rest if name not in plan.fields)


def _note_drift(
    activity: dict[str, Any], plan: Plan, row: dict[str, Any], details: dict[str, Any], folded: Folded
) -> None:
    """Name the fields the catalogue lacks, and read them for changes: undeclared settings come in pairs, too."""
    names = [name for name in details if name not in plan.fields]
    folded.unknown_fields += _names(names)
    pairs = [name for name in names if name.startswith(("previous_", "old_"))]
    if pairs and free("Changes", plan.owners, details):
        found = changes.paired(pairs, {**activity, **details})
        if found:
            row["Changes"] = [*row.get("Changes", ()), *found]


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple([name[:NAME_LIMIT] for name in islice(names, NAMES_LIMIT)])


def original_of(activity: dict[str, Any], row: Mapping[str, Any]) -> bytes:
    """The activity's canonical JSON as it may be kept: what its row withholds is null."""
    return canonical({**sanitize(activity)[0], **dict.fromkeys((row.get("Handling") or {}).get("withheld", ()))})


def _fit(activity: dict[str, Any], source: bytes, handling: dict[str, Any], folded: Folded) -> None:
    cut = limits.fit(folded.row)
    if not cut:
        return
    hidden = dict.fromkeys(handling.get("withheld", ()))
    body = canonical({**activity, **hidden}) if hidden else source
    overflow = Overflow(body, sha256(body).hexdigest(), tuple(cut))
    folded.overflow = overflow
    folded.row["Handling"] = {
        **handling,
        "overflow": {"columns": cut, "sha256": overflow.sha256, "bytes": len(body), "pointer": None},
    }
