"""Each storyline has the activities that its rules detect, and ordinary days do not."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from sandbox.tenant import Storyline, Tenant, build_tenant, locate
from sandbox.tenant.storylines import SCRIPTS

START = datetime(2026, 9, 7, tzinfo=UTC)
Activity = dict[str, Any]


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    return build_tenant(start=START, end=START + timedelta(days=30), people=120)


@pytest.fixture(scope="module")
def feed(tenant: Tenant) -> dict[str, Activity]:
    return {entry.id: msgspec.json.decode(entry.body) for entry in tenant.entries}


def storyline(tenant: Tenant, name: str) -> Storyline:
    return next(each for each in tenant.storylines if each.name == name)


def told(tenant: Tenant, feed: dict[str, Activity], name: str) -> list[Activity]:
    """The storyline's activities in order."""
    return [feed[id] for id in storyline(tenant, name).activity_ids]


def of(activities: list[Activity], *types: str) -> list[Activity]:
    return [activity for activity in activities if activity["type"] in types]


PROMISED: dict[str, dict[str, int]] = {
    "sso-switched-off": {"org_sso_toggled": 2, "magic_link_login_succeeded": 1, "claude_chat_viewed": 14},
    "password-spray": {"sso_login_failed": 45, "sso_login_succeeded": 1},
    "impossible-travel": {"sso_login_succeeded": 1, "claude_chat_created": 2, "claude_chat_viewed": 28},
    "organization-export": {
        "org_data_export_started": 1,
        "org_data_export_completed": 1,
        "org_data_export_accessed": 2,
    },
    "public-artifact": {"claude_artifact_sharing_updated": 1, "claude_artifact_viewed": 28},
    "probing-for-chats": {"claude_chat_access_failed": 46},
    "provider-access": {"anthropic_access": 3, "cmek_preserve": 1},
    "leaver-moves-data": {
        "claude_file_exported": 14,
        "claude_chat_snapshot_created": 12,
        "claude_chat_deleted": 42,
        "scim_user_deleted": 1,
    },
    "audit-blinded": {"org_compliance_api_settings_updated": 2, "admin_api_key_created": 1},
    "retention-loosened": {"claude_organization_settings_updated": 2, "org_data_residency_updated": 1},
    "hook-switched-off": {
        "inference_hooks_config_updated": 3,
        "inference_hooks_circuit_breaker_tripped": 1,
        "inference_hooks_request_failed_open": 60,
        "inference_hooks_request_denied": 7,
    },
    "compliance-key-abuse": {"api_key_created": 1, "compliance_api_accessed": 98, "scoped_api_key_deleted": 1},
    "privilege-climb": {"rbac_role_assigned": 1, "claude_user_role_updated": 1, "role_assignment_granted": 1},
    "members-removed": {"org_user_deleted": 26},
    "federation-trust-widened": {"platform_federation_rule_updated": 1, "platform_federated_authentication": 9},
    "shadow-connector": {"mcp_server_created": 1, "mcp_tool_policy_updated": 3, "integration_user_connected": 9},
    "agent-let-loose": {
        "org_cowork_act_without_asking_mode_enabled": 1,
        "ccr_agent_proxy_rule_updated": 1,
        "org_cowork_otlp_settings_updated": 1,
        "ccr_session_created": 25,
    },
}


def test_every_script_is_told_and_promised_here(tenant: Tenant) -> None:
    """A month contains every script, each has expectations in this file, and names are slugs."""
    assert {each.name for each in tenant.storylines} == {script.name for script in SCRIPTS} == set(PROMISED)
    assert all(rule.startswith("claude-") for each in tenant.storylines for rule in each.rules)


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_storyline_keeps_its_promise(tenant: Tenant, feed: dict[str, Activity], name: str) -> None:
    """Its activities are all in the feed, between its start and end, with the expected types."""
    story = storyline(tenant, name)
    counts = Counter(activity["type"] for activity in told(tenant, feed, name))
    for type, least in PROMISED[name].items():
        assert counts[type] >= least, type
    times = {entry.id: entry.created_at for entry in tenant.entries if entry.id in set(story.activity_ids)}
    second = timedelta(seconds=1)  # a time without fraction is cut
    assert all(story.started - second <= at <= story.ended for at in times.values())
    assert len(times) == len(story.activity_ids)


