"""Storylines about weakened controls: logging, retention, prompt inspection."""

from datetime import timedelta
from typing import Any, Final

from sandbox.tenant.recorder import Blind
from sandbox.tenant.storyline import Script, StorylineBuilder

_HOOK: Final[dict[str, Any]] = {
    "enabled": True,
    "enforcement_mode": "enforce",
    "fail_mode": "fail_closed",
    "shadow_mode": False,
    "rollout_percentage": 100,
    "webhook_url": "https://inspect.contoso.example/verdict",
    "reset_circuit_breaker": False,
}


def _audit_blinded(story: StorylineBuilder) -> None:
    place = story.company.claude[1]
    owner = next((p for p in story.company.with_role("owner") if p.organization_id == place.id), story.holder("owner"))
    evening = owner.actor(address=owner.home)
    at = story.add(story.at(owner, 20.1), "org_members_exported", evening, place)
    off = at + timedelta(minutes=6)
    flags = {"compliance_api_enabled": True, "compliance_api_logging_enabled": False}
    story.add(off, "org_compliance_api_settings_updated", evening, place, **flags)
    on = off + timedelta(minutes=95)
    flags = {"compliance_api_enabled": True, "compliance_api_logging_enabled": True}
    at = story.add(on, "org_compliance_api_settings_updated", evening, place, **flags)
    story.add(at, "admin_api_key_created", evening, story.company.console[1], scopes=["org:admin"])
    # The start is a second later because the times of activities have a random fraction.
    story.blind.append(Blind(place.id, off + timedelta(seconds=1), on))

    other = story.holder("owner", "primary_owner")
    flags = {"compliance_api_enabled": True, "compliance_api_logging_enabled": True}
    story.add_benign(story.at(other, 11), "org_compliance_api_settings_updated", other.actor(), **flags)


def _retention_loosened(story: StorylineBuilder) -> None:
    admin = story.holder("owner", "admin")
    inside = admin.actor(address=admin.home)
    periods = [
        [{"data_type": "chats", "type": "fixed", "duration": 90, "timescale": "day"}],
        [{"data_type": "chats", "type": "indefinite"}],
    ]
    kept = {"type": "data_retention_periods", "previous_value": periods[0], "current_value": periods[1]}
    at = story.add(story.at(admin, 22.3), "claude_organization_settings_updated", inside, updates=[kept])
    geo = {"type": "allowed_inference_geos", "previous_value": "eu", "current_value": "eu,us"}
    at = story.add(at, "org_data_residency_updated", inside, updates=[geo])
    at = story.add(at, "org_claude_code_data_sharing_enabled", inside, previous_value=False, current_value=True)
    egress = {"type": "code_execution_network_egress_enabled", "previous_value": False, "current_value": True}
    story.add(at, "claude_organization_settings_updated", inside, updates=[egress])

    other = story.holder("admin")
    name = {"type": "name", "previous_value": "Contoso", "current_value": "Contoso AI"}
    story.add_benign(story.at(other, 14), "claude_organization_settings_updated", other.actor(), updates=[name])
    off = {"previous_value": True, "current_value": False}
    story.add_benign(story.at(other, 14.1), "org_claude_code_data_sharing_disabled", other.actor(), **off)


def _hook_switched_off(story: StorylineBuilder) -> None:
    admin, denied = story.holder("admin", "owner"), story.someone("finance")
    at = story.at(denied, 13)
    for number in range(7):
        case = {"reference_id": f"dlp:case-{2000 + number}", "event": "prompt", "surface": "web"}
        story.add(at, "inference_hooks_request_denied", denied.actor(), story.organization(denied), **case)
        at += timedelta(minutes=story.rng.uniform(2, 7))
    at = story.add(at, "inference_hooks_config_updated", admin.actor(), **_HOOK | {"fail_mode": "fail_open"})
    tripped = {"fail_mode": "fail_open", "trigger_reason": "endpoint_timeout"}
    at = story.add(at + timedelta(minutes=12), "inference_hooks_circuit_breaker_tripped", admin.actor(), **tripped)
    for _ in range(60):
        person = story.rng.choice(story.staff)
        fields = {"reason": "endpoint_timeout", "surface": "web"}
        story.add(at, "inference_hooks_request_failed_open", person.actor(), story.organization(person), **fields)
        at += timedelta(seconds=story.rng.uniform(2, 9))
    at = story.add(at, "inference_hooks_config_updated", admin.actor(), **_HOOK | {"enabled": False})
    at += timedelta(hours=2)
    story.add(at, "inference_hooks_config_updated", admin.actor(), **_HOOK | {"reset_circuit_breaker": True})

    message = {"deny_message": "Please remove account numbers.", "deny_message_enabled": True}
    story.add_benign(at + timedelta(hours=1), "inference_hooks_config_updated", admin.actor(), **_HOOK | message)
    person = story.rng.choice(story.staff)
    for minutes in (5, 35):
        moment = at + timedelta(minutes=minutes)
        story.add_benign(moment, "inference_hooks_request_failed_open", person.actor(), reason="endpoint_error")


CONTROLS: Final = (
    Script(
        "audit-blinded",
        "Compliance logging off for an hour and a half",
        "An owner exports the member list and turns off compliance logging of one organization for 95 minutes; "
        "activity in between is not in the feed. A new Admin API key follows.",
        (
            "claude-audit-switched-off",
            "claude-audit-blind-window",
            "claude-member-or-audit-export",
            "claude-admin-key-created",
        ),
        _audit_blinded,
    ),
    Script(
        "retention-loosened",
        "Retention, residency and data use loosened in one evening",
        "An administrator sets chat retention to indefinite, allows another inference region, shares Claude Code data "
        "and opens network egress.",
        ("claude-retention-or-residency-loosened", "claude-risky-setting-loosened"),
        _retention_loosened,
    ),
    Script(
        "hook-switched-off",
        "Prompt inspection fails open and is switched off",
        "After it repeatedly blocks one person, the inspection hook is set to fail open, its circuit breaker trips, "
        "prompts pass uninspected, and it stays off for two hours.",
        ("claude-inference-hook-weakened", "claude-inference-hook-failing-open", "claude-hook-denials-one-person"),
        _hook_switched_off,
    ),
)
