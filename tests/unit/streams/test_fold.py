"""What each column says, where a golden pair does not show it, and what the caller is told besides."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from shared.streams.activity.fold import Folded, RowContext, activity_key, fold, unfold

from .samples import USER

AT = datetime(2026, 10, 5, 9, 20, tzinfo=UTC)
CARRIAGE = RowContext("contoso", "run-1", "0.1.0", "live", False, AT)


def folded(type_name: Any, /, **fields: Any) -> Folded:
    activity = {"id": "activity_01A", "type": type_name, "created_at": "2026-10-05T09:14:03Z", "actor": USER, **fields}
    return fold(activity, CARRIAGE)


def row(type_name: Any, /, **fields: Any) -> dict[str, Any]:
    return folded(type_name, **fields).row


@pytest.mark.parametrize(
    ("type_name", "fields", "result"),
    [
        ("claude_chat_created", {}, "Success"),
        ("claude_chat_access_failed", {}, "Failure"),
        ("sso_login_initiated", {}, "Unknown"),
        ("org_creation_blocked", {}, "Blocked"),
        ("inference_hooks_request_denied", {}, "Blocked"),
        ("inference_hooks_request_failed_open", {"reason": "endpoint_error"}, "Failure"),
        ("abuse_decision_received", {"decision": "blocked"}, "Blocked"),
        ("abuse_decision_received", {"decision": "unspecified"}, "Unknown"),
        ("admin_connector_request_resolved", {"decision": "dismissed"}, "Success"),
        ("github_token_import", {"result": "imported"}, "Success"),
        ("github_token_import", {"result": "failed_internal"}, "Failure"),
        ("github_token_import", {"result": "rejected_zdr_policy"}, "Failure"),
        ("org_external_key_validated", {"validation_result": "failure"}, "Failure"),
        ("org_external_key_validated", {"validation_result": "success"}, "Success"),
        ("ccr_agent_proxy_network_events_listed", {"failed": True}, "Failure"),
        ("ccr_agent_proxy_network_events_listed", {"failed": False}, "Success"),
        ("compliance_api_accessed", {"status_code": 403}, "Failure"),
        ("compliance_api_accessed", {"status_code": 399}, "Success"),
        ("compliance_api_accessed", {"status_code": None}, "Unknown"),
        ("platform_federated_authentication", {"status": {"outcome": "success"}}, "Success"),
        ("mcp_server_managed_auth_token_exchanged", {"error_type": "invalid_grant"}, "Failure"),
        ("mcp_server_managed_auth_token_exchanged", {"outcome": "success", "error_type": None}, "Success"),
        ("brand_new_thing_created", {}, "Unknown"),
        ("brand_new_thing_failed", {}, "Failure"),
        ("brand_new_thing_called", {"status_code": 500}, "Failure"),
    ],
)
def test_result(type_name: str, fields: dict[str, Any], result: str) -> None:
    """Result comes from the type's name, then from the field that carries the outcome; what nobody says is Unknown."""
    assert row(type_name, **fields)["Result"] == result


@pytest.mark.parametrize(
    ("type_name", "fields", "operation"),
    [
        ("org_sso_toggled", {"enabled": True}, "Enable"),
        ("org_sso_toggled", {}, "Update"),
        ("rbac_role_grant_updated", {"action": "removed"}, "Revoke"),
        ("rbac_role_grant_updated", {"action": "requested"}, "Grant"),
        ("rbac_role_permission_added", {"action": "deleted"}, "Grant"),
        ("claude_code_security_scan_project_updated", {"action": "archived"}, "Disable"),
        ("claude_code_security_scan_project_visibility_updated", {"action": "unshared"}, "Unshare"),
        ("org_join_proposal_decided", {"approved": False}, "Deny"),
        ("org_join_proposal_decided", {"approved": True}, "Approve"),
        ("inference_hooks_signing_secret_generated", {"rotated": True}, "Rotate"),
        ("brand_new_thing_deleted", {"action": "created"}, "Delete"),
        ("brand_new_thing_updated", {"action": "revoked"}, "Revoke"),
        ("brand_new_thing_updated", {"action": ["revoked"]}, "Update"),
        ("nonsense", {}, "Other"),
    ],
)
def test_operation(type_name: str, fields: dict[str, Any], operation: str) -> None:
    """Operation comes from the type, and from the field that says it where the type leaves it open."""
    assert row(type_name, **fields)["Operation"] == operation


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        (timedelta(0), True),
        (timedelta(minutes=30), True),
        (timedelta(minutes=30, microseconds=1), False),
        (timedelta(days=-1), False),
        (timedelta(minutes=-5), True),
        (timedelta(minutes=-5, microseconds=-1), False),
    ],
)
def test_time_generated(age: timedelta, shown: bool) -> None:
    """TimeGenerated is the activity's time from 30 minutes before its receipt to 5 after, else the time of receipt."""
    at = (AT - age).isoformat(timespec="microseconds").replace("+00:00", "Z")
    cells = row("claude_chat_created", created_at=at)
    assert cells["EventTime"] == at
    assert cells["TimeGenerated"] == (at if shown else "2026-10-05T09:20:00.000000Z")


