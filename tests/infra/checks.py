"""What must hold of every deployment: functions of the resources it creates, with a sentence for each fault."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shared.settings import Settings
from shared.tables import load, table_names
from tools.infra.resources import scope_of

Resource = Mapping[str, Any]
Check = Callable[[list[Resource]], list[str]]
ZONES = "Microsoft.Network/privateDnsZones"
SCOPES = "Microsoft.Insights/privateLinkScopes"

SET_BY_THE_PLATFORM_OR_NOT_FOR_AZURE = {
    "COMPLIANCE_ACCESS_KEY",  # a key: in the vault
    "IDENTITY_KEY",  # a key: in the vault
    "STATE_DIR",  # state outside Azure
    "WEBSITE_AUTH_ENABLED",  # the platform's own
}
PLATFORM_SETTINGS = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AZURE_CLIENT_ID",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
}

ROLES = {
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "3b03c2da-16b3-4a49-8834-0f8130efdd3b": "Log Analytics Data Reader",
    "73c42c96-874c-492b-b04d-ab87d138a893": "Log Analytics Reader",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "12338af0-0e69-4776-bea7-57ae8d297424": "Key Vault Crypto User",
}
"""Built-in roles by id: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles (2026-11)."""

NARROWEST = {
    "Monitoring Metrics Publisher": r"/Microsoft\.Insights/(dataCollectionRules|components)/[^/]+$",
    "Storage Blob Data Contributor": r"/blobServices/default/containers/(state|packages|reports)$",
    "Storage Blob Data Reader": r"/blobServices/default/containers/reports$",
    "Storage Blob Data Owner": r"/blobServices/default/containers/azure-webjobs-(hosts|secrets)$",
    "Key Vault Secrets User": r"/Microsoft\.KeyVault/vaults/[^/]+$",
    "Key Vault Secrets Officer": r"/Microsoft\.KeyVault/vaults/[^/]+$",
    "Key Vault Crypto User": r"/Microsoft\.KeyVault/vaults/[^/]+/keys/report$",
    "Log Analytics Data Reader": r"/Microsoft\.OperationalInsights/workspaces/[^/]+$",
}
"""The end of the scope each role is given at. Wider ones must be asked for by a parameter."""

NAME_LIMITS = {
    "Microsoft.Insights/dataCollectionRules": r"[A-Za-z0-9][A-Za-z0-9-]{1,28}[A-Za-z0-9]",  # a Direct one: 30
    "Microsoft.Insights/dataCollectionEndpoints": r"[A-Za-z0-9][A-Za-z0-9-]{1,42}[A-Za-z0-9]",
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.KeyVault/vaults": r"[A-Za-z](?!.*--)[A-Za-z0-9-]{1,22}[A-Za-z0-9]",
    "Microsoft.Web/sites": r"[A-Za-z0-9][A-Za-z0-9-]{0,30}[A-Za-z0-9]",  # 32: above it two hosts can share an id
    "Microsoft.Web/serverfarms": r"[A-Za-z0-9-]{1,40}",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][A-Za-z0-9_-]{2,127}",
    "Microsoft.Insights/components": r"[A-Za-z0-9._()-]{1,255}",
    "Microsoft.Network/virtualNetworks": r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}[A-Za-z0-9_]",
    "Microsoft.Network/privateEndpoints": r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}[A-Za-z0-9_]",
}

SECRETS = re.compile(
    r"sk-ant-|AccountKey=|SharedAccessSignature|[?&]sig=|listKeys\(|listSecrets\(|getSecret\(|-----BEGIN|password", re.I
)
NO_SECRET = {"basicPublishingCredentialsPolicies"}


def of_type(resources: list[Resource], kind: str) -> list[Resource]:
    return [resource for resource in resources if resource["type"].lower() == kind.lower()]


def strings(node: Any) -> Iterator[str]:
    """Every text anywhere in a JSON value, keys included."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)


def _faults(resources: list[Resource], kind: str, wanted: Mapping[str, tuple[Any, str]]) -> list[str]:
    """For each resource of `kind` the sentence of every property, named by its path, that has another value."""
    return [
        f"{resource['name']}: {fault}"
        for resource in of_type(resources, kind)
        for path, (value, fault) in wanted.items()
        if _at(resource["properties"], path) != value
    ]


def _at(node: Any, path: str) -> Any:
    for name in path.split("."):
        node = node.get(name, {})
    return node


