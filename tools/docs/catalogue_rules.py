"""The decisions in the catalogue: which operation, result, object and change a type stands for.

Read `OPERATIONS` and `SUFFIXES` as a SOC lead would: SUFFIXES first (longest match wins), OPERATIONS where the name
alone would mislead. Three choices to know: archiving is Disable (out of use, not gone); adding a member is Grant,
removing one Revoke; a download somebody asked for is Export, one the app makes for itself is Read.
"""

from typing import Any

# The longest matching suffix decides; also used at run time for types that are not in the catalogue.
_BY_OPERATION = {
    "SignIn": (
        "_login_succeeded _login_failed _login_initiated _login_attempted _logged_in _authentication "
        "_authentication_succeeded _authentication_failed _launch_initiated _launch_success _second_factor_magic_link"
    ),
    "SignOut": "_logged_out",
    "Create": (
        "_created _generated _minted _added _enrolled _duplicated _add_initiated _claim_initiated _claimed _import"
    ),
    "Read": "_viewed _accessed _access_failed _revealed _read _search_performed",
    "List": "_listed _list_viewed",
    "Update": "_updated _changed _replaced _configured _edited _transferred _verified _linked _migrated _set",
    "Delete": "_deleted _removed _deletion_failed _deletion_requested _delete_initiated _unlinked _cleared _purged",
    "Grant": "_granted _assigned _member_added _manager_added _member_addition_failed _access_restored _bound",
    "Revoke": "_revoked _unassigned _member_removed _manager_removed _member_removal_failed _user_left _unbound",
    "Enable": "_enabled _activated _unarchived _unpaused _unblocked _resumed _connected _provisioned",
    "Disable": "_disabled _deactivated _archived _paused _blocklisted _disconnected _suspended",
    "Share": "_shared _published _share_created",
    "Unshare": "_unshared _unpublished _shares_revoked _share_revoked",
    "Export": "_exported _export_started _export_completed _export_accessed _downloaded",
    "Upload": "_uploaded",
    "Rotate": "_rotated _regenerated",
    "Invite": "_invite_sent _invite_re_sent _invite_created _invite_requested",
    "Approve": "_approved _accepted",
    "Deny": "_denied _rejected _dismissed _blocked",
    "Run": "_started _completed _cancelled _triggered _exchanged _validated _resync_failed _executed _run",
}
SUFFIXES = sorted(
    ([suffix, operation] for operation, suffixes in _BY_OPERATION.items() for suffix in suffixes.split()),
    key=lambda pair: (-len(pair[0]), pair[0]),
)