@pytest.mark.parametrize(
    "created_at", [None, "", "soon", 1_759_655_643, "2026-10-05T09:14:60Z", "0001-01-01T00:00+09:00"]
)
def test_no_time(created_at: Any) -> None:
    """Without a time the row carries that of its receipt, says so, and keeps what the API sent."""
    cells = row("claude_chat_created", created_at=created_at)
    assert cells["EventTime"] == cells["TimeGenerated"] == "2026-10-05T09:20:00.000000Z"
    assert cells["Handling"] == {"noCreatedAt": True}
    assert cells["Details"]["created_at"] == created_at


@pytest.mark.parametrize("identity", [None, "", 7, ["a"]])
def test_no_id(identity: Any) -> None:
    """Without an id the digest of the whole is the row's identity, and the ledger's key."""
    activity = {"id": identity, "type": "claude_chat_created"}
    cells = fold(activity, CARRIAGE).row
    assert cells["ActivityId"] == f"sha256-{cells['RecordHash']}" == activity_key(activity)
    assert cells["Details"]["id"] == identity


def test_a_present_id_is_the_key() -> None:
    """The API's id is the key, whatever else the activity holds."""
    assert activity_key({"id": "activity_01A", "type": None}) == "activity_01A"


def test_the_digest_is_of_sorted_json_without_blanks() -> None:
    """RecordHash can be made again by anybody with the raw activity."""
    cells = fold({"type": "x", "id": "a", "é": [1, {"b": None, "a": 2.5}]}, CARRIAGE).row
    assert cells["RecordHash"] == sha256('{"id":"a","type":"x","é":[1,{"a":2.5,"b":null}]}'.encode()).hexdigest()


def test_an_absent_field_is_not_invented_from_another_of_its_column() -> None:
    """A column whose own field is absent stays empty even if a rival field could fill it; a null owner lets it fill."""
    absent = row("claude_chat_viewed", conversation_id="chat-2")
    assert "ChatId" not in absent
    assert "claude_chat_id" not in unfold(absent)
    null = row("claude_chat_viewed", conversation_id="chat-2", claude_chat_id=None)
    assert null["ChatId"] == null["ObjectId"] == "chat-2"
    assert unfold(null)["claude_chat_id"] is None


def test_a_list_column_holds_strings_only() -> None:
    """A list with other things than strings stays in Details, and its strings fill the column."""
    cells = row("group_member_added", group_id="grp_1", member_ids=["user_1", 2, None])
    assert cells["TargetUserIds"] == ["user_1"]
    assert cells["Details"] == {"member_ids": ["user_1", 2, None]}


@pytest.mark.parametrize("count", [2**63, -(2**63) - 1])
def test_a_count_no_long_can_hold(count: int) -> None:
    """A number beyond 64 bits is not sent as a long, nor as any number."""
    cells = row("org_user_shares_retained", resource_count=count)
    assert "ItemCount" not in cells
    assert cells["Details"]["resource_count"] == str(count)


def test_a_status_code_no_int_can_hold() -> None:
    """A number beyond 32 bits is not sent as an int; a whole number with a point is read as one."""
    assert "StatusCode" not in row("compliance_api_accessed", status_code=2**31)
    cells = row("compliance_api_accessed", status_code=200.0)
    assert cells["StatusCode"] == 200
    assert cells["Details"]["status_code"] == 200.0


