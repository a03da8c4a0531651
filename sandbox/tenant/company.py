"""The static parts of the tenant: organizations, people, groups, machines, keys, and shared objects."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sandbox.tenant.ids import Ids
from sandbox.tenant.people import DEPARTMENTS, Person, hire
from sandbox.tenant.places import CLOUD, host
from sandbox.tenant.shared_objects import pools

COMPLIANCE_SCOPES: Final = ("read:compliance_activities", "read:compliance_user_data", "read:compliance_org_data")


@dataclass(frozen=True, slots=True)
class TenantOrganization:
    """A claude.ai or Console organization, or their parent (which has no activities of its own)."""

    id: str
    uuid: str
    name: str
    product: Literal["parent", "claude.ai", "console"]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Group:
    id: str
    name: str
    source_type: Literal["direct", "scim"]
    member_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    id: str
    name: str
    organization_id: str
    workspace_id: str
    address: str
    user_agent: str

    def actor(self) -> dict[str, str]:
        return {
            "type": "service_account_actor",
            "service_account_id": self.id,
            "ip_address": self.address,
            "user_agent": self.user_agent,
        }


@dataclass(frozen=True, slots=True)
class TenantKey:
    """A key by its id, without its secret. `organization_id` is None for a key for the whole parent."""

    id: str
    kind: Literal["compliance", "admin", "api"]
    name: str
    scopes: tuple[str, ...]
    organization_id: str | None
    created_at: datetime
    created_by: str
    address: str
    user_agent: str

    def actor(self) -> dict[str, str]:
        """`admin_api_key_actor` for admin keys, `api_actor` for the others."""
        if self.kind == "admin":
            kind, field = "admin_api_key_actor", "admin_api_key_id"
        else:
            kind, field = "api_actor", "api_key_id"
        return {"type": kind, field: self.id, "ip_address": self.address, "user_agent": self.user_agent}


@dataclass(frozen=True, slots=True)
class Company:
    """Everything that does not change during the simulation.

    `pools` has, per field name, the values that activities may use (see shared_objects.py).
    """

    parent: TenantOrganization
    claude: tuple[TenantOrganization, TenantOrganization]
    console: tuple[TenantOrganization, TenantOrganization]
    people: tuple[Person, ...]
    groups: tuple[Group, ...]
    service_accounts: tuple[ServiceAccount, ...]
    keys: tuple[TenantKey, ...]
    directory_id: str
    pools: Mapping[str, Sequence[Any]]

    def organization(self, id: str) -> TenantOrganization:
        return next(each for each in (*self.claude, *self.console) if each.id == id)

    def with_role(self, *roles: str) -> list[Person]:
        """People with one of `roles` who stay for the whole simulation, in a fixed order; never empty."""
        staying = [person for person in self.people if person.left is None]
        return [person for person in staying if person.role in roles] or staying[:1]

    def key(self, name: str) -> TenantKey:
        return next(key for key in self.keys if key.name == name)


def create_company(*, start: datetime, end: datetime, people: int, seed: int) -> Company:
    """The company at `start`; ValueError for fewer people than departments."""
    if people < len(DEPARTMENTS):
        raise ValueError(f"a tenant needs at least {len(DEPARTMENTS)} people, one per department; got {people}")
    rng = random.Random(f"{seed}/company")
    ids = Ids(rng)

    def organization(name: str, product: Literal["parent", "claude.ai", "console"]) -> TenantOrganization:
        return TenantOrganization(ids.new("org"), ids.uuid(), name, product, start - timedelta(days=400))

    parent = organization("Contoso", "parent")
    claude = (organization("Contoso", "claude.ai"), organization("Contoso Research", "claude.ai"))
    console = (organization("Contoso Platform", "console"), organization("Contoso Labs on AWS", "console"))
    staff = hire(
        people,
        start=start,
        end=end,
        claude=(claude[0].id, claude[1].id),
        console=(console[0].id, console[1].id),
        rng=rng,
    )
    workspaces = [ids.new("wrkspc") for _ in range(8)]
    service_accounts = tuple(
        ServiceAccount(ids.new("svac"), name, organization.id, workspaces[number], host(CLOUD, 20 + number), agent)
        for number, (name, organization, agent) in enumerate(
            (
                ("invoice-reader", console[0], "anthropic-python/0.71.0"),
                ("ticket-triage", console[0], "anthropic-python/0.71.0"),
                ("release-notes", console[0], "anthropic-typescript/0.66.0"),
                ("model-evaluation", console[1], "anthropic-python/0.71.0"),
            )
        )
    )
    owner = next((person for person in staff if person.role == "primary_owner"), staff[0])
    groups = tuple(
        Group(
            ids.new("rbac_group"),
            f"Claude {department}",
            "scim",
            tuple(person.user_id for person in staff if person.department == department and not person.left),
        )
        for department in DEPARTMENTS
    )
    return Company(
        parent,
        claude,
        console,
        staff,
        groups,
        service_accounts,
        _keys(ids, owner, console, start),
        ids.new("directory"),
        pools(
            ids,
            rng,
            staff,
            [(group.id, group.name) for group in groups],
            [account.id for account in service_accounts],
            workspaces,
        ),
    )


def _keys(
    ids: Ids, owner: Person, console: tuple[TenantOrganization, TenantOrganization], start: datetime
) -> tuple[TenantKey, ...]:
    made = start - timedelta(days=120)

    def key(
        kind: Literal["compliance", "admin", "api"],
        name: str,
        scopes: tuple[str, ...],
        organization: TenantOrganization | None,
        number: int,
        agent: str,
    ) -> TenantKey:
        prefix = "admin_api_key" if kind == "admin" else "apikey"
        place = organization.id if organization else None
        return TenantKey(ids.new(prefix), kind, name, scopes, place, made, owner.user_id, host(CLOUD, number), agent)

    return (
        key("compliance", "purview-collector", COMPLIANCE_SCOPES, None, 40, "PurviewConnector/2.3"),
        key("admin", "terraform", ("org:admin",), console[0], 30, "terraform-provider-anthropic/1.9"),
        key("admin", "cost-report", ("org:usage",), console[1], 31, "finops-report/4.2"),
        key("api", "nightly-ci", (), console[0], 10, "anthropic-python/0.71.0"),
        key("api", "website-chat", (), console[0], 11, "anthropic-typescript/0.66.0"),
        key("api", "labs-notebook", (), console[1], 12, "anthropic-python/0.71.0"),
    )
