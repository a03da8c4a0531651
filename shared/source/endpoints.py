"""Every call of the Compliance API, and the Admin API's reads that streams need: one record each.

Sources: Anthropic's documentation of the Compliance API and the official Python SDK 2.14.0 (paging, page sizes and beta
headers of the Admin API), read 2026-11-29; nothing was tried against the live service.
`tests/unit/source/test_endpoints.py` holds the records against the tables in `tests/reference/`.
"""

from shared.settings import KeyKind
from shared.source.endpoint import ADMIN, EITHER, Endpoint, Filters, Meaning, Method, Paging, Scope, Sizes
from shared.source.rate_limit import RequestBudget

# The feed: a 403 or 404 here is never "nothing to read".
ACTIVITIES = Endpoint(
    "/v1/compliance/activities",
    Scope.ACTIVITIES,
    Paging.CURSOR,
    Sizes(100, 5000),
    keys=EITHER,
    filters=Filters.DOTTED,
    statuses={403: Meaning.REFUSED, 404: Meaning.REFUSED},
)

# Directory.
_ORGANIZATION = "/v1/compliance/organizations/{org_uuid}"
ORGANIZATIONS = Endpoint("/v1/compliance/organizations", Scope.ORG_DATA, Paging.PAGE, Sizes(1000, 1000))
USERS = Endpoint(_ORGANIZATION + "/users", Scope.USER_DATA, Paging.PAGE, Sizes(500, 1000))
ROLES = Endpoint(_ORGANIZATION + "/roles", Scope.ORG_DATA, Paging.PAGE, Sizes(500, 1000))
ROLE_PERMISSIONS = Endpoint(
    _ORGANIZATION + "/roles/{role_id}/permissions", Scope.ORG_DATA, Paging.PAGE, Sizes(500, 1000)
)
GROUPS = Endpoint("/v1/compliance/groups", Scope.ORG_DATA, Paging.PAGE, Sizes(500, 1000))
GROUP_MEMBERS = Endpoint("/v1/compliance/groups/{group_id}/members", Scope.USER_DATA, Paging.PAGE, Sizes(500, 1000))

# Settings. Enabled separately for each parent: an unknown organization and "not enabled" are the same 404.
SETTINGS = Endpoint(
    "/v1/compliance/organizations/{organization_id}/settings", Scope.ORG_DATA, statuses={404: Meaning.NOT_AVAILABLE}
)
USER_PREFERENCES = Endpoint(
    _ORGANIZATION + "/user_preferences",
    Scope.USER_DATA,
    Paging.TOKEN,
    Sizes(20, 100),
    statuses={404: Meaning.NOT_AVAILABLE},
)

# Chats, files, artifacts.
_CHATS = "/v1/compliance/apps/chats"
CHATS = Endpoint(_CHATS, Scope.USER_DATA, Paging.CURSOR, Sizes(100, 1000), filters=Filters.DOTTED)
CHAT_MESSAGES = Endpoint(
    _CHATS + "/{claude_chat_id}/messages",
    Scope.USER_DATA,
    Paging.CURSOR,
    Sizes(None, 1000),
    filters=Filters.DOTTED,
    items="chat_messages",
)
FILE = Endpoint(_CHATS + "/files/{claude_file_id}", Scope.USER_DATA)
FILE_CONTENT = Endpoint(_CHATS + "/files/{claude_file_id}/content", Scope.USER_DATA, Paging.BYTES)
GENERATED_FILE = Endpoint(_CHATS + "/generated-files/{claude_gen_file_id}", Scope.USER_DATA)
GENERATED_FILE_CONTENT = Endpoint(
    _CHATS + "/generated-files/{claude_gen_file_id}/content", Scope.USER_DATA, Paging.BYTES
)
ARTIFACT = Endpoint("/v1/compliance/apps/artifacts/{artifact_version_id}", Scope.USER_DATA)
ARTIFACT_CONTENT = Endpoint("/v1/compliance/apps/artifacts/{artifact_version_id}/content", Scope.USER_DATA)
_CODE_ARTIFACTS = "/v1/compliance/apps/code/artifacts"
CODE_ARTIFACTS = Endpoint(_CODE_ARTIFACTS, Scope.USER_DATA, Paging.TOKEN, Sizes(20, 100), filters=Filters.DOTTED)
CODE_ARTIFACT_CONTENT = Endpoint(f"{_CODE_ARTIFACTS}/{{artifact_id}}/content", Scope.USER_DATA, Paging.BYTES)
CODE_ARTIFACT_VERSION = Endpoint(
    f"{_CODE_ARTIFACTS}/{{artifact_id}}/versions/{{version_id}}", Scope.USER_DATA, Paging.BYTES
)