def test_a_grant_is_a_scope_and_a_name() -> None:
    """A capability grant names its object by a word that is also the right it gives."""
    cells = row("org_capability_grant_added", grant_type="chat", principal_id="rbac_role_1", principal_type="rbac_role")
    assert (cells["Scopes"], cells["ObjectName"], cells["TargetRoleId"]) == (["chat"], "chat", "rbac_role_1")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://api.anthropic.com/v1/compliance/groups/grp_1?limit=1", "/v1/compliance/groups/grp_1"),
        ("/v1/compliance/activities#top", "/v1/compliance/activities"),
        ("https://api.anthropic.com", "/"),
    ],
)
def test_request_path(url: str, path: str) -> None:
    """RequestPath has no host and no query; the address is whole in Details, and no target."""
    cells = row("compliance_api_accessed", url=url)
    assert cells["RequestPath"] == path
    assert cells["Details"]["url"] == url
    assert "TargetUrl" not in cells


def test_a_token_audience_is_not_an_audience() -> None:
    """The `aud` of a minted token says nothing of who can reach an object."""
    cells = row("ccr_agent_proxy_anthropic_oidc_token_minted", audience="sts.amazonaws.com")
    assert "Audience" not in cells


@pytest.mark.parametrize(
    ("value", "audience"),
    [([{"type": "users"}, {"type": "public"}], "public,users"), (["board", "public"], "public,board"), ([], None)],
)
def test_audience(value: Any, audience: str | None) -> None:
    """Audience is words, widest first, words we do not know at the end."""
    assert row("claude_project_sharing_updated", audience=value).get("Audience") == audience


def test_enabled_from_the_name_and_from_the_value() -> None:
    """A switch's state is in its type's name, or in current_value, which is firmer."""
    assert row("org_cowork_auto_mode_disabled")["Enabled"] is False
    assert row("brand_new_switch_enabled")["Enabled"] is True
    assert row("org_analytics_api_capability_updated", current_value=True, previous_value=False)["Enabled"] is True


def test_changes_of_updated_fields() -> None:
    """Names in updated_fields become changes, with the value where the activity has it."""
    cells = row("ccr_agent_updated", agent_id="a", updated_fields=["slack_alias", "model", "model"], slack_alias="bot")
    assert cells["Changes"] == [{"name": "slack_alias", "new": "bot"}, {"name": "model"}]


def test_a_user_agent_is_cut_between_characters() -> None:
    """ActorUserAgent ends within 1,024 bytes of UTF-8; the whole is in ActorDetails."""
    agent = "é" * 600
    cells = row("claude_chat_viewed", actor={**USER, "user_agent": agent})
    assert cells["ActorUserAgent"] == "é" * 512
    assert cells["ActorDetails"] == {"user_agent": agent}


@pytest.mark.parametrize("actor_type", ["anthropic_actor", "service_account_actor", "future_actor"])
def test_only_a_user_has_an_email(actor_type: str) -> None:
    """An address on any other actor is kept but never shown as that of an account."""
    cells = row("claude_chat_viewed", actor={"type": actor_type, "email_address": "ann@contoso.example"})
    assert "ActorEmail" not in cells
    assert cells["ActorDetails"]["email_address"] == "ann@contoso.example"


@pytest.mark.parametrize("actor", [None, "ann", [], {}, ["a"], 0])
def test_an_actor_of_another_shape_survives(actor: Any) -> None:
    """Whatever stands for the actor is kept, and counted as unknown."""
    result = folded("claude_chat_viewed", actor=actor)
    assert result.unknown_actor == ""
    assert result.row["Details"]["actor"] == actor


def test_news_is_named() -> None:
    """The caller learns of types, actors and fields the catalogue lacks; a new type's fields are no further news."""
    new_type = folded("brand_new_thing_created", shiny=1)
    assert (new_type.unknown_type, new_type.unknown_actor, new_type.unknown_fields) == (
        "brand_new_thing_created",
        None,
        (),
    )
    new_actor = folded("claude_chat_viewed", actor={"type": "future_actor", "planet": "Mars"})
    assert (new_actor.unknown_type, new_actor.unknown_actor, new_actor.unknown_fields) == (None, "future_actor", ())
    new_fields = folded("claude_chat_viewed", shiny=None, actor={**USER, "planet": "Mars"})
    assert new_fields.unknown_fields == ("actor.planet", "shiny")
    assert folded(None).unknown_type == ""


