"""Ordinary usage: the relative frequency of each activity type, and benign values for its fields.

Benign means that no detection rule should fire: artifacts are shared internally, tokens are rejected, limits are
lowered. What a rule must detect is in the storylines.
"""

from collections.abc import Mapping
from typing import Any, Final

# Relative weight of each type per person and day; `*_viewed` leads because the apps load content in the background.
EVERYBODY: Final[Mapping[str, float]] = {
    "claude_chat_viewed": 30,
    "claude_chat_updated": 18,
    "claude_chat_created": 16,
    "claude_chat_deleted": 0.8,
    "claude_chat_settings_updated": 0.6,
    "claude_chat_snapshot_created": 0.3,
    "claude_chat_snapshot_viewed": 0.5,
    "claude_chat_snapshot_deleted": 0.05,
    "claude_chat_access_failed": 0.12,
    "claude_file_uploaded": 7,
    "claude_file_viewed": 6,
    "claude_file_deleted": 0.3,
    "claude_file_access_failed": 0.06,
    "claude_project_viewed": 6,
    "claude_project_created": 0.5,
    "claude_project_archived": 0.1,
    "claude_project_deleted": 0.05,
    "claude_project_sharing_updated": 0.15,
    "claude_project_document_uploaded": 1.2,
    "claude_project_document_viewed": 4,
    "claude_project_document_updated": 0.7,
    "claude_project_document_deleted": 0.15,
    "claude_project_file_uploaded": 0.9,
    "claude_project_file_deleted": 0.1,
    "claude_artifact_created": 2,
    "claude_artifact_viewed": 4,
    "claude_artifact_published": 0.12,
    "claude_artifact_sharing_updated": 0.2,
    "claude_artifact_commented": 0.4,
    "claude_artifact_comments_viewed": 0.6,
    "claude_artifact_duplicated": 0.08,
    "claude_artifact_access_failed": 0.05,
    "claude_published_artifact_deleted": 0.03,
    "claude_skill_enabled": 0.2,
    "claude_skill_disabled": 0.08,
    "claude_skill_downloaded": 0.1,
    "claude_plugin_enabled": 0.12,
    "claude_plugin_disabled": 0.05,
    "claude_user_settings_updated": 0.4,
    "integration_user_connected": 0.35,
    "integration_user_disconnected": 0.08,
    "user_consent_recorded": 0.3,
    "user_consent_revoked": 0.03,
    "mcp_server_managed_auth_token_exchanged": 1.5,
    "cowork_session_updated": 1.6,
    "session_share_accessed": 0.2,
    "session_share_created": 0.08,
    "session_share_revoked": 0.03,
    "session_revoked": 0.05,
    "trusted_device_enrolled": 0.06,
    "step_up_authentication_succeeded": 0.08,
    "admin_request_created": 0.05,
    "end_user_invite_requested": 0.03,
    "inference_hooks_request_denied": 0.04,
    "claude_command_created": 0.06,
}
# Additional weight by department.
BY_DEPARTMENT: Final[Mapping[str, Mapping[str, float]]] = {
    "engineering": {
        "ccr_session_created": 4,
        "ccr_session_updated": 7,
        "ccr_session_deleted": 0.3,
        "claude_code_user_memory_updated": 0.8,
        "claude_code_user_settings_updated": 0.5,
        "claude_code_user_plugins_updated": 0.2,
        "claude_code_user_marketplaces_updated": 0.1,
        "ghe_user_connected": 0.08,
        "ghe_user_disconnected": 0.02,
        "github_token_import": 0.05,
        "claude_plugin_downloaded": 0.4,
        "claude_command_replaced": 0.05,
        "claude_code_security_vulnerability_updated": 0.15,
        "claude_code_security_vulnerability_fix_session_created": 0.12,
    },
    "research": {
        "ccr_session_created": 2,
        "ccr_session_updated": 3,
        "claude_code_user_memory_updated": 0.4,
        "claude_artifact_created": 2,
        "claude_project_document_uploaded": 2,
    },
    "marketing": {
        "design_project_created": 0.8,
        "design_project_updated": 2,
        "design_project_published": 0.2,
        "design_project_member_added": 0.2,
        "design_project_version_restored": 0.1,
        "design_project_deleted": 0.05,
    },
    "legal": {"claude_project_document_viewed": 6, "claude_file_uploaded": 5, "claude_project_viewed": 4},
    "hr": {"claude_file_uploaded": 2, "claude_skill_created": 0.1},
    "finance": {"claude_file_uploaded": 4, "claude_file_viewed": 3},
    "sales": {"claude_chat_created": 6, "cowork_session_updated": 2},
}
# Types with the terminal's user agent instead of the browser's.
FROM_THE_TERMINAL: Final = ("ccr_session_", "claude_code_user_")

