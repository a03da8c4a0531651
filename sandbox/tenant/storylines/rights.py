"""Storylines about rights and keys."""

from datetime import timedelta
from typing import Any, Final

from sandbox.tenant.administration import directory_actor
from sandbox.tenant.collector import API
from sandbox.tenant.places import CLOUD, host
from sandbox.tenant.storyline import Script, StorylineBuilder


def _compliance_key_abuse(story: StorylineBuilder) -> None:
    owner = story.holder("primary_owner")
    key = story.ids.new("apikey")
    scopes = ["read:compliance_activities", "read:compliance_user_data", "delete:compliance_user_data"]
    made = {"api_key_id": key, "scopes": scopes, "restricted_to_organization": False}
    at = story.add(story.at(owner, 19.4), "api_key_created", owner.actor(address=owner.home), **made)
    address, agent = story.far_address(), "curl/8.9"
    reader = {"type": "api_actor", "api_key_id": key, "ip_address": address, "user_agent": agent}

    def call(method: str, path: str, status: int) -> None:
        nonlocal at
        asked = {"request_method": method, "url": f"{API}{path}", "status_code": status, "request_body": None}
        at = story.add(at, "compliance_api_accessed", reader, request_id=story.ids.new("req"), **asked)

    at += timedelta(minutes=25)
    for _ in range(14):
        call("GET", "/organizations", 403)
    for _ in range(10):
        call("GET", "/apps/chats?limit=1000", 200)
    chats = [story.ids.new("claude_chat") for _ in range(60)]
    for chat in chats:
        call("GET", f"/apps/chats/{chat}/messages", 200)
    for chat in chats[:14]:
        call("DELETE", f"/apps/chats/{chat}", 200)
    at += timedelta(minutes=30)
    gone = {"api_key_id": key, "api_key_name": "quarterly archive", "scopes": scopes}
    story.add(at, "scoped_api_key_deleted", owner.actor(address=owner.home), **gone)

    plain: dict[str, Any] = {"scopes": ["read:usage"], "restricted_to_organization": True}
    story.add_benign(story.at(owner, 10), "api_key_created", owner.actor(), **plain)


def _privilege_climb(story: StorylineBuilder) -> None:
    person = story.holder("membership_admin")
    late, role = person.actor(address=person.home), story.ids.new("rbac_role")
    at = story.at(person, 21.5)
    at = story.add(at, "rbac_role_created", late, role_id=role, role_name="Backup operators")
    for action in ("manage", "export", "delete"):
        permission = {"action": action, "resource_type": "organization", "resource_id": "*", "role_id": role}
        at = story.add(at, "rbac_role_permission_added", late, **permission)
    to_self = {"principal_id": person.user_id, "principal_type": "user", "role_id": role}
    at = story.add(at, "rbac_role_assigned", late, **to_self)
    raised = {"user_id": person.user_id, "user_email": person.email}
    at = story.add(
        at, "claude_user_role_updated", late, **raised, previous_role="membership_admin", current_role="owner"
    )
    granted = {"role": "organization:owner", "resource_type": "organization", "target_type": "user"}
    story.add(at, "role_assignment_granted", late, **granted, target_id=person.user_id, resource_id="*")

    joiner, other = story.someone("sales"), story.holder("admin")
    down = {"user_id": joiner.user_id, "user_email": joiner.email, "previous_role": "admin", "current_role": "user"}
    story.add_benign(story.at(other, 11), "claude_user_role_updated", other.actor(), **down)
    maker = story.someone("legal")
    owned = {"role": "owner", "resource_type": "project", "target_type": "user", "target_id": maker.user_id}
    story.add_benign(story.at(maker, 12), "role_assignment_granted", maker.actor(), story.organization(maker), **owned)


def _members_removed(story: StorylineBuilder) -> None:
    person = story.holder("admin", "owner")
    at = story.at(person, 17.6)
    for number in range(26):
        guest = {"deleted_user_id": story.ids.new("user"), "deleted_user_email": f"guest{number:02}@partner.example"}
        at = story.add(at, "org_user_deleted", person.actor(), **guest)

    at = story.at(person, 9)
    for _ in range(30):  # an expired guest program, removed by the directory as expected
        directory = directory_actor(story.company, story.values)
        at = story.add_benign(at, "scim_user_deleted", directory, user_id=story.ids.new("user"))


def _federation_trust_widened(story: StorylineBuilder) -> None:
    place, rule = story.company.console[0], story.ids.new("federation_rule")
    people = [p for p in story.staff if p.console_organization_id == place.id]
    person = story.rng.choice(people or story.staff)
    widened = [
        {"type": "match_subject_prefix", "previous_value": "repo:contoso/app:", "current_value": ""},
        {"type": "applies_to_all_workspaces", "previous_value": "false", "current_value": "true"},
    ]
    changed = {"federation_rule_id": rule, "updates": widened}
    at = story.add(story.at(person, 18.8), "platform_federation_rule_updated", person.actor(), place, **changed)
    build = {
        "type": "federated_identity_actor",
        "issuer": "https://token.ci.example",
        "subject": "repo:someone-else/fork:ref:refs/heads/main",
        "audience": ["anthropic"],
        "ip_address": story.far_address(),
        "user_agent": "ci-runner/3.4",
    }
    for _ in range(9):
        at += timedelta(minutes=3)
        status = {"outcome": "success", "reason": None, "detail": None}
        story.add(at, "platform_federated_authentication", build, place, status=status)

    renamed = [{"type": "description", "previous_value": "builds", "current_value": "builds of the app"}]
    terraform = story.company.key("terraform").actor() | {"ip_address": host(CLOUD, 30)}
    story.add_benign(story.at(None, 5), "platform_federation_rule_updated", terraform, place, updates=renamed)


RIGHTS: Final = (
    Script(
        "compliance-key-abuse",
        "A compliance key that reads and deletes chats",
        "A key that may delete content is created in the evening; half an hour later it is used from a foreign "
        "address to list, read and delete chats, and is then deleted.",
        (
            "claude-compliance-key-created",
            "claude-delete-capable-key-created",
            "claude-key-first-used-elsewhere",
            "claude-unknown-key-reads-api",
            "claude-content-deleted-by-api",
            "claude-compliance-api-refusals",
        ),
        _compliance_key_abuse,
    ),
    Script(
        "privilege-climb",
        "A membership administrator becomes owner",
        "Late in the evening a membership administrator creates a role with broad permissions, assigns it to "
        "themselves, and becomes owner.",
        ("claude-self-granted", "claude-admin-granted", "claude-role-widened"),
        _privilege_climb,
    ),
    Script(
        "members-removed",
        "Two dozen members removed by hand",
        "An administrator removes 26 guest members within minutes.",
        ("claude-member-removal-burst",),
        _members_removed,
    ),
    Script(
        "federation-trust-widened",
        "A federation rule that trusts any repository",
        "A rule loses its subject prefix and reaches all workspaces; a foreign repository then signs in.",
        ("claude-federation-trust-changed",),
        _federation_trust_widened,
    ),
)
