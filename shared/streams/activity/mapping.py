"""How one activity type is folded: compiled once per type from the catalogue, then only looked up.

The law behind it: a plan names at most one field for each column. A field whose value the column can hold as it is
goes there and nowhere else, and the plan finds the way back. Everything else stays in `Details`, and may fill a
column besides, but never a column whose own field is absent: reading it back would invent that field.
"""

from dataclasses import dataclass
from functools import lru_cache

from shared.streams.activity import catalogue, derive
from shared.streams.activity.catalogue import TypeEntry
from shared.streams.activity.columns import SHAPES, Shape

BASE = {
    "id": "ActivityId",
    "type": "ActivityType",
    "organization_id": "OrganizationId",
    "organization_uuid": "OrganizationUuid",
}
# Names and titles of people's files and artifacts, and what an artifact is said to be about.
CONTENT_NAMES = frozenset(
    prefix + name for prefix in ("", "previous_", "old_", "new_", "current_") for name in ("filename", "title")
)
_DESCRIBED = frozenset({"claude_artifact_published"})

# Spelled like a field of a column, and something else: the address an own read asked for, a token's `aud`.
_NOT_THE_SAME = {
    "compliance_api_accessed": frozenset({"url"}),
    "ccr_agent_proxy_anthropic_oidc_token_minted": frozenset({"audience"}),
}


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """`strings` and `shaped` send a field to its column and `owners` is the way back.

    `constants` hold for every activity of the type, `copies` repeat a column in another, `steps` derive the rest.
    `withheld` are fields whose text must not reach the table, `fields` all that the API documents.
    """

    known: bool
    entry: TypeEntry
    strings: dict[str, str]
    shaped: dict[str, tuple[str, Shape]]
    owners: dict[str, str]
    not_filling: frozenset[str]
    withheld: frozenset[str]
    fields: frozenset[str]
    constants: dict[str, object]
    copies: tuple[tuple[str, str], ...]
    steps: tuple[derive.Step, ...]


@lru_cache(maxsize=4096)
def plan_for(type_name: str, content_names: bool) -> Plan:
    """The plan of a type; for one the catalogue lacks, a plan that keeps all of its own fields in Details."""
    found = catalogue.load().types.get(type_name)
    entry = found or catalogue.guess(type_name)
    withheld = frozenset() if content_names else CONTENT_NAMES
    if type_name in _DESCRIBED and not content_names:
        withheld |= {"description"}
    not_filling = _NOT_THE_SAME.get(type_name, frozenset())

    strings, shaped = dict(BASE), dict[str, tuple[str, Shape]]()
    owners = {column: field for field, column in BASE.items()}
    for column, field in _candidates(entry):
        if field in entry.fields - withheld - not_filling and column not in owners and field not in owners.values():
            owners[column] = field
            shape = SHAPES.get(field) or SHAPES.get(column)
            if shape is None:
                strings[field] = column
            else:
                shaped[field] = (column, shape)

    return Plan(
        known=found is not None,
        entry=entry,
        strings=strings,
        shaped=shaped,
        owners=owners,
        not_filling=not_filling | withheld,
        withheld=withheld,
        fields=entry.fields | frozenset(BASE) | {"created_at", "actor"},
        constants={
            name: value for name, value in _constants(entry).items() if value is not None and name not in owners
        },
        copies=_copies(entry, owners),
        steps=derive.steps(type_name, entry, owners, known=found is not None),
    )


def _candidates(entry: TypeEntry) -> list[tuple[str, str]]:
    """(column, field), in order of precedence; what names the object comes last, so that ChatId and its like win."""
    columns = [
        (column, field)
        for column, fields in catalogue.load().columns.items()
        for field in fields
        if not (column == "ParentId" and field == entry.id)  # nothing is its own container
    ]
    if "updates" in entry.fields:
        columns.append(("Changes", "updates"))
    if entry.id:
        columns.append(("ObjectId", entry.id))
    if len(entry.name) == 1:
        columns.append(("ObjectName", entry.name[0]))
    return columns


def _constants(entry: TypeEntry) -> dict[str, object]:
    return {
        "Category": entry.category,
        "Operation": entry.operation,
        "Result": entry.result,
        "ObjectType": entry.object_type or None,
        "Enabled": entry.enabled,
        "Audience": entry.audience,
    }


def _copies(entry: TypeEntry, owners: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """(from, to): ObjectId and ObjectName repeat the column that owns their field, so that the long tail has one."""
    columns = {field: column for column, field in owners.items() if column not in SHAPES}
    name = entry.name[0] if len(entry.name) == 1 else None
    wanted = ((columns.get(entry.id or ""), "ObjectId"), (columns.get(name or ""), "ObjectName"))
    return tuple((source, target) for source, target in wanted if source and source != target)