BENIGN: Final[Mapping[str, Mapping[str, Any]]] = {
    "claude_artifact_sharing_updated": {"audience": [{"type": "organization"}], "new_mode": "organization"},
    "claude_artifact_published": {"is_redeploy": True},
    "design_project_sharing_updated": {"previous_scope": "organization", "new_scope": "private"},
    "claude_project_sharing_updated": {"audience": [{"type": "organization"}]},
    "github_token_import": {"result": "rejected_missing_repo_scope", "granted_scopes": None},
    "mcp_server_managed_auth_token_exchanged": {"outcome": "success", "error_type": None, "error_subtype": None},
    "mcp_server_managed_auth_updated": {
        "managed_auth_enabled": True,
        "previous_managed_auth_enabled": True,
        "individual_auth_enabled": False,
        "previous_individual_auth_enabled": False,
    },
    "mcp_tool_policy_updated": {"max_permission": "blocked"},
    "cli_plugin_exec_policy_updated": {"max_permission": "blocked", "previous_max_permission": "needs_approval"},
    "org_connector_domain_guard_updated": {"enforced": True},
    "org_sso_seat_tier_assignment_toggled": {"enabled": False, "previous_enabled": True},
    "org_user_invite_sent": {"invited_role": "user", "invited_rbac_group_ids": None},
    "org_external_key_validated": {"validation_result": "success"},
    "inference_hooks_config_updated": {
        "enabled": True,
        "shadow_mode": False,
        "fail_mode": "fail_closed",
        "rollout_percentage": 100,
        "reset_circuit_breaker": False,
    },
    "service_key_created": {"is_service_created": True},
    "role_assignment_granted": {"role": "viewer", "resource_type": "project"},
    "role_assignment_revoked": {"role": "viewer", "resource_type": "project"},
    "rbac_role_assigned": {"principal_type": "group"},
    "rbac_role_grant_updated": {"action": "removed"},
    "ccr_agent_proxy_rule_updated": {"action": "deny", "mode": "enforce", "injects_credential": False},
    "ccr_agent_proxy_rule_deleted": {"deleted_with_profile": True},
    "ccr_agent_proxy_credential_created": {"host_constraint": ["api.contoso.example"]},
    "ccr_agent_proxy_credential_updated": {"host_constraint": ["api.contoso.example"]},
    "platform_service_account_updated": {
        "updates": [
            {"type": "description", "previous_value": "reads tickets", "current_value": "reads and tags tickets"}
        ]
    },
    "platform_federation_rule_updated": {
        "updates": [{"type": "name", "previous_value": "ci", "current_value": "ci-main"}]
    },
    "platform_federation_issuer_updated": {
        "updates": [{"type": "name", "previous_value": "ci", "current_value": "ci-eu"}]
    },
    "platform_workspace_updated": {
        "updates": [{"type": "display_color", "previous_value": "#1f6feb", "current_value": "#2da44e"}]
    },
    "platform_workspace_member_updated": {
        "updates": [
            {"type": "workspace_role", "previous_value": "workspace_user", "current_value": "workspace_developer"}
        ]
    },
    "platform_oauth_app_updated": {
        "updates": [{"type": "name", "previous_value": "portal", "current_value": "partner portal"}]
    },
    "platform_api_key_updated": {"updates": [{"type": "name", "previous_value": "ci", "current_value": "ci-old"}]},
    "admin_api_key_updated": {"updates": [{"type": "name", "previous_value": "infra", "current_value": "terraform"}]},
    "scoped_api_key_updated": {
        "updates": [{"type": "activation_state", "previous_value": "active", "current_value": "inactive"}]
    },
    "claude_user_seat_tier_updated": {"previous_seat_tier": "standard", "current_seat_tier": "premium"},
    "plugin_installation_preference_updated": {"installation_preference": "available"},
    "org_work_across_apps_enabled": {"current_value": True, "previous_value": True},
    "org_cowork_otlp_settings_updated": {
        "new_otlp_endpoint": "https://otlp.contoso.example",
        "previous_otlp_endpoint": "https://otlp.contoso.example",
        "new_otlp_content_capture": ["tool_names"],
        "previous_otlp_content_capture": ["tool_names"],
        "otlp_headers_change": None,
    },
    "org_join_proposal_decided": {"approved": False},
    "platform_spend_limit_updated": {"ignore": False},
    "claude_code_team_memory_updated": {"deleted_all": False},
    "claude_code_user_memory_updated": {"deleted_all": False, "keys_deleted": [], "keys_deleted_count": 0},
}
