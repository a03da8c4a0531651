"""Objects shared by all activities: agents, connectors, groups, workspaces and people."""

import random
from collections.abc import Sequence
from typing import Any, Final

from sandbox.tenant.ids import Ids
from sandbox.tenant.people import DOMAIN, Person

# Approved connectors; an unapproved one is part of a storyline.
APPROVED_CONNECTORS: Final = (
    "Contoso Wiki",
    "Jira",
    "GitHub",
    "SharePoint",
    "Snowflake",
    "ServiceNow",
)
_POOLED: Final = {
    "agent_id": 5,
    "profile_id": 4,
    "credential_id": 6,
    "rule_id": 8,
    "role_id": 6,
    "scan_project_id": 4,
    "scan_id": 12,
    "config_id": 3,
    "runner_id": 6,
    "runner_pool_id": 2,
    "federation_issuer_id": 2,
    "federation_rule_id": 5,
    "oauth_app_id": 3,
    "memory_store_id": 5,
    "deployment_id": 5,
    "ghe_configuration_id": 1,
    "integration_id": 3,
    "marketplace_id": 2,
    "environment_id": 3,
    "tunnel_id": 2,
    "external_key_id": 1,
    "connection_id": 1,
    "design_project_id": 20,
    "extension_id": 6,
    "invite_id": 12,
    "spend_limit_id": 4,
}


def pools(
    ids: Ids,
    rng: random.Random,
    staff: tuple[Person, ...],
    groups: Sequence[tuple[str, str]],
    service_account_ids: Sequence[str],
    workspaces: Sequence[str],
) -> dict[str, Sequence[Any]]:
    """Per field name, the values that activities may use; `groups` are pairs of id and name.

    Lists of one family (a connector's id and name, a person's id and address) are aligned: one index selects both.
    """
    known = rng.sample(staff, min(len(staff), 500))
    user_ids = [person.user_id for person in known]
    emails = [person.email for person in known]
    known_as: dict[str, Sequence[Any]] = {
        field: [ids.of(field) for _ in range(count)] for field, count in _POOLED.items()
    }
    names = {
        "skill": ("brand-voice", "contract-review", "sql-style", "release-notes", "expense-check"),
        "plugin": ("ticket-tools", "design-kit", "test-runner", "data-dictionary"),
    }
    for family, words in names.items():
        known_as[f"{family}_id"] = [ids.new(family) for _ in words]
        known_as[f"{family}_name"] = words
    known_as["mcp_server_id"] = [ids.new("mcpsrv") for _ in APPROVED_CONNECTORS]
    known_as["mcp_server_name"] = APPROVED_CONNECTORS
    known_as["mcp_server_url"] = [
        f"https://{name.lower().replace(' ', '-')}.{DOMAIN}/mcp" for name in APPROVED_CONNECTORS
    ]
    known_as["workspace_id"] = workspaces
    known_as["service_account_id"] = service_account_ids
    known_as["group_id"] = [id for id, _ in groups]
    known_as["group_name"] = [name for _, name in groups]
    known_as["slack_team_id"] = [f"T0{ids.hex(8).upper()}"]
    known_as["slack_channel_id"] = [f"C0{ids.hex(8).upper()}" for _ in range(6)]
    for field in ("user_id", "deleted_user_id", "owner_user_id", "requester_user_id", "account_id", "target_id"):
        known_as[field] = user_ids
    for field in ("user_email", "deleted_user_email", "invited_email", "invitee_email"):
        known_as[field] = emails
    return known_as
