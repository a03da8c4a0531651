"""Activity rates of administrators, teams and machines: each activity type with its rate and actor.

Rates are per 30 days in a tenant of 400 people. `Who` names the actor, resolved in administration.py:
people by responsibility, machines by kind.
"""

from typing import Final, Literal

Who = Literal[
    "admin",
    "membership",
    "billing",
    "security",
    "engineer",
    "member",
    "developer",
    "terraform",
    "cost_report",
    "service",
    "api",
    "scim",
    "anthropic",
    "system",
    "stranger",
    "aws",
    "device",
]

# During the actor's office hours.
BY_PEOPLE: Final[tuple[tuple[Who, float, tuple[str, ...]], ...]] = (
    ("admin", 60, ("org_users_listed", "org_user_viewed", "group_list_viewed", "group_member_list_viewed")),
    ("admin", 25, ("group_viewed", "org_invites_listed", "org_invite_viewed", "admin_connector_request_resolved")),
    ("admin", 8, ("group_created", "group_updated", "group_member_added", "group_member_removed")),
    ("admin", 8, ("rbac_role_updated", "rbac_role_permission_removed", "rbac_role_unassigned", "rbac_role_assigned")),
    (
        "admin",
        7,
        ("mcp_tool_policy_updated", "cli_plugin_exec_policy_updated", "plugin_installation_preference_updated"),
    ),
    ("admin", 7, ("desktop_extension_blocklisted", "desktop_extension_removed_from_allowlist")),
    ("admin", 7, ("mcp_server_updated", "mcp_server_managed_auth_updated", "org_model_default_updated")),
    (
        "admin",
        7,
        ("admin_setup_checklist_step_delegated", "organization_icon_updated", "claude_organization_settings_updated"),
    ),
    ("admin", 6, ("org_cowork_auto_mode_disabled", "org_cowork_browser_pane_disabled", "org_invite_link_disabled")),
    (
        "admin",
        6,
        ("claude_gdrive_integration_updated", "claude_github_integration_updated", "ghe_configuration_updated"),
    ),
    ("membership", 15, ("org_user_invite_sent", "org_user_invite_re_sent", "org_user_invite_deleted")),
    ("membership", 12, ("claude_user_seat_tier_updated", "org_join_request_approved", "org_join_request_dismissed")),
    ("membership", 8, ("role_assignment_granted", "role_assignment_revoked", "group_visibility_updated")),
    ("member", 15, ("org_user_invite_accepted", "org_join_request_created", "pending_share_created")),
    ("member", 10, ("claude_plugin_created", "claude_plugin_updated", "claude_skill_created", "claude_skill_deleted")),
    (
        "member",
        8,
        ("claude_project_sync_source_updated", "design_project_sharing_updated", "design_project_member_role_updated"),
    ),
    ("billing", 7, ("extra_usage_spend_limit_updated", "seat_tiers_purchased", "billing_emails_updated")),
    (
        "billing",
        5,
        ("prepaid_auto_recharge_updated", "payment_method_updated", "platform_spend_limit_alert_emails_updated"),
    ),
    ("security", 12, ("claude_code_security_scan_created", "claude_code_security_scan_run_updated")),
    ("security", 8, ("claude_code_security_scan_schedule_updated", "claude_code_security_scan_project_updated")),
    ("security", 8, ("inference_hooks_config_updated", "ccr_agent_proxy_network_events_listed")),
    ("security", 6, ("step_up_authentication_failed", "org_user_trusted_devices_revoked", "trusted_device_revoked")),
    ("engineer", 12, ("ccr_agent_updated", "ccr_agent_slack_binding_created", "ccr_agent_slack_access_scope_created")),
    (
        "engineer",
        10,
        ("ccr_agent_proxy_rule_updated", "ccr_agent_proxy_credential_rotated", "ccr_agent_proxy_profile_updated"),
    ),
    ("engineer", 10, ("claude_code_review_repository_updated", "claude_code_review_repository_added")),
    (
        "engineer",
        8,
        ("claude_code_team_memory_updated", "claude_code_team_onboarding_guide_updated", "ccr_slack_channel_joined"),
    ),
    (
        "engineer",
        8,
        ("claude_code_runner_pool_session_queue_updated", "claude_code_runner_deleted", "ccr_channel_manager_added"),
    ),
    ("engineer", 6, ("ccr_agent_proxy_provisioning_link_generated", "ccr_agent_proxy_provisioning_link_submitted")),
    (
        "engineer",
        6,
        ("ccr_agent_proxy_provisioning_link_enabled", "ghe_webhook_signature_invalid", "ccr_agent_created"),
    ),
    ("developer", 20, ("platform_api_key_created", "platform_api_key_updated", "platform_workspace_member_viewed")),
    ("developer", 30, ("platform_usage_report_messages_viewed", "platform_file_uploaded", "platform_agent_updated")),
    (
        "developer",
        12,
        ("platform_agent_created", "platform_agent_deployment_created", "platform_agent_deployment_updated"),
    ),
    ("developer", 10, ("platform_agent_deployment_run_triggered", "platform_agent_deployment_paused")),
    (
        "developer",
        8,
        ("platform_agent_deployment_unpaused", "platform_agent_archived", "platform_memory_store_created"),
    ),
    ("developer", 8, ("platform_skill_version_deleted", "platform_memory_version_redacted", "platform_dream_created")),
    (
        "developer",
        5,
        ("workspace_spend_limit_created", "workspace_member_spend_limit_created", "platform_oauth_app_updated"),
    ),
)

