"""Builds the catalogue of types from two reference files; run it again when the documentation has new types.

    python -m tools docs catalogue activity-types.tsv columns-fold.json shared/streams/activity/catalogue.json

The debatable decisions (which operation, which object, what is a change) are in catalogue_rules.py.
"""

import json
import re
from pathlib import Path
from typing import Any

from tools.docs import catalogue_rules as rules

FIELD = re.compile(r"([a-z0-9_]+)(?:\??:| \()(.+)")
OLD = re.compile(r"(?:previous|old)_(.+)")


def split_fields(text: str) -> list[str]:
    """Split `a:string; b:object{x;y}` at the semicolons that are outside any bracket."""
    parts, depth, start = [], 0, 0
    for position, sign in enumerate(text):
        if sign in "<{([":
            depth += 1
        elif sign in ">})]":
            depth -= 1
        elif sign == ";" and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [part for part in [*parts, text[start:].strip()] if part]


def documented_fields(text: str) -> dict[str, str]:
    """Field name -> type as documented; notes such as `(+2 more, names not captured)` are left out."""
    found = (FIELD.fullmatch(part) for part in split_fields(text))
    return {match[1]: match[2] for match in found if match}


def changes_of(type_name: str, fields: dict[str, str]) -> list[list[str | None]]:
    """[name, field of the old value, field of the new value] for each change recorded in the type's fields."""
    changes: list[list[str | None]] = []
    paired: set[str] = set()
    for field in fields:
        match = OLD.fullmatch(field)
        if match is None:
            continue
        subject = match[1]
        new = next((name for name in (f"new_{subject}", f"current_{subject}", subject) if name in fields), None)
        paired |= {field, new or field}
        changes.append([rules.stem(type_name) if subject == "value" else subject, field, new])
    for field in fields:
        if field not in paired and rules.is_change(type_name, field):
            name = rules.stem(type_name) if field in ("current_value", "new_value") else field.removeprefix("new_")
            changes.append([name, field, None] if type_name.endswith("_removed") else [name, None, field])
    return changes


def entry(type_name: str, category: str, text: str, objects: list[list[Any]]) -> dict[str, Any]:
    """The catalogue entry of one type, without empty facts."""
    fields = documented_fields(text)
    kind, id_field, name_fields = next((o[1:] for o in objects if type_name.startswith(o[0])), (None, None, []))
    operation, by = rules.operation(type_name)
    facts = {
        "category": category,
        "operation": operation,
        "operationBy": by,
        "result": rules.result(type_name),
        "objectType": kind,
        "objectTypeField": "resource_type" if type_name.startswith(("role_assignment_", "pending_share_")) else None,
        "id": id_field if id_field in fields else None,
        "name": [field for field in name_fields if field in fields],
        "enabled": rules.enabled(type_name),
        "audience": rules.AUDIENCE.get(type_name),
        "changes": changes_of(type_name, fields),
        "fields": sorted(fields),
    }
    return {name: fact for name, fact in facts.items() if fact not in (None, [], {})}


def build(types_path: Path, fold_path: Path) -> dict[str, Any]:
    """The whole catalogue as one JSON value."""
    fold = json.loads(fold_path.read_text(encoding="utf-8"))
    objects = [
        [o["prefix"], o["ObjectType"], o["idField"], rules.name_fields(o)] for o in fold["object_by_type_prefix"]
    ]
    objects = sorted(objects + rules.MORE_OBJECTS, key=lambda o: (-len(o[0]), o[0]))
    lines = [line.split("\t") for line in types_path.read_text(encoding="utf-8").splitlines() if line[:1] != "#"][1:]
    return {
        "source": "Claude Compliance API reference: activity types and their schemas; families and operations are ours",
        "date": "2026-10-08",
        "columns": fold["field_to_column"],
        "actors": rules.ACTORS,
        "operations": rules.SUFFIXES,
        "actions": rules.ACTIONS,
        "objects": objects,
        "types": {line[0]: entry(line[0], line[1], line[4], objects) for line in sorted(lines)},
    }


def as_text(catalogue: dict[str, Any]) -> str:
    """JSON with one line per type, prefix or column, for readable diffs."""
    blocks = []
    for name, value in catalogue.items():
        if isinstance(value, str):
            blocks.append(f'"{name}": {json.dumps(value)}')
        elif isinstance(value, list):
            blocks.append(f'"{name}": [\n' + ",\n".join(f"  {json.dumps(item)}" for item in value) + "\n]")
        else:
            rows = ",\n".join(f"  {json.dumps(key)}: {json.dumps(item)}" for key, item in value.items())
            blocks.append(f'"{name}": {{\n{rows}\n}}')
    return "{\n" + ",\n".join(blocks) + "\n}\n"
