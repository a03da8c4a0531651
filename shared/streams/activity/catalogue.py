"""What we know of activity types before they arrive: catalogue.json, read once, and the rules for types it lacks.

`python -m tools docs catalogue` generates the file; tools/docs/catalogue_rules.py has the reason for each judgement.
"""

from functools import cache
from pathlib import Path

import msgspec

_FILE = Path(__file__).with_name("catalogue.json")


class TypeEntry(msgspec.Struct, frozen=True, rename="camel"):
    """One activity type. `changes` are (name, field of the old value, field of the new); `name` fields are joined by /.

    `operation_by` maps a field to the values of it that mean another operation (booleans as "true" and "false").
    """

    category: str = "unknown"
    operation: str = "Other"
    result: str = "Unknown"
    operation_by: dict[str, dict[str, str]] = {}
    object_type: str | None = None
    object_type_field: str | None = None
    id: str | None = None
    name: tuple[str, ...] = ()
    enabled: bool | None = None
    audience: str | None = None
    changes: tuple[tuple[str, str | None, str | None], ...] = ()
    fields: frozenset[str] = frozenset()


class ActorEntry(msgspec.Struct, frozen=True):
    """One actor type: the field that says who acted, and its other documented fields."""

    id: str | None
    fields: frozenset[str]


class Catalogue(msgspec.Struct, frozen=True):
    """The whole file. `operations` are (suffix, operation), `objects` (prefix, object, id field, name fields)."""

    source: str
    date: str
    columns: dict[str, tuple[str, ...]]
    actors: dict[str, ActorEntry]
    operations: tuple[tuple[str, str], ...]
    actions: dict[str, str]
    objects: tuple[tuple[str, str, str | None, tuple[str, ...]], ...]
    types: dict[str, TypeEntry]


@cache
def load() -> Catalogue:
    """The catalogue, decoded on first use (about 3 ms) so that importing this module costs nothing."""
    return msgspec.json.decode(_FILE.read_bytes(), type=Catalogue)


def guess(type_name: str) -> TypeEntry:
    """An entry for a type the catalogue lacks, from its name: suffixes name the operation, prefixes the object."""
    catalogue = load()
    operation = next((word for suffix, word in catalogue.operations if type_name.endswith(suffix)), "Other")
    _, kind, id_field, names = next(
        (rule for rule in catalogue.objects if type_name.startswith(rule[0])), ("", None, None, ())
    )
    return TypeEntry(
        operation=operation,
        operation_by={"action": catalogue.actions} if operation in ("Update", "Other") else {},
        result=_result_by_name(type_name),
        object_type=kind,
        id=id_field,
        name=names,
        enabled={"enabled": True, "disabled": False}.get(type_name.rpartition("_")[2]),
    )


def _result_by_name(type_name: str) -> str:
    # Success is left to types somebody has read about; a failure or block is worth believing from the name alone.
    return {"failed": "Failure", "blocked": "Blocked"}.get(type_name.rpartition("_")[2], "Unknown")