# Types with misleading names.
OPERATIONS = {
    "abuse_decision_received": "Other",
    "admin_connector_request_resolved": "Approve",
    "admin_setup_checklist_step_delegated": "Update",
    "admin_setup_checklist_step_delegation_cancelled": "Update",
    "age_verified": "Other",
    "ccr_agent_proxy_provisioning_credential_rejected": "Deny",
    "ccr_agent_proxy_provisioning_link_submitted": "Create",
    "ccr_agent_slack_access_scope_created": "Grant",
    "ccr_agent_slack_access_scope_deleted": "Revoke",
    "ccr_role_channel_assignment_deleted": "Revoke",
    "ccr_slack_channel_joined": "Create",
    "claude_artifact_commented": "Other",
    "claude_artifact_external_sharing_permission_updated": "Update",
    "claude_artifact_invite_accepted": "Approve",
    "claude_artifact_invite_created": "Share",
    "claude_artifact_invite_revoked": "Unshare",
    "claude_artifact_sharing_updated": "Share",
    "claude_chat_snapshot_created": "Share",
    "claude_chat_snapshot_deleted": "Unshare",
    "claude_code_runner_pool_session_queue_updated": "Update",
    "claude_code_security_scan_cancelled": "Run",
    "claude_code_security_scan_created": "Run",
    "claude_code_security_scan_project_visibility_updated": "Share",
    "claude_code_team_memory_acl_updated": "Grant",
    "claude_plugin_downloaded": "Read",
    "claude_project_document_bulk_deletion_audit_truncated": "Delete",
    "claude_project_file_bulk_deletion_audit_truncated": "Delete",
    "claude_project_reported": "Other",
    "claude_project_sharing_updated": "Share",
    "claude_code_security_webhook_secret_updated": "Rotate",
    "cmek_preserve": "Read",
    "anthropic_access": "Read",
    "design_project_sharing_updated": "Share",
    "design_project_version_restored": "Update",
    "desktop_extension_allowlisted": "Enable",
    "desktop_extension_removed_from_allowlist": "Disable",
    "extra_usage_credit_granted": "Other",
    "ghe_webhook_signature_invalid": "Other",
    "github_app_installation_linked": "Create",
    "inference_hooks_circuit_breaker_tripped": "Disable",
    "inference_hooks_request_failed_open": "Other",
    "inference_hooks_signing_secret_generated": "Create",
    "managed_organization_setup_completed": "Create",
    "org_creation_blocked": "Create",
    "org_deleted_via_bulk": "Delete",
    "org_invite_viewed": "Read",
    "org_join_proposal_decided": "Approve",
    "org_join_request_created": "Create",
    "org_user_invite_deleted": "Revoke",
    "org_user_shares_retained": "Other",
    "org_sync_deleting_synchronized_files_started": "Delete",
    "phone_code_sent": "Other",
    "phone_code_verified": "Other",
    "platform_billing_upgraded_to_prepaid": "Update",
    "platform_federation_rule_workspace_added": "Grant",
    "platform_federation_rule_workspace_removed": "Revoke",
    "platform_memory_version_redacted": "Delete",
    "platform_oauth_app_revoked": "Revoke",
    "rbac_role_grant_updated": "Grant",
    "rbac_role_permission_added": "Grant",
    "rbac_role_permission_removed": "Revoke",
    "org_capability_grant_added": "Grant",
    "org_capability_grant_removed": "Revoke",
    "seat_tier_changes_cancelled": "Update",
    "seat_tiers_purchased": "Update",
    "session_share_accessed": "Read",
    "session_revoked": "Revoke",
    "sso_second_factor_magic_link": "SignIn",
    "subscription_cancellation_scheduled": "Update",
    "subscription_quantity_updated": "Update",
    "subscription_renewed": "Update",
    "subscription_resumed": "Update",
    "subscription_started": "Create",
    "subscription_upgraded": "Update",
    "user_consent_recorded": "Grant",
    "user_consent_revoked": "Revoke",
    "verification_evidence_submitted": "Create",
    "audit_log_export_accessed": "Export",
}

# Operation by the value of `action`, where it is the verb of the event; also for types not in the catalogue.
ACTIONS = {
    "created": "Create",
    "create": "Create",
    "updated": "Update",
    "deleted": "Delete",
    "removed": "Delete",
    "archived": "Disable",
    "unarchived": "Enable",
    "enabled": "Enable",
    "disabled": "Disable",
    "granted": "Grant",
    "revoked": "Revoke",
    "shared": "Share",
    "unshared": "Unshare",
}
_TOGGLE = {"enabled": {"true": "Enable", "false": "Disable"}}
_VERB: dict[str, dict[str, str]] = {"action": ACTIONS}
_BY_VALUE: dict[str, dict[str, dict[str, str]]] = {
    "admin_connector_request_resolved": {"decision": {"dismissed": "Deny", "unspecified": "Other"}},
    "claude_artifact_commented": {
        "comment_action": {
            "activate_thread": "Update",
            "create_thread": "Create",
            "deactivate_thread": "Update",
            "delete_thread": "Delete",
            "edit_comment": "Update",
            "move_thread": "Update",
            "reopen": "Update",
            "reply": "Create",
            "resolve": "Update",
            "send_to_claude": "Run",
            "session_resolve": "Update",
            "unsend_to_claude": "Update",
        }
    },
    "claude_artifact_external_sharing_permission_updated": _VERB,
    "claude_code_runner_pool_session_queue_updated": {"action": {"provisioning_retried": "Run", "requeued": "Run"}},
    "claude_code_security_scan_project_member_updated": {
        "action": {"added": "Grant", "granted": "Grant", "removed": "Revoke", "revoked": "Revoke"}
    },
    "claude_code_security_scan_project_updated": _VERB,
    "claude_code_security_scan_project_visibility_updated": _VERB,
    "claude_code_security_scan_run_updated": _VERB,
    "claude_code_team_memory_acl_updated": {"action": {"removed": "Revoke", "set": "Grant"}},
    "claude_code_team_onboarding_guide_updated": _VERB,
    "org_join_proposal_decided": {"approved": {"false": "Deny"}},
    "org_magic_link_second_factor_toggled": _TOGGLE,
    "org_sso_scim_welcome_email_toggled": _TOGGLE,
    "org_sso_seat_tier_assignment_toggled": _TOGGLE,
    "org_sso_toggled": _TOGGLE,
    "inference_hooks_signing_secret_generated": {"rotated": {"true": "Rotate"}},
    "rbac_role_grant_updated": {"action": {"removed": "Revoke", "requested": "Grant"}},
}