# Projects.
_PROJECTS = "/v1/compliance/apps/projects"
PROJECTS = Endpoint(_PROJECTS, Scope.USER_DATA, Paging.PAGE, Sizes(20, 100), filters=Filters.DOTTED)
PROJECT = Endpoint(_PROJECTS + "/{project_id}", Scope.USER_DATA)
PROJECT_ATTACHMENTS = Endpoint(_PROJECTS + "/{project_id}/attachments", Scope.USER_DATA, Paging.PAGE, Sizes(20, 100))
PROJECT_COLLABORATORS = Endpoint(
    _PROJECTS + "/{project_id}/collaborators", Scope.USER_DATA, Paging.PAGE, Sizes(20, 100)
)
DOCUMENT = Endpoint(_PROJECTS + "/documents/{document_id}", Scope.USER_DATA)
DOCUMENT_METADATA = Endpoint(_PROJECTS + "/documents/{document_id}/metadata", Scope.USER_DATA)

# Sessions. A page token of local messages lives 24 hours from the first page.
_LOCAL = "/v1/compliance/apps/sessions/local"
LOCAL_SESSIONS = Endpoint(_LOCAL, Scope.USER_DATA, Paging.TOKEN, Sizes(100, 500), filters=Filters.DOTTED)
LOCAL_SESSION = Endpoint(_LOCAL + "/{local_session_id}", Scope.USER_DATA)
LOCAL_SESSION_MESSAGES = Endpoint(
    _LOCAL + "/{local_session_id}/messages", Scope.USER_DATA, Paging.TOKEN, Sizes(100, 1000)
)
_REMOTE = "/v1/compliance/apps/sessions/remote"
REMOTE_SESSIONS = Endpoint(
    _REMOTE,
    Scope.USER_DATA,
    Paging.TOKEN,
    Sizes(100, 500),
    filters=Filters.DOTTED,
    budget=RequestBudget.REMOTE_SESSIONS,
)
REMOTE_SESSION_MESSAGES = Endpoint(
    _REMOTE + "/{session_id}/messages",
    Scope.USER_DATA,
    Paging.TOKEN,
    Sizes(100, 1000),
    budget=RequestBudget.REMOTE_SESSIONS,
)

# Safety cases. 401, 403 and 404 all say that this key cannot; a 400 that the Compliance API is switched off.
_NO_KEY_FOR_IT = {401: Meaning.NOT_AVAILABLE}
_REVIEW = "/v1/compliance/review"
REVIEW_CASES = Endpoint(
    _REVIEW + "/cases",
    Scope.REVIEW_CASES,
    Paging.TOKEN,
    Sizes(20, 100),
    keys=ADMIN,
    filters=Filters.BRACKETED,
    statuses=_NO_KEY_FOR_IT,
)
REVIEW_CASE = Endpoint(_REVIEW + "/cases/{case_id}", Scope.REVIEW_CASES, keys=ADMIN, statuses=_NO_KEY_FOR_IT)
REVIEW_ITEM = Endpoint(_REVIEW + "/items/{item_id}", Scope.REVIEW_ITEMS, keys=ADMIN, statuses=_NO_KEY_FOR_IT)
REVIEW_NOTICES = Endpoint(
    _REVIEW + "/notices",
    Scope.REVIEW_CASES,
    Paging.TOKEN,
    Sizes(20, 100),
    keys=ADMIN,
    filters=Filters.BRACKETED,
    statuses=_NO_KEY_FOR_IT,
)

# Calls that change something: named so that no reader takes one for a read. The client sends GET only.
DELETE_CHAT = Endpoint(_CHATS + "/{claude_chat_id}", Scope.DELETE, method=Method.DELETE)
DELETE_FILE = Endpoint(_CHATS + "/files/{claude_file_id}", Scope.DELETE, method=Method.DELETE)
DELETE_DOCUMENT = Endpoint(_PROJECTS + "/documents/{document_id}", Scope.DELETE, method=Method.DELETE)
DELETE_PROJECT = Endpoint(_PROJECTS + "/{project_id}", Scope.DELETE, method=Method.DELETE)
DELETE_CODE_ARTIFACT = Endpoint(f"{_CODE_ARTIFACTS}/{{artifact_id}}", Scope.DELETE, method=Method.DELETE)
RESPOND_TO_CASE = Endpoint(_REVIEW + "/cases/{case_id}/respond", Scope.REVIEW_ANSWERS, keys=ADMIN, method=Method.POST)

