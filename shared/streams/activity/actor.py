"""Who acted: the `actor` object, of eleven documented kinds and whatever else arrives, to its columns and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.streams.activity import catalogue
from shared.streams.activity.columns import key_id

USER_AGENT_LIMIT_BYTES = 1024
_SURELY_SHORT = USER_AGENT_LIMIT_BYTES // 4  # characters, of at most four bytes each
NOWHERE = "0.0.0.0"  # what the API writes where Anthropic acts for the user

_COLUMNS = {
    "type": "ActorType",
    "ip_address": "ActorIp",
    "user_agent": "ActorUserAgent",
    "unauthenticated_email_address": "ActorEmailClaimed",
}
_IDS = (
    "user_id",
    "api_key_id",
    "admin_api_key_id",
    "service_account_id",
    "subject",
    "directory_id",
    "external_client_id",
    "service",
)


@dataclass(frozen=True, slots=True)
class ActorPlan:
    """As plan.Plan, for one actor type: field -> column, one field a column; `fields` are the documented ones."""

    known: bool
    columns: dict[str, str]
    fields: frozenset[str]
    addresses: tuple[tuple[str, str], ...]  # (column, field) of e-mail addresses, which the table shows in lower case


def _plans() -> dict[str, ActorPlan]:
    plans = {}
    for name, entry in catalogue.load().actors.items():
        columns = {field: column for field, column in _COLUMNS.items() if field == "type" or field in entry.fields}
        if entry.id:
            columns[entry.id] = "ActorId"
        if name == "user_actor":  # the only actor whose address has been proven
            columns["email_address"] = "ActorEmail"
        addresses = tuple((column, field) for field, column in columns.items() if column.startswith("ActorEmail"))
        plans[name] = ActorPlan(True, columns, entry.fields | columns.keys(), addresses)
    return plans


_PLANS = _plans()
_UNKNOWN = ActorPlan(
    False, {"type": "ActorType"}, frozenset({"type"}), (("ActorEmailClaimed", "unauthenticated_email_address"),)
)


def actor_plan(kind: Any) -> ActorPlan:
    """The plan of an `actor.type`; for anything else one that keeps all but the type in ActorDetails."""
    return _PLANS.get(kind, _UNKNOWN) if kind.__class__ is str else _UNKNOWN


def fold_actor(actor: Mapping[str, Any], row: dict[str, Any]) -> tuple[ActorPlan, dict[str, Any]]:
    """Fill the actor columns of `row`; return the plan used and what belongs in ActorDetails."""
    plan = actor_plan(actor.get("type"))
    columns = plan.columns
    details: dict[str, Any] = {}
    for field, value in actor.items():
        column = columns.get(field)
        if column is not None and value.__class__ is str and value:
            row[column] = value
        else:
            details[field] = value
    if not plan.known:
        _fill(row, details)
    # What the table shows differently is kept as it came.
    if row.get("ActorIp") == NOWHERE:
        details["ip_address"] = row.pop("ActorIp")
    agent = row.get("ActorUserAgent")
    if agent is not None and len(agent) > _SURELY_SHORT and _is_long(agent):
        details["user_agent"] = agent
        row["ActorUserAgent"] = agent.encode()[:USER_AGENT_LIMIT_BYTES].decode(errors="ignore")
    for column, field in plan.addresses:
        address = row.get(column)
        if address is not None and address != (lower := address.lower()):
            details[field] = address
            row[column] = lower
    identity = row.get("ActorId")
    if identity is None:
        if "provider" in details and (not plan.known or columns.get("subject") == "ActorId"):
            _fill_subject(row, details)
    elif identity[:14] == "admin_api_key_":
        row["ActorId"] = key_id(identity)
        details.update((field, identity) for field, column in columns.items() if column == "ActorId")
    return plan, details


def _is_long(agent: str) -> bool:
    return len(agent if agent.isascii() else agent.encode()) > USER_AGENT_LIMIT_BYTES


def _fill(row: dict[str, Any], details: Mapping[str, Any]) -> None:
    """For an actor of an unknown kind: the columns its familiar fields would fill, ActorDetails keeping all of them."""
    wanted = [(_COLUMNS[field], field) for field in ("ip_address", "user_agent", "unauthenticated_email_address")]
    for column, field in [*wanted, *(("ActorId", field) for field in _IDS)]:
        value = details.get(field)
        if column not in row and value.__class__ is str and value:
            row[column] = value


def _fill_subject(row: dict[str, Any], details: Mapping[str, Any]) -> None:
    """AWS identifies a principal and leaves `subject` null: its ARN is the identity there is."""
    provider = details.get("provider")
    if "subject" in details and provider.__class__ is dict:
        principal = provider.get("signed_principal")
        if principal.__class__ is str and principal:
            row["ActorId"] = principal


def unfold_actor(row: Mapping[str, Any], details: Mapping[str, Any]) -> dict[str, Any] | None:
    """The actor object again, from its columns and ActorDetails; None when there was none."""
    kind = row.get("ActorType") or None
    if kind is None and not details:
        return None
    columns = actor_plan(kind).columns.items()
    return {field: row[column] for field, column in columns if field not in details and row.get(column)} | dict(details)
