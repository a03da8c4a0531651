"""What each type of resource is for, who may create it, and when it goes.

Roles are Azure's built-in ones that hold the type's `write`, the narrowest of them:
https://learn.microsoft.com/azure/role-based-access-control/built-in-roles (2026-11, not tried in a tenant).
docs/rights.md tells the same by template.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum, auto

from tools.infra.resources import type_of


class Team(Enum):
    SENTINEL = "Sentinel team"
    PLATFORM = "platform team"
    IDENTITY = "identity team"


class Leaves(IntEnum):
    """Removal goes through these in order."""

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
    """`also` are rights on other resources that creating one of this type takes."""

    purpose: str
    team: Team
    role: str
    leaves: Leaves
    also: str = ""


_S, _P, _I = Team.SENTINEL, Team.PLATFORM, Team.IDENTITY
_LOGS, _MONITOR = "Log Analytics Contributor", "Monitoring Contributor"
_SENTINEL, _NETWORK = "Microsoft Sentinel Contributor", "Network Contributor"
_STORAGE, _SITE, _DNS = "Storage Account Contributor", "Website Contributor", "Private DNS Zone Contributor"

KINDS: dict[str, Kind] = {
    "Microsoft.Authorization/roleAssignments": Kind(
        "a right of the app, or of people who were named",
        _I,
        "Role Based Access Control Administrator",
        Leaves.RIGHTS,
    ),
    "Microsoft.Insights/components": Kind(
        "telemetry of the app",
        _P,
        _MONITOR,
        Leaves.APP,
        also="read on the telemetry workspace (if refused, workspaces/sharedKeys/action as well)",
    ),
    "Microsoft.Insights/dataCollectionEndpoints": Kind("private address for rows", _S, _MONITOR, Leaves.RULE),
    "Microsoft.Insights/dataCollectionRules": Kind("takes rows and checks their columns", _S, _MONITOR, Leaves.RULE),
    "Microsoft.Insights/diagnosticSettings": Kind(
        "log of refused rows, and of who read a key", _S, _MONITOR, Leaves.RULE
    ),
    "Microsoft.Insights/privateLinkScopes": Kind("Azure Monitor by private link", _P, _MONITOR, Leaves.NETWORK),
    "Microsoft.Insights/privateLinkScopes/scopedResources": Kind(
        "puts a resource behind private link", _P, _MONITOR, Leaves.APP
    ),
    "Microsoft.Insights/scheduledQueryRules": Kind("an alert about the bridge itself", _P, _MONITOR, Leaves.ALERTS),
    "Microsoft.Insights/workbooks": Kind("a workbook", _S, _SENTINEL, Leaves.CONTENT),
    "Microsoft.KeyVault/vaults": Kind("holds the Claude keys", _P, "Key Vault Contributor", Leaves.VAULT),
    "Microsoft.KeyVault/vaults/keys": Kind(
        "signs compliance reports", _P, "Key Vault Contributor", Leaves.WITH_ITS_PARENT
    ),
    "Microsoft.Logic/workflows": Kind("mails the link to a report", _P, "Logic App Contributor", Leaves.APP),
    "Microsoft.ManagedIdentity/userAssignedIdentities": Kind(
        "who the app is", _P, "Managed Identity Contributor", Leaves.APP
    ),
    "Microsoft.Network/natGateways": Kind("way out to the Compliance API", _P, _NETWORK, Leaves.NETWORK),
    "Microsoft.Network/networkSecurityGroups": Kind("filter of the subnets", _P, _NETWORK, Leaves.NETWORK),
    "Microsoft.Network/privateDnsZones": Kind("names of the private endpoints", _P, _DNS, Leaves.NETWORK),
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": Kind(
        "makes the names known in the network", _P, _DNS, Leaves.NETWORK, also=f"{_NETWORK} on the network (join)"
    ),
    "Microsoft.Network/privateEndpoints": Kind(
        "private address of one resource",
        _P,
        _NETWORK,
        Leaves.APP,
        also="Microsoft.Network/virtualNetworks/subnets/join/action on the subnet",
    ),
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": Kind(
        "DNS record of a private endpoint",
        _P,
        _NETWORK,
        Leaves.WITH_ITS_PARENT,
        also="Microsoft.Network/privateDnsZones/join/action on the zone",
    ),
    "Microsoft.Network/publicIPAddresses": Kind("address of the way out", _P, _NETWORK, Leaves.NETWORK),
    "Microsoft.Network/virtualNetworks": Kind("network of the app", _P, _NETWORK, Leaves.NETWORK),
    "Microsoft.OperationalInsights/workspaces": Kind("a new workspace", _S, _LOGS, Leaves.DATA),
    "Microsoft.OperationalInsights/workspaces/savedSearches": Kind("a parser or hunt", _S, _LOGS, Leaves.CONTENT),
    "Microsoft.OperationalInsights/workspaces/summaryLogs": Kind("a daily summary", _S, _LOGS, Leaves.CONTENT),
    "Microsoft.OperationalInsights/workspaces/tables": Kind("rows", _S, _LOGS, Leaves.DATA),
    "Microsoft.SecurityInsights/alertRules": Kind("an analytics rule", _S, _SENTINEL, Leaves.CONTENT),
    "Microsoft.SecurityInsights/automationRules": Kind("tasks in an incident", _S, _SENTINEL, Leaves.CONTENT),
    "Microsoft.SecurityInsights/onboardingStates": Kind(
        "Microsoft Sentinel on the new workspace", _S, _SENTINEL, Leaves.WITH_ITS_PARENT, also="Contributor once"
    ),
    "Microsoft.SecurityInsights/watchlists": Kind("approvals and exceptions", _S, _SENTINEL, Leaves.DATA),
    "Microsoft.Storage/storageAccounts": Kind("state, package, the host's locks", _P, _STORAGE, Leaves.DATA),
    "Microsoft.Storage/storageAccounts/blobServices": Kind(
        "versions and soft delete", _P, _STORAGE, Leaves.WITH_ITS_PARENT
    ),
    "Microsoft.Storage/storageAccounts/blobServices/containers": Kind(
        "a container", _P, _STORAGE, Leaves.WITH_ITS_PARENT
    ),
    "Microsoft.Storage/storageAccounts/managementPolicies": Kind(
        "what is deleted when", _P, _STORAGE, Leaves.WITH_ITS_PARENT
    ),
    "Microsoft.Web/connections": Kind("mailbox that the link is sent from", _P, "Logic App Contributor", Leaves.APP),
    "Microsoft.Web/serverfarms": Kind("Flex Consumption plan", _P, "Web Plan Contributor", Leaves.APP),
    "Microsoft.Web/sites": Kind(
        "the function app",
        _P,
        _SITE,
        Leaves.APP,
        also="Managed Identity Operator on the app's identity",
    ),
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": Kind(
        "nobody publishes by password", _P, _SITE, Leaves.WITH_ITS_PARENT
    ),
    "Microsoft.Web/sites/extensions": Kind("the code, from its zip", _P, _SITE, Leaves.WITH_ITS_PARENT),
}


def team_of(identity: str) -> Team:
    """Who creates the resource with this id. A diagnostic setting is of the team of what it is about."""
    kind = type_of(identity)
    if kind == "Microsoft.Insights/diagnosticSettings":
        kind = type_of(identity.rsplit("/providers/", 1)[0])
    return KINDS[kind].team if kind in KINDS else Team.PLATFORM