# The Admin API. What no documentation states for these calls is the request budget they use.
_ADMIN = "/v1/organizations/"
_LIST = Sizes(20, 1000)
_OTHER = RequestBudget.NOT_STATED
_PLUGINS_BETA = "ce-plugins-2026-09-01"
PLUGINS = Endpoint(
    _ADMIN + "plugins", Scope.ORG_DATA, Paging.TOKEN, Sizes(20, 100), keys=EITHER, budget=_OTHER, beta=_PLUGINS_BETA
)
PLUGIN_SETTINGS = Endpoint(
    _ADMIN + "plugins/{plugin_id}/installation_settings",
    Scope.ORG_DATA,
    Paging.TOKEN,
    Sizes(20, 100),
    keys=EITHER,
    budget=_OTHER,
    beta=_PLUGINS_BETA,
)
PLUGIN_MARKETPLACES = Endpoint(
    _ADMIN + "plugin_marketplaces", Scope.ORG_DATA, Paging.TOKEN, _LIST, keys=EITHER, budget=_OTHER, beta=_PLUGINS_BETA
)


def _admin(
    path: str,
    paging: Paging = Paging.NONE,
    sizes: Sizes | None = None,
    *,
    keys: tuple[KeyKind, ...] = ADMIN,
    beta: str = "",
    scope: Scope = Scope.NOT_NAMED,
) -> Endpoint:
    return Endpoint(_ADMIN + path, scope, paging, sizes, keys=keys, budget=_OTHER, beta=beta)


ADMIN_ME = _admin("me")
ADMIN_USERS = _admin("users", Paging.CURSOR, _LIST, keys=EITHER)
ADMIN_INVITES = _admin("invites", Paging.CURSOR, _LIST, keys=EITHER)
ADMIN_GROUPS = _admin("rbac_groups", Paging.TOKEN, _LIST, keys=EITHER)
ADMIN_GROUP_MEMBERS = _admin("rbac_groups/{rbac_group_id}/members", Paging.TOKEN, _LIST, keys=EITHER)
ADMIN_ROLES = _admin("rbac_roles", Paging.TOKEN, _LIST, keys=EITHER)
ADMIN_ROLE_PERMISSIONS = _admin("rbac_roles/{rbac_role_id}/permissions", Paging.TOKEN, _LIST, keys=EITHER)
ADMIN_WORKSPACES = _admin("workspaces", Paging.CURSOR, _LIST)
ADMIN_WORKSPACE_MEMBERS = _admin("workspaces/{workspace_id}/members", Paging.CURSOR, _LIST)
API_KEYS = _admin("api_keys", Paging.CURSOR, _LIST)
COMPLIANCE_SETTINGS = _admin("compliance_settings")
EXTERNAL_KEYS = _admin("external_keys", Paging.TOKEN)
EXTERNAL_STORAGE = _admin("external_storage", Paging.TOKEN, beta="efs-2026-10-01")
TELEMETRY_DESTINATIONS = _admin("telemetry_destinations", Paging.TOKEN, _LIST, beta="telemetry-destinations-2026-08-11")
_MANAGED_BETA = "ce-claude-code-managed-settings-2026-10-06"
MANAGED_SETTINGS = _admin(
    "claude_code/managed_settings/configuration", scope=Scope.MANAGED_SETTINGS, beta=_MANAGED_BETA
)
MANAGED_SETTINGS_DEFAULT = _admin(
    "claude_code/managed_settings/rbac_group_default", scope=Scope.MANAGED_SETTINGS, beta=_MANAGED_BETA
)
MANAGED_SETTINGS_GROUPS = _admin(
    "claude_code/managed_settings/rbac_groups",
    Paging.TOKEN,
    Sizes(20, 100),
    scope=Scope.MANAGED_SETTINGS,
    beta=_MANAGED_BETA,
)

# Usage and cost. A HIPAA-ready organization answers 400.
USAGE = Endpoint(
    _ADMIN + "analytics/usage",
    Scope.ANALYTICS,
    Paging.PAGE,
    _LIST,
    budget=RequestBudget.ANALYTICS,
    beta="analytics-usage-cost-2026-08-24",
    statuses={400: Meaning.NOT_AVAILABLE},
)
COST = Endpoint(
    _ADMIN + "analytics/cost",
    Scope.ANALYTICS,
    Paging.PAGE,
    _LIST,
    budget=RequestBudget.ANALYTICS,
    beta="analytics-usage-cost-2026-08-24",
    statuses={400: Meaning.NOT_AVAILABLE},
)

ALL: tuple[Endpoint, ...] = tuple(record for record in list(vars().values()) if isinstance(record, Endpoint))