def storage_is_closed(resources: list[Resource]) -> list[str]:
    """No shared keys, no public blobs, TLS 1.2, no plain HTTP, no local users."""
    account = {
        "allowSharedKeyAccess": (False, "shared keys are on"),
        "allowBlobPublicAccess": (False, "blobs can be public"),
        "minimumTlsVersion": ("TLS1_2", "TLS below 1.2 is taken"),
        "supportsHttpsTrafficOnly": (True, "plain HTTP is taken"),
        "isLocalUserEnabled": (False, "local users are on"),
    }
    container = {"publicAccess": ("None", "blobs can be public")}
    return [
        *_faults(resources, "Microsoft.Storage/storageAccounts", account),
        *_faults(resources, "Microsoft.Storage/storageAccounts/blobServices/containers", container),
    ]


def app_is_closed(resources: list[Resource]) -> list[str]:
    """HTTPS and TLS 1.2 only; nobody publishes by password; packages are read by identity."""
    site = {
        "httpsOnly": (True, "plain HTTP is taken"),
        "siteConfig.minTlsVersion": ("1.2", "minTlsVersion below 1.2"),
        "siteConfig.scmMinTlsVersion": ("1.2", "scmMinTlsVersion below 1.2"),
        "siteConfig.ftpsState": ("Disabled", "FTP is on"),
        "functionAppConfig.deployment.storage.authentication.type": (
            "UserAssignedIdentity",
            "packages are read by key",
        ),
    }
    door = {"allow": (False, "can be published with a password")}
    doors = "Microsoft.Web/sites/basicPublishingCredentialsPolicies"
    unguarded = len(of_type(resources, doors)) < 2 * len(of_type(resources, "Microsoft.Web/sites"))
    return [
        *_faults(resources, "Microsoft.Web/sites", site),
        *_faults(resources, doors, door),
        *(["a site without its publishing policies can be published with a password"] if unguarded else []),
    ]


def vault_and_telemetry_are_closed(resources: list[Resource]) -> list[str]:
    """Vault by roles, not to be purged; telemetry and workspace by identity alone."""
    vault = {
        "enableRbacAuthorization": (True, "access policies instead of roles"),
        "enablePurgeProtection": (True, "keys can be purged"),
    }
    component = {"DisableLocalAuth": (True, "telemetry is taken without an identity")}
    workspace = {"features.disableLocalAuth": (True, "shared keys are on")}
    return [
        *_faults(resources, "Microsoft.KeyVault/vaults", vault),
        *_faults(resources, "Microsoft.Insights/components", component),
        *_faults(resources, "Microsoft.OperationalInsights/workspaces", workspace),
    ]


def nothing_is_secret(resources: list[Resource]) -> list[str]:
    """No resource holds a key, a password or a function that fetches one, and no secret is written."""
    wrong = [
        f"{resource['name']}: {text[:60]!r} looks like a secret"
        for resource in resources
        if resource["type"].rsplit("/", 1)[-1] not in NO_SECRET
        for text in strings(resource)
        if SECRETS.search(text)
    ]
    written = of_type(resources, "Microsoft.KeyVault/vaults/secrets")
    return wrong + [f"{secret['name']}: a secret is written by the template" for secret in written]


def rights_are_narrow(resources: list[Resource]) -> list[str]:
    """Each right is a documented role, on the one thing it is for, readers of the workspace on named tables."""
    wrong = []
    for assignment in of_type(resources, "Microsoft.Authorization/roleAssignments"):
        properties, scope = assignment["properties"], scope_of(assignment)
        role = ROLES.get(properties["roleDefinitionId"].rsplit("/", 1)[-1])
        if role is None:
            wrong.append(f"{properties['roleDefinitionId']}: not a documented role")
        elif role not in NARROWEST:
            wrong.append(f"{role}: wider than the tables")
        elif not re.search(NARROWEST[role], scope):
            wrong.append(f"{role}: given on {scope}")
        elif role == "Log Analytics Data Reader" and "tables:name] StringEquals 'Claude" not in properties.get(
            "condition", ""
        ):
            wrong.append(f"{role}: without a condition on tables")
        if properties.get("principalType") not in ("ServicePrincipal", "Group", "User"):
            wrong.append(f"{role}: principalType is missing, so a new identity may not be found")
    return wrong