@pytest.mark.parametrize(
    ("type_name", "field"),
    [
        ("claude_file_uploaded", "filename"),
        ("claude_artifact_published", "title"),
        ("claude_artifact_published", "description"),
        ("claude_file_teleported", "filename"),
        ("brand_new_thing_updated", "previous_title"),
        ("claude_chat_viewed", "new_filename"),
    ],
)
def test_names_of_content_are_withheld(type_name: str, field: str) -> None:
    """A name of somebody's content is nowhere in the row unless the operator lets it through."""
    activity = {"id": "a", "type": type_name, field: "secret-plan", "updated_fields": [field], "other": 1}
    cells = fold(activity, CARRIAGE).row
    assert "secret-plan" not in json.dumps(cells)
    assert cells["Handling"]["withheld"] == [field]
    assert cells["Details"][field] is None
    allowed = RowContext("contoso", "run-1", "0.1.0", "live", False, AT, content_names=True)
    assert unfold(fold(activity, allowed).row) == activity
    assert "Handling" not in row(type_name, **{field: None})


def test_file_names_are_shown_when_let_through() -> None:
    """With the switch on, a file's name is its ObjectName."""
    allowed = RowContext("contoso", "run-1", "0.1.0", "live", False, AT, content_names=True)
    activity = {"type": "claude_file_uploaded", "claude_file_id": "f", "filename": "plan.docx"}
    assert fold(activity, allowed).row["ObjectName"] == "plan.docx"


def test_carriage_columns() -> None:
    """The columns of context are the connection's, the run's and the walk's."""
    cells = fold({"id": "a"}, RowContext("north", "run-9", "1.2.3", "backfill", True, AT)).row
    wanted = {"ConnectionName": "north", "RunId": "run-9", "BridgeVersion": "1.2.3", "Delivery": "backfill"}
    assert wanted.items() <= cells.items()
    assert cells["IsBackfill"] is True


def test_odd_values_handed_to_fold_are_made_text() -> None:
    """Half a surrogate pair, or more depth than anybody can encode, becomes text in its place and is noted."""
    deep: Any = "end"
    for _ in range(400):
        deep = [deep]
    for odd, pointer in (("\ud800x", "/shiny"), ({"k": deep}, "/shiny/k")):
        cells = fold({"id": "a", "type": "claude_chat_viewed", "shiny": odd}, CARRIAGE).row
        assert cells["Handling"]["escaped"][0].startswith(pointer)
        json.dumps(cells).encode()


def test_two_hundred_levels_are_carried_as_they_are() -> None:
    """Deep values are not odd until nobody could encode them."""
    deep: Any = {}
    for _ in range(200):
        deep = {"a": deep}
    activity = {"id": "a", "type": "claude_chat_viewed", "shiny": deep}
    cells = fold(activity, CARRIAGE).row
    assert unfold(cells) == activity
    assert cells["Handling"] == {"noCreatedAt": True}


def test_wide_is_not_deep() -> None:
    """Many small objects beside each other are not taken for a deep one."""
    activity = {"id": "a", "type": "claude_chat_viewed", "shiny": [{}] * 500}
    cells = fold(activity, CARRIAGE).row
    assert unfold(cells) == activity
    assert cells["Handling"] == {"noCreatedAt": True}


def test_places_escaped_by_the_page_are_noted() -> None:
    """What `odd.read_page` replaced is told in the row."""
    assert fold({"id": "a"}, CARRIAGE, ("/user_agent",)).row["Handling"]["escaped"] == ["/user_agent"]


def test_changes_are_not_taken_for_updates_that_were_absent() -> None:
    """Where Changes is the place of `updates`, undeclared pairs do not fill it: they would come back as updates."""
    pair = {"previous_color": "red", "new_color": "blue"}
    cells = row("admin_api_key_updated", admin_api_key_id="apikey_01A", **pair)
    assert "Changes" not in cells
    assert cells["Details"] == pair
    assert "updates" not in unfold(cells)


def test_a_principal_is_not_taken_for_a_subject_that_was_absent() -> None:
    """An AWS principal is ActorId where the subject is null, not where the API gave none."""
    actor = {"type": "federated_actor", "provider": {"type": "aws", "signed_principal": "arn:aws:iam::1:role/ops"}}
    assert row("claude_chat_viewed", actor={**actor, "subject": None})["ActorId"] == "arn:aws:iam::1:role/ops"
    absent = row("claude_chat_viewed", actor=actor)
    assert "ActorId" not in absent
    assert unfold(absent)["actor"] == actor
