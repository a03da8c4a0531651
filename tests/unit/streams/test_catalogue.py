"""The catalogue says only what its columns and fields can bear, and guesses well for types it lacks."""

import pytest

from shared import tables
from shared.streams.activity import catalogue

_OPERATIONS_TEXT = """
    SignIn SignOut Create Read List Update Delete Grant Revoke Enable Disable Share Unshare Export Upload Rotate
    Invite Approve Deny Run Other
"""
OPERATIONS = frozenset(_OPERATIONS_TEXT.split())
TYPES = catalogue.load().types


def test_size() -> None:
    """All documented types and actors are here."""
    assert len(TYPES) == 527
    assert len(catalogue.load().actors) == 11


@pytest.mark.parametrize("name", sorted(TYPES))
def test_entry(name: str) -> None:
    """Every type has a family, an object and words from the closed lists, and names only fields it has."""
    entry = TYPES[name]
    words = {entry.operation, *(word for by in entry.operation_by.values() for word in by.values())}
    assert words <= OPERATIONS
    assert entry.result in ("Success", "Failure", "Blocked", "Unknown")
    assert entry.category != "unknown"
    assert entry.object_type
    told = {field for _, old, new in entry.changes for field in (old, new) if field}
    # Some types are known to have an `enabled` or `action` whose schema nobody has captured yet.
    assert {entry.id or "type", *entry.name, *told} <= entry.fields | {"type"}


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("claude_chat_created", "Create"),
        ("claude_chat_viewed", "Read"),
        ("org_users_listed", "List"),
        ("org_data_export_started", "Export"),
        ("claude_file_uploaded", "Upload"),
        ("user_logged_out", "SignOut"),
        ("sso_login_failed", "SignIn"),
        ("org_user_invite_sent", "Invite"),
        ("group_member_added", "Grant"),
        ("group_member_removal_failed", "Revoke"),
        ("rbac_role_permission_removed", "Revoke"),
        ("claude_chat_deletion_failed", "Delete"),
        ("claude_chat_snapshot_created", "Share"),
        ("design_project_unpublished", "Unshare"),
        ("platform_service_account_archived", "Disable"),
        ("claude_plugin_downloaded", "Read"),
        ("claude_skill_downloaded", "Export"),
        ("platform_signing_key_rotated", "Rotate"),
        ("org_join_request_instant_approved", "Approve"),
        ("org_join_requests_bulk_dismissed", "Deny"),
        ("org_sso_toggled", "Update"),
        ("primary_owner_transferred", "Update"),
        ("platform_agent_deployment_run_triggered", "Run"),
    ],
)
def test_operation_of_documented_types(name: str, operation: str) -> None:
    """Each operation stands for the deed an analyst would call so."""
    assert TYPES[name].operation == operation


@pytest.mark.parametrize(
    ("name", "operation", "kind", "result"),
    [
        ("claude_chat_pinned", "Other", "chat", "Unknown"),
        ("platform_agent_member_added", "Grant", "managed_agent", "Unknown"),
        ("org_sso_connection_reset_failed", "Other", "sso_connection", "Failure"),
        ("moon_base_blocked", "Deny", None, "Blocked"),
        ("", "Other", None, "Unknown"),
    ],
)
def test_guess(name: str, operation: str, kind: str | None, result: str) -> None:
    """The name of a new type tells what it can: suffixes the operation, prefixes the object, failures the result."""
    entry = catalogue.guess(name)
    assert (entry.category, entry.operation, entry.object_type or None, entry.result) == (
        "unknown",
        operation,
        kind,
        result,
    )


def test_guesses_agree_with_the_catalogue_on_objects() -> None:
    """The prefix rules give the object of every documented type, too."""
    assert all(catalogue.guess(name).object_type == entry.object_type for name, entry in TYPES.items())


def test_columns_are_the_table_s() -> None:
    """Fields are sent only to columns that exist."""
    assert catalogue.load().columns.keys() <= set(tables.load(tables.ACTIVITY).names)