def rights_are_named_by_guid(resources: list[Resource]) -> list[str]:
    """Names are GUIDs or the function that makes one of scope, principal and role; and no two are the same."""
    guid = re.compile(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\[guid\('/subscriptions/.+principalId, '[0-9a-f-]{36}'\)\]"
    )
    assignments = of_type(resources, "Microsoft.Authorization/roleAssignments")
    wrong = [f"{a['name']}: not named by guid()" for a in assignments if not guid.fullmatch(a["name"])]
    keys = [(scope_of(a), a["properties"]["principalId"], a["properties"]["roleDefinitionId"]) for a in assignments]
    return wrong + [f"{key[0]}: the same right twice" for key in {k for k in keys if keys.count(k) > 1}]


def columns_are_those_of_shared_tables(resources: list[Resource]) -> list[str]:
    """Table, stream and file agree column by column; every table has a stream and a flow into itself."""
    tables = {
        resource["name"].rsplit("/", 1)[-1]: resource["properties"]["schema"]["columns"]
        for resource in of_type(resources, "Microsoft.OperationalInsights/workspaces/tables")
    }
    rules = of_type(resources, "Microsoft.Insights/dataCollectionRules")
    if not tables and not rules:
        return []
    wrong = [f"{name}: not deployed" for name in table_names() if name not in tables]
    for rule in rules:
        streams = rule["properties"]["streamDeclarations"]
        flows = {flow["streams"][0]: flow for flow in rule["properties"]["dataFlows"]}
        if rule.get("kind") != "Direct":
            wrong.append(f"{rule['name']}: not Direct, so it has no endpoint")
        for name in table_names():
            table = load(name)
            declared = [(column.name, str(column.type)) for column in table.columns]
            stream = [
                (column["name"], column["type"]) for column in streams.get(table.stream, {"columns": []})["columns"]
            ]
            made = [(column["name"], column["type"].replace("dateTime", "datetime")) for column in tables.get(name, [])]
            wrong += [f"{name}: table lacks {column[0]}" for column in declared if column not in made]
            wrong += [f"{name}: stream lacks {column[0]}" for column in declared if column not in stream]
            wrong += [
                f"{name}: {column[0]} is not in shared/tables" for column in made + stream if column not in declared
            ]
            if flows.get(table.stream, {}).get("outputStream") != table.stream:
                wrong.append(f"{name}: no flow into it")
    return wrong


def names_fit(resources: list[Resource]) -> list[str]:
    """Every name is one that Azure takes."""
    return [
        f"{resource['name']}: {len(resource['name'])} characters, or a wrong one, for {kind}"
        for kind, pattern in NAME_LIMITS.items()
        for resource in of_type(resources, kind)
        if not re.fullmatch(pattern, resource["name"])
    ]


def app_settings(resources: list[Resource]) -> dict[str, str]:
    """The app's settings by name; empty where no app is deployed."""
    return {
        setting["name"]: setting["value"]
        for site in of_type(resources, "Microsoft.Web/sites")
        for setting in site["properties"]["siteConfig"]["appSettings"]
    }


def settings_are_those_of_the_code(resources: list[Resource]) -> list[str]:
    """The app has exactly the settings that the code reads and the platform needs; what is written can be read back."""
    given = app_settings(resources)
    if not given:
        return []
    known = {name.upper() for name in Settings.model_fields} - SET_BY_THE_PLATFORM_OR_NOT_FOR_AZURE
    wrong = [f"{name}: the code knows no such setting" for name in sorted(given.keys() - known - PLATFORM_SETTINGS)]
    wrong += [f"{name}: missing from the template" for name in sorted((known | PLATFORM_SETTINGS) - given.keys())]
    for name in ("CONNECTIONS", "MINIMIZE", "DEPLOYED_TABLE_VERSIONS"):
        if given.get(name):
            json.loads(given[name])
    return wrong


def nothing_changes_by_itself(resources: list[Resource]) -> list[str]:
    """No body or name depends on the clock or on chance, so a second deployment finds everything as it is.

    Only texts in brackets are the deployment's to evaluate: a Logic App asks for the time when it runs.
    """
    return [
        f"{resource['type']}: changes with every deployment"
        for resource in resources
        if any(text.startswith("[") and re.search(r"newguid\(|utcnow\(", text, re.I) for text in strings(resource))
    ]


CHECKS: tuple[Check, ...] = (
    storage_is_closed,
    app_is_closed,
    vault_and_telemetry_are_closed,
    nothing_is_secret,
    rights_are_narrow,
    rights_are_named_by_guid,
    columns_are_those_of_shared_tables,
    names_fit,
    settings_are_those_of_the_code,
    nothing_changes_by_itself,
)


def given_network_is_not_made_again(resources: list[Resource]) -> list[str]:
    """With ids given, no zone, scope, endpoint or network is created."""
    return [
        f"{resource['type']} is created beside the given one"
        for kind in (
            ZONES,
            SCOPES,
            "Microsoft.Network/virtualNetworks",
            "Microsoft.Network/natGateways",
            "Microsoft.Insights/dataCollectionEndpoints",
        )
        for resource in of_type(resources, kind)
    ]