def operation(type_name: str) -> tuple[str, dict[str, dict[str, str]]]:
    """The type's operation, and the field values that override it."""
    by_suffix = next((operation for suffix, operation in SUFFIXES if type_name.endswith(suffix)), "Other")
    otherwise = "Update" if type_name.endswith("_toggled") else by_suffix
    return OPERATIONS.get(type_name, otherwise), _BY_VALUE.get(type_name, {})


# An initiated sign-in has no result yet, and some types have the result in a field; a request that passed because a
# hook failed is a failure of the hook.
RESULTS = {
    "abuse_decision_received": "Unknown",
    "anonymous_mobile_login_attempted": "Unknown",
    "compliance_api_accessed": "Unknown",
    "ghe_webhook_signature_invalid": "Failure",
    "github_token_import": "Unknown",
    "inference_hooks_request_denied": "Blocked",
    "inference_hooks_request_failed_open": "Failure",
    "lti_launch_initiated": "Unknown",
    "magic_link_login_initiated": "Unknown",
    "mcp_server_managed_auth_token_exchanged": "Unknown",
    "org_creation_blocked": "Blocked",
    "org_external_key_validated": "Unknown",
    "platform_app_attest_authentication": "Unknown",
    "platform_federated_authentication": "Unknown",
    "sso_login_initiated": "Unknown",
}


def result(type_name: str) -> str:
    """The outcome according to the type's name; past tense means success."""
    return RESULTS.get(type_name, "Failure" if type_name.endswith("_failed") else "Success")


def enabled(type_name: str) -> bool | None:
    """State of the switch after the event, where the name of the type is the switch."""
    return True if type_name.endswith("_enabled") else False if type_name.endswith("_disabled") else None


# Invitations by email address are external, except revoked ones.
AUDIENCE = {
    "claude_artifact_invite_accepted": "external_invite",
    "claude_artifact_invite_created": "external_invite",
    "claude_artifact_invite_role_updated": "external_invite",
    "pending_share_created": "external_invite",
}


def stem(type_name: str) -> str:
    """The setting a type is about: `org_cowork_enabled` -> `org_cowork`."""
    return type_name.rsplit("_", 1)[0]


# Fields with a new value but no old one; `action` and `resource_*` only for rules and permissions.
_CHANGES_TEXT = """
    host_constraint amount limit_usd environment_id trigger_mode max_permission fail_mode github_access_changes
    has_condition hosts_truncated injects_credential mode path_pattern_count ports_truncated priority protocol
    hosts injected_credential_id methods mutation_kinds ports route_to_destination_id cadence
    idp_saml_config_updated custom_ca_certificate_updated github_app_client_secret_updated
    github_app_private_key_updated read_replica_hostnames_updated webhook_secret_updated enforcement_mode
    final_verdict_timeout_ms prompt_verdict_timeout_ms deny_message deny_message_enabled extra_header_names
    reset_circuit_breaker rollout_percentage shadow_mode new_collection_method compliance_api_logging_enabled
    otlp_headers_change override_user_selection model_access billing_address_updated billing_name_updated
    shipping_address_updated shipping_name_updated ignore value target_amount threshold_amount new_limit_usd
    current_value new_value
"""
_CHANGES = frozenset(_CHANGES_TEXT.split())