def test_storylines_are_spread_over_the_month(tenant: Tenant) -> None:
    """They begin on at least ten different days and come in order."""
    starts = [each.started for each in tenant.storylines]
    assert starts == sorted(starts)
    assert len({start.date() for start in starts}) >= 10


def test_too_short_a_time_leaves_storylines_out() -> None:
    """In one day only complete storylines are listed, and their activities are in the feed."""
    short = build_tenant(start=START, end=START + timedelta(days=1), people=30)
    assert 0 < len(short.storylines) < len(SCRIPTS)
    ids = {entry.id for entry in short.entries}
    assert all(ids.issuperset(each.activity_ids) for each in short.storylines)


ALARMS: dict[str, Callable[[Activity], bool]] = {
    "SSO off": lambda a: a["type"] == "org_sso_toggled" and a["enabled"] is False,
    "second factor off": lambda a: a["type"] == "org_magic_link_second_factor_toggled" and a["enabled"] is False,
    "audit off": lambda a: (
        a["type"] == "org_compliance_api_settings_updated" and a["compliance_api_logging_enabled"] is False
    ),
    "open to anyone": lambda a: (
        a["type"] == "claude_artifact_sharing_updated" and {"type": "anyone_with_link"} in a["audience"]
    ),
    "delete scope": lambda a: a["type"] == "api_key_created" and "delete:compliance_user_data" in a["scopes"],
    "deleted by API": lambda a: (
        a["type"] == "compliance_api_accessed" and a["request_method"] == "DELETE" and a["status_code"] < 300
    ),
    "made owner": lambda a: a["type"] == "claude_user_role_updated" and a["current_role"] == "owner",
    "granted to oneself": lambda a: (
        a["type"] == "rbac_role_assigned" and a["principal_id"] == a["actor"].get("user_id")
    ),
    "hook weakened": lambda a: (
        a["type"] == "inference_hooks_config_updated" and (not a["enabled"] or a["fail_mode"] == "fail_open")
    ),
    "retention": lambda a: (
        a["type"] == "claude_organization_settings_updated"
        and any(update["type"] == "data_retention_periods" for update in a["updates"])
    ),
    "tool limit cleared": lambda a: a["type"] == "mcp_tool_policy_updated" and a["max_permission"] is None,
    "domain guard off": lambda a: a["type"] == "org_connector_domain_guard_updated" and not a["enforced"],
    "any subject": lambda a: (
        a["type"] == "platform_federation_rule_updated"
        and any(u["type"] == "match_subject_prefix" and u["current_value"] == "" for u in a["updates"])
    ),
    "egress with credential": lambda a: (
        a["type"] == "ccr_agent_proxy_rule_updated" and a["injects_credential"] and not a["hosts"]
    ),
    "telemetry elsewhere": lambda a: (
        a["type"] == "org_cowork_otlp_settings_updated" and a["new_otlp_endpoint"] != a["previous_otlp_endpoint"]
    ),
    "export": lambda a: a["type"] == "org_data_export_started",
    "connector": lambda a: a["type"] == "mcp_server_created",
    "provider access": lambda a: a["type"] == "anthropic_access",
}


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_alarming_values_come_from_storylines_only(tenant: Tenant, feed: dict[str, Activity], alarm: str) -> None:
    """What a rule looks for is in a storyline at least once, and never in ordinary days or look-alikes."""
    in_stories = {id for each in tenant.storylines for id in each.activity_ids}
    found = {id for id, activity in feed.items() if ALARMS[alarm](activity)}
    assert found
    assert found <= in_stories


@pytest.mark.parametrize(
    ("type", "ordinary"),
    [
        ("org_sso_toggled", lambda a: a["enabled"]),
        ("org_compliance_api_settings_updated", lambda a: a["compliance_api_logging_enabled"]),
        ("claude_artifact_sharing_updated", lambda a: a["audience"] == [{"type": "organization"}]),
        ("api_key_created", lambda a: not any("compliance" in scope for scope in a["scopes"])),
        ("mcp_tool_policy_updated", lambda a: a["max_permission"] == "blocked"),
        ("claude_user_role_updated", lambda a: a["previous_role"] == "admin" and a["current_role"] == "user"),
        ("inference_hooks_config_updated", lambda a: a["enabled"] and a["fail_mode"] == "fail_closed"),
    ],
)
def test_look_alikes_live_beside(
    tenant: Tenant, feed: dict[str, Activity], type: str, ordinary: Callable[[Activity], bool]
) -> None:
    """Outside the storylines the same types occur with values on which no rule fires."""
    in_stories = {id for each in tenant.storylines for id in each.activity_ids}
    assert any(a["type"] == type and ordinary(a) for id, a in feed.items() if id not in in_stories)


