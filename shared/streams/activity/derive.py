"""Columns made from what an activity says, by steps chosen once for its type; Details keeps every raw value."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.streams.activity import changes
from shared.streams.activity.catalogue import TypeEntry
from shared.streams.activity.columns import SHAPES, text

# (activity, row, Details) -> None; a step may only write columns that no field of the type owns.
Step = Callable[[Mapping[str, Any], dict[str, Any], Mapping[str, Any]], None]

_OUTCOME_FIELDS = (
    "status_code",
    "failed",
    "status",
    "outcome",
    "result",
    "validation_result",
    "decision",
    "error_type",
)
_FAILURES = ("fail", "reject", "error", "denied", "invalid")
_SUCCESSES = frozenset({"success", "succeeded", "successful", "ok", "imported", "allowed", "approved"})
_PRINCIPAL_COLUMNS = {
    "user": "TargetUserId",
    "group": "TargetGroupId",
    "rbac_role": "TargetRoleId",
    "workspace": "WorkspaceId",
}


def steps(type_name: str, entry: TypeEntry, owners: Mapping[str, str], *, known: bool) -> tuple[Step, ...]:
    """The steps one type needs; an unknown type gets all that the names of its fields imply."""
    fields = entry.fields
    shaped = {field for column, field in owners.items() if column in SHAPES}  # a list is no name, its text may be one
    chosen: list[Step | None] = [
        _result if not known or not fields.isdisjoint(_OUTCOME_FIELDS) else None,
        _operation(entry) if entry.operation_by else None,
        _principal(owners) if not known or not fields.isdisjoint(("principal_type", "target_type")) else None,
        _scope_workspace if "scope" in fields and "WorkspaceId" not in owners else None,
        _status_reason if "status" in fields and "Reason" not in owners else None,
        _request_path if type_name == "compliance_api_accessed" else None,
        _switch if "current_value" in fields and "Enabled" not in owners else None,
        _object_type(entry.object_type_field) if entry.object_type_field else None,
        _resource if "resource_details" in fields else None,
        _joined_name(entry.name) if known and (len(entry.name) > 1 or not shaped.isdisjoint(entry.name)) else None,
        _changes(entry, owners) if entry.changes or not fields.isdisjoint(("updates", "updated_fields")) else None,
        None if known else _guessed(entry),
    ]
    return tuple(step for step in chosen if step is not None)


def outcome(value: Any) -> str | None:
    """Success, Failure, Blocked or Unknown, from a word of the API; None when the word is about something else."""
    if value.__class__ is dict:
        return outcome(value.get("outcome"))
    if value.__class__ is not str:
        return None
    word = value[:32].lower()
    if word.startswith(_FAILURES):
        return "Failure"
    return {"blocked": "Blocked", "unspecified": "Unknown"}.get(word, "Success" if word in _SUCCESSES else None)


def free(column: str, owners: Mapping[str, str], details: Mapping[str, Any]) -> bool:
    """Whether a column may be filled by derivation: nobody owns it, or its owner is in Details and read from there."""
    owner = owners.get(column)
    return owner is None or owner in details


def _result(activity: Mapping[str, Any], row: dict[str, Any], _: Mapping[str, Any]) -> None:
    if row["Result"] in ("Failure", "Blocked"):
        return  # the type's own name is firmer than any field
    said = []
    for field in _OUTCOME_FIELDS:
        value = activity.get(field)
        if value is None:
            continue
        if field == "status_code":
            said.append(None if value.__class__ is not int else "Failure" if value >= 400 else "Success")
        elif field == "failed":
            said.append({True: "Failure", False: "Success"}.get(value) if value.__class__ is bool else None)
        elif field == "error_type":
            said.append("Failure" if value.__class__ is str and value else None)
        else:
            said.append(outcome(value))
    row["Result"] = next((word for word in ("Blocked", "Failure", "Unknown", "Success") if word in said), row["Result"])


def _operation(entry: TypeEntry) -> Step:
    def step(activity: Mapping[str, Any], row: dict[str, Any], _: Mapping[str, Any]) -> None:
        for field, words in entry.operation_by.items():
            value = activity.get(field)
            word = str(value).lower() if value.__class__ is bool else value if value.__class__ is str else ""
            row["Operation"] = words.get(word, row["Operation"])

    return step


def _principal(owners: Mapping[str, str]) -> Step:
    def step(activity: Mapping[str, Any], row: dict[str, Any], details: Mapping[str, Any]) -> None:
        kind = activity.get("principal_type") or activity.get("target_type")
        column = _PRINCIPAL_COLUMNS.get(kind) if kind.__class__ is str else None
        if column and column not in row and free(column, owners, details):
            value = text(activity.get("principal_id")) or text(activity.get("target_id"))
            if value:
                row[column] = value

    return step


def _scope_workspace(activity: Mapping[str, Any], row: dict[str, Any], _: Mapping[str, Any]) -> None:
    scope = activity.get("scope")
    workspace = text(scope.get("workspace_id")) if scope.__class__ is dict else None
    if workspace:
        row["WorkspaceId"] = workspace


def _status_reason(activity: Mapping[str, Any], row: dict[str, Any], _: Mapping[str, Any]) -> None:
    status = activity.get("status")
    reason = text(status.get("reason")) or text(status.get("detail")) if status.__class__ is dict else None
    if reason:
        row["Reason"] = reason


def _request_path(activity: Mapping[str, Any], row: dict[str, Any], _: Mapping[str, Any]) -> None:
    url = activity.get("url")
    if url.__class__ is str and url:
        scheme = url.find("://")
        start = url.find("/", scheme + 3) if scheme >= 0 else 0
        row["RequestPath"] = url[start:].partition("?")[0].partition("#")[0] if start >= 0 else "/"


def _switch(activity: Mapping[str, Any], row: dict[str, Any], _: Mapping[str, Any]) -> None:
    if activity.get("current_value").__class__ is bool:
        row["Enabled"] = activity["current_value"]


def _object_type(field: str) -> Step:
    def step(activity: Mapping[str, Any], row: dict[str, Any], _: Mapping[str, Any]) -> None:
        row["ObjectType"] = text(activity.get(field)) or row["ObjectType"]

    return step


def _resource(activity: Mapping[str, Any], row: dict[str, Any], _: Mapping[str, Any]) -> None:
    resource = activity.get("resource_details")
    if resource.__class__ is dict:
        row["ObjectType"] = text(resource.get("type")) or row["ObjectType"]
        if identity := text(resource.get("id")):
            row["ObjectId"] = identity


def _joined_name(fields: tuple[str, ...]) -> Step:
    def step(activity: Mapping[str, Any], row: dict[str, Any], _: Mapping[str, Any]) -> None:
        if name := "/".join(part for field in fields if (part := text(activity.get(field)))):
            row["ObjectName"] = name

    return step


def _changes(entry: TypeEntry, owners: Mapping[str, str]) -> Step:
    def step(activity: Mapping[str, Any], row: dict[str, Any], details: Mapping[str, Any]) -> None:
        if "Changes" in row or not free("Changes", owners, details):
            return
        said = {**activity, **details}  # Details last: there, names that are withheld are null
        found = (
            changes.told_by(said, entry.changes)
            + changes.named_by(said)
            + changes.loose_updates(details.get("updates"))
        )
        if found:
            row["Changes"] = found

    return step


def _guessed(entry: TypeEntry) -> Step:
    """For a type the catalogue lacks. Reads Details, where all its fields are and where names of files are withheld."""

    def step(activity: Mapping[str, Any], row: dict[str, Any], details: Mapping[str, Any]) -> None:
        if identity := text(details.get(entry.id or "")):
            row["ObjectId"] = identity
        if name := "/".join(part for field in entry.name if (part := text(details.get(field)))):
            row["ObjectName"] = name
        found = (
            changes.loose_updates(details.get("updates")) + changes.named_by(details) + changes.paired(details, details)
        )
        if found:
            row["Changes"] = found

    return step
