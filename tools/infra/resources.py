"""A snapshot's resources, as the tools speak of them."""

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

    `id` of a right for an identity that is not there yet is an expression: Azure names it after the identity. `on` is
    what a right is given on, and else the resource itself. `role`, `principal`, `holder` are of rights: `principal` is
    "" for an identity that is not there yet, and `holder` the id of the resource that has or is that identity.
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
        """Whether the id is one already, and not an expression."""
        return not self.id.startswith("[")


def scope_of(assignment: Mapping[str, Any]) -> str:
    """Resource id that a role assignment is on, from its own id, evaluated or not."""
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