# At any hour: pipelines, directory, provider, unauthenticated users. `service` and `api` run mostly at night.
BY_MACHINES: Final[tuple[tuple[Who, float, tuple[str, ...]], ...]] = (
    ("terraform", 90, ("platform_workspace_members_listed",)),
    (
        "terraform",
        12,
        ("platform_workspace_updated", "platform_workspace_member_added", "platform_workspace_member_removed"),
    ),
    ("terraform", 8, ("platform_workspace_rate_limit_updated", "platform_workspace_member_updated")),
    (
        "terraform",
        6,
        ("platform_federation_rule_updated", "platform_service_account_updated", "org_external_key_validated"),
    ),
    ("cost_report", 60, ("platform_cost_report_viewed", "platform_usage_report_messages_viewed")),
    ("cost_report", 30, ("platform_usage_report_claude_code_viewed",)),
    ("service", 120, ("platform_file_uploaded", "platform_agent_session_created", "platform_agent_session_updated")),
    ("service", 60, ("platform_memory_created", "platform_memory_updated", "platform_agent_session_resource_added")),
    ("service", 40, ("platform_agent_session_archived", "platform_file_deleted", "platform_file_content_downloaded")),
    ("service", 12, ("platform_memory_deleted", "platform_agent_session_deleted", "tunnel_token_rotated")),
    ("api", 160, ("platform_file_uploaded", "platform_file_content_downloaded")),
    ("api", 60, ("platform_file_deleted", "platform_skill_version_content_downloaded")),
    ("api", 10, ("platform_skill_version_created", "extra_usage_spend_limit_increase_request_approved")),
    ("aws", 40, ("platform_file_uploaded", "platform_agent_session_created")),
    ("aws", 10, ("platform_workspace_member_viewed", "platform_file_deleted")),
    ("device", 90, ("platform_app_attest_authentication",)),
    ("scim", 30, ("scim_user_updated",)),
    ("scim", 12, ("group_member_added", "group_member_removed")),
    ("anthropic", 5, ("org_directory_resync_started", "org_directory_resync_completed", "extra_usage_credit_granted")),
    ("system", 90, ("claude_chat_deleted",)),
    ("system", 15, ("claude_skill_security_scan_completed", "claude_plugin_security_scan_completed")),
    ("system", 12, ("ccr_agent_proxy_anthropic_oidc_token_minted", "ccr_agent_proxy_anthropic_oidc_token_exchanged")),
    ("stranger", 25, ("magic_link_login_initiated", "magic_link_login_failed", "anonymous_mobile_login_attempted")),
    ("stranger", 20, ("claude_chat_snapshot_viewed", "abuse_decision_received")),
)

# Settings that an administrator may change without a security impact.
HARMLESS_SETTINGS: Final = (
    "name",
    "member_usage_dashboard_visible",
    "organization_banner_settings",
    "support_contact_mode",
    "inline_visualizations_enabled",
    "members_limit",
)