def is_change(type_name: str, field: str) -> bool:
    """Whether this field of this type contains a new value."""
    if field == "action":
        return type_name.startswith(("rbac_role_permission_", "ccr_agent_proxy_rule_"))
    if field in ("resource_id", "resource_type"):
        return type_name.startswith("rbac_role_permission_")
    return field in _CHANGES


def name_fields(rule: dict[str, Any]) -> list[str]:
    """Fields whose values, joined by a slash, are the object's name."""
    owners = {"repo_name": "repo_owner", "repository_name": "organization_name"}
    name = rule["nameField"]
    if name in (None, "resource_details", "resource_type"):
        return []
    return [owners[name], name] if name in owners else [name]


# Objects of the types that have none in the fold rules: [prefix of the type, object, id field, name fields].
MORE_OBJECTS: list[list[Any]] = [
    [prefix, kind, id_field, []]
    for kind, id_field, prefixes in (
        (
            "session",
            None,
            "anonymous_mobile_ magic_link_login_ social_login_ sso_login_ sso_second_factor session_revoked",
        ),
        ("session", None, "user_logged_out lti_launch_ platform_app_attest_ platform_federated_authentication"),
        ("user", None, "account_ age_verified phone_code_"),
        ("user", "user_id", "scim_user_ claude_user_role_ claude_user_seat_ org_user_ org_users_"),
        ("user", "deleted_user_id", "org_user_deleted"),
        ("user_setting", None, "claude_user_settings_ claude_code_user_"),
        ("organization_setting", None, "claude_organization_settings_ claude_code_review_config_ org_analytics_api_"),
        ("organization_setting", None, "claude_code_security_center_ org_chat_cowork_ org_claude_code_ org_cowork_"),
        (
            "organization_setting",
            None,
            "org_compliance_api_ org_connector_domain_ org_data_residency_ org_work_across_",
        ),
        ("organization_setting", None, "org_discoverability_ org_hipaa_ org_member_invites_ org_magic_link_"),
        ("sso", None, "org_sso_ claude_pubsec_identity_"),
        ("ip_restriction", None, "org_ip_restriction_"),
        ("invite", None, "org_invite_link_ org_invites_ end_user_invite_"),
        ("join_request", None, "org_join_request_ org_join_requests_"),
        ("join_proposal", None, "org_join_proposal_ org_parent_join_"),
        ("export", None, "audit_log_export_ org_members_exported"),
        ("compliance_api", None, "compliance_api_"),
        ("inference_hook", None, "inference_hooks_"),
        ("billing", None, "billing_ claude_enterprise_upgrade_ extra_usage_ invoice_ organization_address_ payment_"),
        ("billing", None, "platform_billing_ prepaid_ seat_tier"),
        ("report", None, "platform_cost_report_ platform_usage_report_"),
        ("domain", None, "domain_claim_"),
        ("environment", None, "environment_"),
        ("file", None, "org_sync_"),
        ("project", None, "owned_projects_"),
        ("organization", None, "managed_organization_ org_ organization_ platform_organization_ primary_owner_"),
    )
    for prefix in prefixes.split()
]

# Documented fields of each actor; the first with a value among the ids of IDS is who acted.
_SEEN_FROM = ["ip_address", "user_agent"]
ACTORS: dict[str, dict[str, Any]] = {
    "user_actor": {"id": "user_id", "fields": ["email_address", *_SEEN_FROM]},
    "api_actor": {"id": "api_key_id", "fields": _SEEN_FROM},
    "admin_api_key_actor": {"id": "admin_api_key_id", "fields": _SEEN_FROM},
    "unauthenticated_user_actor": {"id": None, "fields": ["unauthenticated_email_address", *_SEEN_FROM]},
    "anthropic_actor": {"id": None, "fields": ["email_address"]},
    "scim_directory_sync_actor": {"id": "directory_id", "fields": ["workos_event_id", "idp_connection_type"]},
    "service_account_actor": {"id": "service_account_id", "fields": _SEEN_FROM},
    "federated_identity_actor": {"id": "subject", "fields": ["issuer", "audience", *_SEEN_FROM]},
    "system_actor": {"id": "service", "fields": []},
    "federated_actor": {"id": "subject", "fields": ["provider", *_SEEN_FROM]},
    "attested_device_actor": {"id": "external_client_id", "fields": ["kid_hash", *_SEEN_FROM]},
}