def test_spray_is_wide_and_quick(tenant: Tenant, feed: dict[str, Activity]) -> None:
    """One address fails for at least ten accounts in half an hour; six failures of the last one precede its success."""
    activities = told(tenant, feed, "password-spray")
    failed = of(activities, "sso_login_failed")
    (success,) = of(activities, "sso_login_succeeded")
    claimed = Counter(activity["actor"]["unauthenticated_email_address"] for activity in failed)
    story = storyline(tenant, "password-spray")
    assert len(claimed) >= 30
    assert len({activity["actor"]["ip_address"] for activity in failed}) == 1
    assert claimed[success["actor"]["email_address"]] == 6
    assert story.ended - story.started < timedelta(minutes=60)


def test_travel_spans_three_countries_in_four_hours(tenant: Tenant, feed: dict[str, Activity]) -> None:
    """One person, three countries and more than one agent, within four hours."""
    activities = told(tenant, feed, "impossible-travel")
    places = [locate(activity["actor"]["ip_address"]) for activity in activities]
    assert len({place.country for place in places if place}) == 3
    assert len({activity["actor"]["user_agent"] for activity in activities}) == 3
    story = storyline(tenant, "impossible-travel")
    assert story.ended - story.started < timedelta(hours=4)
    assert len(story.actor_ids) == 1


def test_leaver_reads_more_than_a_hundred_things_in_an_hour(tenant: Tenant, feed: dict[str, Activity]) -> None:
    """Mass reading, share links and deletions each pass the thresholds of their rules before the directory removes."""
    story = storyline(tenant, "leaver-moves-data")
    activities = told(tenant, feed, "leaver-moves-data")
    times = {entry.id: entry.created_at for entry in tenant.entries}
    views = [id for id in story.activity_ids if feed[id]["type"].endswith("_viewed")]
    assert len(views) > 150
    assert times[views[-1]] - times[views[0]] < timedelta(hours=1)
    deleted = {activity["claude_chat_id"] for activity in of(activities, "claude_chat_deleted")}
    assert len(deleted) >= 25
    (removal,) = of(activities, "scim_user_deleted")
    assert removal["user_id"] == activities[0]["actor"]["user_id"]
    assert "user_email" not in removal


def test_nothing_is_recorded_while_logging_is_off(tenant: Tenant, feed: dict[str, Activity]) -> None:
    """Between off and on the blinded organization has no activity at all."""
    story = storyline(tenant, "audit-blinded")
    off, on = (id for id in story.activity_ids if feed[id]["type"] == "org_compliance_api_settings_updated")
    times = {entry.id: entry.created_at for entry in tenant.entries}
    between = [
        entry
        for entry in tenant.entries
        if entry.organization_id == feed[off]["organization_id"]
        and times[off] + timedelta(seconds=2) < entry.created_at < times[on] - timedelta(seconds=1)
    ]
    assert times[on] - times[off] > timedelta(minutes=90)
    assert between == []


def test_abused_key_comes_from_elsewhere(tenant: Tenant, feed: dict[str, Activity]) -> None:
    """The new key is used only from an address its creator never used, and not before its creation."""
    activities = told(tenant, feed, "compliance-key-abuse")
    (made,) = of(activities, "api_key_created")
    uses = [a for a in feed.values() if a["actor"].get("api_key_id") == made["api_key_id"]]
    assert len(uses) == 98
    assert {a["type"] for a in uses} == {"compliance_api_accessed"}
    maker = made["actor"]["user_id"]
    own = {a["actor"]["ip_address"] for a in feed.values() if a["actor"].get("user_id") == maker}
    assert own.isdisjoint(a["actor"]["ip_address"] for a in uses)
