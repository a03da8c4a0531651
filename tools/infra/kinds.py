"""What each type of resource is for, which role creates it, and when removal deletes it.

Roles are the narrowest Azure built-in roles with the type's `write`:
https://learn.microsoft.com/azure/role-based-access-control/built-in-roles (2026-11, not tested in a tenant).
docs/rights.md lists the same by template.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum, auto

from tools.infra.resources import type_of


class Team(Enum):
    SENTINEL = "Sentinel team"
    PLATFORM = "platform team"
    IDENTITY = "identity team"


class RemovalPhase(IntEnum):
    """The phases of a removal, in order."""

    ALERTS = auto()
    CONTENT = auto()
    RIGHTS = auto()
    APP = auto()
    RULE = auto()
    NETWORK = auto()
    VAULT = auto()
    DATA = auto()
    WITH_ITS_PARENT = auto()


@dataclass(frozen=True, slots=True)
class Kind:
    """`also`: permissions on other resources that are required to create this type."""

    purpose: str
    team: Team
    role: str
    phase: RemovalPhase
    also: str = ""


_S, _P, _I = Team.SENTINEL, Team.PLATFORM, Team.IDENTITY
_LOGS, _MONITOR = "Log Analytics Contributor", "Monitoring Contributor"
_SENTINEL, _NETWORK = "Microsoft Sentinel Contributor", "Network Contributor"
_STORAGE, _SITE, _DNS = "Storage Account Contributor", "Website Contributor", "Private DNS Zone Contributor"

KINDS: dict[str, Kind] = {
    "Microsoft.Authorization/roleAssignments": Kind(
        "a role of the app, or of people in the parameters",
        _I,
        "Role Based Access Control Administrator",
        RemovalPhase.RIGHTS,
    ),
    "Microsoft.Insights/components": Kind(
        "telemetry of the app",
        _P,
        _MONITOR,
        RemovalPhase.APP,
        also="read on the telemetry workspace (if refused, workspaces/sharedKeys/action as well)",
    ),
    "Microsoft.Insights/dataCollectionEndpoints": Kind(
        "private endpoint for ingestion", _S, _MONITOR, RemovalPhase.RULE
    ),
    "Microsoft.Insights/dataCollectionRules": Kind(
        "receives rows and validates their columns", _S, _MONITOR, RemovalPhase.RULE
    ),
    "Microsoft.Insights/diagnosticSettings": Kind(
        "log of rejected rows, or of access to keys", _S, _MONITOR, RemovalPhase.RULE
    ),
    "Microsoft.Insights/privateLinkScopes": Kind("Azure Monitor over private link", _P, _MONITOR, RemovalPhase.NETWORK),
    "Microsoft.Insights/privateLinkScopes/scopedResources": Kind(
        "connects a resource to the private link scope", _P, _MONITOR, RemovalPhase.APP
    ),
    "Microsoft.Insights/scheduledQueryRules": Kind("an alert about the bridge", _P, _MONITOR, RemovalPhase.ALERTS),
    "Microsoft.Insights/workbooks": Kind("a workbook", _S, _SENTINEL, RemovalPhase.CONTENT),
    "Microsoft.KeyVault/vaults": Kind("stores the Claude keys", _P, "Key Vault Contributor", RemovalPhase.VAULT),
    "Microsoft.KeyVault/vaults/keys": Kind(
        "signs compliance reports", _P, "Key Vault Contributor", RemovalPhase.WITH_ITS_PARENT
    ),
    "Microsoft.Logic/workflows": Kind("emails the link to a report", _P, "Logic App Contributor", RemovalPhase.APP),
    "Microsoft.ManagedIdentity/userAssignedIdentities": Kind(
        "identity of the app", _P, "Managed Identity Contributor", RemovalPhase.APP
    ),
    "Microsoft.Network/natGateways": Kind("outbound access to the Compliance API", _P, _NETWORK, RemovalPhase.NETWORK),
    "Microsoft.Network/networkSecurityGroups": Kind("network rules of the subnets", _P, _NETWORK, RemovalPhase.NETWORK),
    "Microsoft.Network/privateDnsZones": Kind("DNS names of the private endpoints", _P, _DNS, RemovalPhase.NETWORK),
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": Kind(
        "links the DNS zone to the network", _P, _DNS, RemovalPhase.NETWORK, also=f"{_NETWORK} on the network (join)"
    ),
    "Microsoft.Network/privateEndpoints": Kind(
        "private endpoint of one resource",
        _P,
        _NETWORK,
        RemovalPhase.APP,
        also="Microsoft.Network/virtualNetworks/subnets/join/action on the subnet",
    ),
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": Kind(
        "DNS record of a private endpoint",
        _P,
        _NETWORK,
        RemovalPhase.WITH_ITS_PARENT,
        also="Microsoft.Network/privateDnsZones/join/action on the zone",
    ),
    "Microsoft.Network/publicIPAddresses": Kind("outbound IP address", _P, _NETWORK, RemovalPhase.NETWORK),
    "Microsoft.Network/virtualNetworks": Kind("network of the app", _P, _NETWORK, RemovalPhase.NETWORK),
    "Microsoft.OperationalInsights/workspaces": Kind("a new workspace", _S, _LOGS, RemovalPhase.DATA),
    "Microsoft.OperationalInsights/workspaces/savedSearches": Kind("a parser or hunt", _S, _LOGS, RemovalPhase.CONTENT),
    "Microsoft.OperationalInsights/workspaces/summaryLogs": Kind("a daily summary", _S, _LOGS, RemovalPhase.CONTENT),
    "Microsoft.OperationalInsights/workspaces/tables": Kind("a table", _S, _LOGS, RemovalPhase.DATA),
    "Microsoft.SecurityInsights/alertRules": Kind("an analytics rule", _S, _SENTINEL, RemovalPhase.CONTENT),
    "Microsoft.SecurityInsights/automationRules": Kind("tasks in an incident", _S, _SENTINEL, RemovalPhase.CONTENT),
    "Microsoft.SecurityInsights/onboardingStates": Kind(
        "Microsoft Sentinel on the new workspace", _S, _SENTINEL, RemovalPhase.WITH_ITS_PARENT, also="Contributor once"
    ),
    "Microsoft.SecurityInsights/watchlists": Kind("approvals and exceptions", _S, _SENTINEL, RemovalPhase.DATA),
    "Microsoft.Storage/storageAccounts": Kind("state, package, host locks", _P, _STORAGE, RemovalPhase.DATA),
    "Microsoft.Storage/storageAccounts/blobServices": Kind(
        "versions and soft delete", _P, _STORAGE, RemovalPhase.WITH_ITS_PARENT
    ),
    "Microsoft.Storage/storageAccounts/blobServices/containers": Kind(
        "a container", _P, _STORAGE, RemovalPhase.WITH_ITS_PARENT
    ),
    "Microsoft.Storage/storageAccounts/managementPolicies": Kind(
        "retention of blobs", _P, _STORAGE, RemovalPhase.WITH_ITS_PARENT
    ),
    "Microsoft.Web/connections": Kind("mailbox that sends the link", _P, "Logic App Contributor", RemovalPhase.APP),
    "Microsoft.Web/serverfarms": Kind("Flex Consumption plan", _P, "Web Plan Contributor", RemovalPhase.APP),
    "Microsoft.Web/sites": Kind(
        "the function app",
        _P,
        _SITE,
        RemovalPhase.APP,
        also="Managed Identity Operator on the app's identity",
    ),
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": Kind(
        "disables publishing by password", _P, _SITE, RemovalPhase.WITH_ITS_PARENT
    ),
    "Microsoft.Web/sites/extensions": Kind("deploys the zip package", _P, _SITE, RemovalPhase.WITH_ITS_PARENT),
}


def team_of(identity: str) -> Team:
    """Who creates the resource with this id. A diagnostic setting belongs to the team of its target."""
    kind = type_of(identity)
    if kind == "Microsoft.Insights/diagnosticSettings":
        kind = type_of(identity.rsplit("/providers/", 1)[0])
    return KINDS[kind].team if kind in KINDS else Team.PLATFORM
