"""The resources of a snapshot."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
_HOLDER = re.compile(r"reference\('(/subscriptions/[^']+)'")
_ROLE_AT = re.compile(rf"\[extensionResourceId\('([^']+)', '{re.escape(ASSIGNMENT)}'")


@dataclass(frozen=True, slots=True)
class Created:
    """A resource that a deployment creates.

    `on` is the scope of a role assignment, else the resource itself. `role`, `principal` and `holder` are of role
    assignments. For an identity that does not exist yet, `id` is an expression (Azure derives the name from the
    identity), `principal` is "", and `holder` is the id of the resource that has or is the identity.
    """

    type: str
    name: str
    id: str
    api_version: str
    on: str
    role: str = ""
    principal: str = ""
    holder: str = ""

    @property
    def group(self) -> str:
        """/subscriptions/S/resourceGroups/G"""
        return "/".join(self.on.split("/")[:5])

    @property
    def known(self) -> bool:
        """Whether the id is final, not an expression."""
        return not self.id.startswith("[")


def scope_of(assignment: Mapping[str, Any]) -> str:
    """Scope of a role assignment, from its id, which may be an unevaluated expression."""
    identity: str = assignment["id"]
    unevaluated = _ROLE_AT.match(identity)
    return unevaluated[1] if unevaluated else identity.rsplit("/providers/Microsoft.Authorization/", 1)[0]


def created(snapshot: Mapping[str, Any]) -> list[Created]:
    """The resources of a snapshot, in its order."""
    return [_created(resource) for resource in snapshot["predictedResources"]]


def _created(resource: Mapping[str, Any]) -> Created:
    kind, name, identity, version = (str(resource[key]) for key in ("type", "name", "id", "apiVersion"))
    if kind != ASSIGNMENT:
        return Created(kind, name, identity, version, on=identity)
    principal = str(resource["properties"]["principalId"])
    unknown = principal.startswith("[")
    return Created(
        kind,
        name,
        identity,
        version,
        on=scope_of(resource),
        role=str(resource["properties"]["roleDefinitionId"]).rsplit("/", 1)[-1],
        principal="" if unknown else principal,
        holder=found[1] if unknown and (found := _HOLDER.search(principal)) else "",
    )


def type_of(identity: str) -> str:
    """Type of the resource with this id, such as Microsoft.Storage/storageAccounts/blobServices."""
    provider, *rest = identity.rsplit("/providers/", 1)[-1].split("/")
    return "/".join([provider, *rest[::2]])
