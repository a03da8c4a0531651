"""Identifiers in the API's format: a prefix, `_01` and 24 base-58 characters; seeded, and not ordered by time."""

import random
from typing import Final

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PAIRS: Final = tuple(first + second for first in _ALPHABET for second in _ALPHABET)

# Fields whose id prefix differs from the field's name.
PREFIXES: Final = {
    "admin_api_key_id": "admin_api_key",
    "api_key_id": "apikey",
    "claude_project_id": "claude_proj",
    "claude_project_ids": "claude_proj",
    "claude_project_document_id": "claude_proj_doc",
    "group_id": "rbac_group",
    "role_id": "rbac_role",
    "granting_role_ids": "rbac_role",
    "invited_rbac_group_ids": "rbac_group",
    "member_ids": "user",
    "agent_ids": "agent",
    "cascaded_agent_ids": "agent",
    "deleted_version_ids": "skillver",
    "workspace_id": "wrkspc",
    "service_account_id": "svac",
    "requested_service_account_id": "svac",
    "deleted_user_id": "user",
    "invitee_user_id": "user",
    "new_owner_id": "user",
    "previous_owner_id": "user",
    "owner_user_id": "user",
    "requester_user_id": "user",
    "submitted_by_user_id": "user",
    "principal_id": "user",
    "target_id": "user",
    "account_id": "user",
    "session_id": "session",
    "request_id": "req",
    "resource_id": "claude_proj",
    "previous_credential_id": "credential",
    "injected_credential_id": "credential",
    "cascade_trigger_credential_id": "credential",
    "cascaded_from_agent_id": "agent",
    "route_to_destination_id": "destination",
    "excluded_runner_id": "runner",
    "source_project_id": "design_project",
    "previous_environment_id": "environment",
    "new_signing_key_id": "signing_key",
    "old_signing_key_id": "signing_key",
    "issuer_id": "federation_issuer",
    "entity_id": "mcp_server",
    "conversation_id": "claude_chat",
    "parent": "req",
}


class Ids:
    """New identifiers from one seeded random generator."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def new(self, prefix: str) -> str:
        return f"{prefix}_01{''.join(self._rng.choices(_PAIRS, k=12))}"

    def of(self, field: str) -> str:
        """A new id for the field `field`."""
        return self.new(PREFIXES.get(field) or field.removesuffix("_id"))

    def uuid(self) -> str:
        digits = self.hex(32)
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def hex(self, length: int) -> str:
        return f"{self._rng.getrandbits(4 * length):0{length}x}"
