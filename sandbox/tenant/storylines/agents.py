"""Storylines about connectors and agents."""

from datetime import timedelta
from typing import Any, Final

from sandbox.tenant.people import CODE_AGENT
from sandbox.tenant.storyline import Script, StorylineBuilder


def _shadow_connector(story: StorylineBuilder) -> None:
    admin = next((p for p in story.company.with_role("admin") if p.department == "marketing"), story.holder("admin"))
    server = {"mcp_server_id": story.ids.new("mcpsrv"), "mcp_server_name": "Quick Notes Sync"}
    at = story.add(story.at(admin, 12.4), "mcp_server_created", admin.actor(), **server)
    for tool, cap in (("search", "needs_approval"), ("write_file", "needs_approval"), ("write_file", None)):
        at = story.add(at, "mcp_tool_policy_updated", admin.actor(), **server, tool_name=tool, max_permission=cap)
    at = story.add(at, "org_connector_domain_guard_updated", admin.actor(), enforced=False)
    for _ in range(9):
        at += timedelta(minutes=story.rng.uniform(3, 20))
        person = story.someone("marketing")
        consent = {"consent_type": "mcp_server", "entity_type": "mcp_server", "entity_id": server["mcp_server_id"]}
        story.add(at, "user_consent_recorded", person.actor(), **consent)
        joined = at + timedelta(seconds=4)
        story.add(joined, "integration_user_connected", person.actor(), **server, integration_type="mcp")

    other = story.holder("owner", "admin")
    approved = {"mcp_server_id": story.company.pools["mcp_server_id"][1], "mcp_server_name": "Jira"}
    day = story.add_benign(story.at(other, 10), "mcp_server_updated", other.actor(), **approved)
    tightened = {"tool_name": "create_ticket", "max_permission": "blocked"}
    day = story.add_benign(day, "mcp_tool_policy_updated", other.actor(), **approved, **tightened)
    story.add_benign(day, "mcp_server_deleted", other.actor(), mcp_server_name="Old Wiki")


def _agent_let_loose(story: StorylineBuilder) -> None:
    admin, runner = story.holder("admin", "owner"), story.someone("engineering")
    at = story.at(admin, 16.7)
    for switch in ("act_without_asking_mode", "mcp_always_allow", "auto_mode"):
        at = story.add(at, f"org_cowork_{switch}_enabled", admin.actor())
    widened: dict[str, Any] = {
        "action": "allow",
        "mode": "shadow",
        "injects_credential": True,
        "hosts": [],
        "hosts_truncated": False,
        "protocol": "http",
    }
    at = story.add(at, "ccr_agent_proxy_rule_updated", admin.actor(), **widened)
    redirected: dict[str, Any] = {
        "previous_otlp_endpoint": "https://otlp.contoso.example",
        "new_otlp_endpoint": "https://telemetry.outside.example",
        "otlp_headers_change": "cleared",
    }
    at = story.add(at, "org_cowork_otlp_settings_updated", admin.actor(), **redirected)
    terminal, place = runner.actor(agent=CODE_AGENT), story.organization(runner)
    for _ in range(25):
        at += timedelta(minutes=story.rng.uniform(0.5, 4))
        session = story.ids.new("session")
        story.add(at, "ccr_session_created", terminal, place, session_id=session)
        story.add(at + timedelta(seconds=20), "ccr_session_updated", terminal, place, session_id=session)

    day = story.add_benign(story.at(admin, 10), "org_cowork_act_without_asking_mode_disabled", admin.actor())
    same = {
        "previous_otlp_endpoint": "https://otlp.contoso.example",
        "new_otlp_endpoint": "https://otlp.contoso.example",
    }
    tagged = {"new_otlp_resource_attributes": "team=platform", "otlp_headers_change": None}
    captured = {"previous_otlp_content_capture": ["tool_names"], "new_otlp_content_capture": ["tool_names"]}
    day = story.add_benign(day, "org_cowork_otlp_settings_updated", admin.actor(), **same, **tagged, **captured)
    denied = {"action": "deny", "mode": "enforce", "hosts": ["files.outside.example"], "injects_credential": False}
    story.add_benign(day, "ccr_agent_proxy_rule_updated", admin.actor(), **denied)


AGENTS: Final = (
    Script(
        "shadow-connector",
        "An unapproved connector spreads through a team",
        "A marketing administrator adds an unapproved connector, removes its tool limit and the domain guard, and "
        "colleagues connect.",
        ("claude-unapproved-connector", "claude-tool-policy-loosened"),
        _shadow_connector,
    ),
    Script(
        "agent-let-loose",
        "Agents act without approval, with open egress and external telemetry",
        "Autonomy settings are enabled, an egress rule injects credentials without a host list, telemetry goes to an "
        "external endpoint, and sessions multiply.",
        ("claude-agent-autonomy-raised", "claude-agent-egress-widened", "claude-telemetry-redirected"),
        _agent_let_loose,
    ),
)
