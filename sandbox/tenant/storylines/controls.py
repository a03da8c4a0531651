"""Storylines about controls weakened: logging, retention, prompt inspection."""

from datetime import timedelta
from typing import Any, Final

from sandbox.tenant.feed import Blind
from sandbox.tenant.scene import Scene, Script

_HOOK: Final[dict[str, Any]] = {
    "enabled": True,
    "enforcement_mode": "enforce",
    "fail_mode": "fail_closed",
    "shadow_mode": False,
    "rollout_percentage": 100,
    "webhook_url": "https://inspect.contoso.example/verdict",
    "reset_circuit_breaker": False,
}


def _audit_blinded(scene: Scene) -> None:
    place = scene.company.claude[1]
    owner = next((p for p in scene.company.with_role("owner") if p.organization_id == place.id), scene.holder("owner"))
    evening = owner.actor(address=owner.home)
    at = scene.act(scene.at(owner, 20.1), "org_members_exported", evening, place)
    off = at + timedelta(minutes=6)
    flags = {"compliance_api_enabled": True, "compliance_api_logging_enabled": False}
    scene.act(off, "org_compliance_api_settings_updated", evening, place, **flags)
    on = off + timedelta(minutes=95)
    flags = {"compliance_api_enabled": True, "compliance_api_logging_enabled": True}
    at = scene.act(on, "org_compliance_api_settings_updated", evening, place, **flags)
    scene.act(at, "admin_api_key_created", evening, scene.company.console[1], scopes=["org:admin"])
    # A second on each side, because the acts themselves carry a fraction of their own.
    scene.blind.append(Blind(place.id, off + timedelta(seconds=1), on))

    other = scene.holder("owner", "primary_owner")
    flags = {"compliance_api_enabled": True, "compliance_api_logging_enabled": True}
    scene.beside(scene.at(other, 11), "org_compliance_api_settings_updated", other.actor(), **flags)


def _retention_loosened(scene: Scene) -> None:
    admin = scene.holder("owner", "admin")
    inside = admin.actor(address=admin.home)
    periods = [
        [{"data_type": "chats", "type": "fixed", "duration": 90, "timescale": "day"}],
        [{"data_type": "chats", "type": "indefinite"}],
    ]
    kept = {"type": "data_retention_periods", "previous_value": periods[0], "current_value": periods[1]}
    at = scene.act(scene.at(admin, 22.3), "claude_organization_settings_updated", inside, updates=[kept])
    geo = {"type": "allowed_inference_geos", "previous_value": "eu", "current_value": "eu,us"}
    at = scene.act(at, "org_data_residency_updated", inside, updates=[geo])
    at = scene.act(at, "org_claude_code_data_sharing_enabled", inside, previous_value=False, current_value=True)
    egress = {"type": "code_execution_network_egress_enabled", "previous_value": False, "current_value": True}
    scene.act(at, "claude_organization_settings_updated", inside, updates=[egress])

    other = scene.holder("admin")
    name = {"type": "name", "previous_value": "Contoso", "current_value": "Contoso AI"}
    scene.beside(scene.at(other, 14), "claude_organization_settings_updated", other.actor(), updates=[name])
    off = {"previous_value": True, "current_value": False}
    scene.beside(scene.at(other, 14.1), "org_claude_code_data_sharing_disabled", other.actor(), **off)


def _hook_switched_off(scene: Scene) -> None:
    admin, denied = scene.holder("admin", "owner"), scene.someone("finance")
    at = scene.at(denied, 13)
    for number in range(7):
        case = {"reference_id": f"dlp:case-{2000 + number}", "event": "prompt", "surface": "web"}
        scene.act(at, "inference_hooks_request_denied", denied.actor(), scene.organization(denied), **case)
        at += timedelta(minutes=scene.rng.uniform(2, 7))
    at = scene.act(at, "inference_hooks_config_updated", admin.actor(), **_HOOK | {"fail_mode": "fail_open"})
    tripped = {"fail_mode": "fail_open", "trigger_reason": "endpoint_timeout"}
    at = scene.act(at + timedelta(minutes=12), "inference_hooks_circuit_breaker_tripped", admin.actor(), **tripped)
    for _ in range(60):
        person = scene.rng.choice(scene.staff)
        fields = {"reason": "endpoint_timeout", "surface": "web"}
        scene.act(at, "inference_hooks_request_failed_open", person.actor(), scene.organization(person), **fields)
        at += timedelta(seconds=scene.rng.uniform(2, 9))
    at = scene.act(at, "inference_hooks_config_updated", admin.actor(), **_HOOK | {"enabled": False})
    at += timedelta(hours=2)
    scene.act(at, "inference_hooks_config_updated", admin.actor(), **_HOOK | {"reset_circuit_breaker": True})

    message = {"deny_message": "Please remove account numbers.", "deny_message_enabled": True}
    scene.beside(at + timedelta(hours=1), "inference_hooks_config_updated", admin.actor(), **_HOOK | message)
    person = scene.rng.choice(scene.staff)
    for minutes in (5, 35):
        moment = at + timedelta(minutes=minutes)
        scene.beside(moment, "inference_hooks_request_failed_open", person.actor(), reason="endpoint_error")


CONTROLS: Final = (
    Script(
        "audit-blinded",
        "Compliance logging off for an hour and a half",
        "An owner exports the member list, switches compliance logging of one organisation off, and on again 95 "
        "minutes later; what happened between is not in the feed. A new Admin API key follows.",
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
        "An administrator makes chats stay for ever, allows a further inference region, shares Claude Code data and "
        "opens network egress.",
        ("claude-retention-or-residency-loosened", "claude-risky-setting-loosened"),
        _retention_loosened,
    ),
    Script(
        "hook-switched-off",
        "Prompt inspection fails open and is switched off",
        "After blocking one person repeatedly the inspection hook is set to fail open, its breaker trips, prompts "
        "pass uninspected, and it stays off for two hours.",
        ("claude-inference-hook-weakened", "claude-inference-hook-failing-open", "claude-hook-denials-one-person"),
        _hook_switched_off,
    ),
)
