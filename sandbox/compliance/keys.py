"""Kinds of keys, the access each grants, and the errors for requests without access (sections 2 and 4)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from sandbox.compliance.errors import missing_scope, not_found, unauthenticated

READ_ACTIVITIES = "read:compliance_activities"
READ_ORGANIZATIONS = "read:compliance_org_data"
READ_AUDIT = "read:org_audit"  # grants every read endpoint

KeyKind = Literal["compliance", "admin", "claude"]

PREFIX: Mapping[KeyKind, str] = {
    "compliance": "sk-ant-api01-",
    "admin": "sk-ant-admin01-",
    "claude": "sk-ant-api03-",
}
ADMIN_SCOPES = frozenset({"api:admin", READ_ACTIVITIES})  # section 2.2: the most such a key can have


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key; `organization_ids` (ids or UUIDs) is its reach, None for the whole parent organization.

    Raises ValueError if the secret's prefix or the scopes do not match the kind.
    """

    secret: str
    key_id: str
    kind: KeyKind
    scopes: frozenset[str]
    expired: bool = False
    organization_ids: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if not self.secret.startswith(PREFIX[self.kind]):
            raise ValueError(f"a {self.kind} key starts with {PREFIX[self.kind]}")
        if self.kind == "admin" and not self.scopes <= ADMIN_SCOPES:
            raise ValueError(f"an admin key cannot have {sorted(self.scopes - ADMIN_SCOPES)}")


def authenticate(secret: str | None, keys: Mapping[str, ApiKey]) -> ApiKey:
    """The key with this secret; raises ApiError 404 for no key or a wrong kind, 401 for one unknown or expired."""
    if secret is None or not secret.startswith((PREFIX["compliance"], PREFIX["admin"])):
        raise not_found()
    key = keys.get(secret)
    if key is None:
        raise unauthenticated("invalid x-api-key")
    if key.expired:
        raise unauthenticated("API key has expired.")
    return key


def require_scope(key: ApiKey, one_of: Iterable[str]) -> None:
    """Raises ApiError 403 unless the key has one of the scopes."""
    needed = list(one_of)
    if not key.scopes.intersection(needed):
        raise missing_scope(key.scopes, needed)
