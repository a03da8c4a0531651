"""What the scenarios would create, judged by their golden files; test_templates.py shows that these are of today."""

import json
from functools import cache
from typing import Any

import pytest

from shared.settings import Settings
from tests.infra.checks import (
    CHECKS,
    ROLES,
    SCOPES,
    ZONES,
    Check,
    Resource,
    app_settings,
    given_network_is_not_made_again,
    of_type,
    rights_are_narrow,
)
from tools.infra.build import BICEP, golden, scenarios
from tools.infra.resources import scope_of

WIDER_BY_PARAMETER = {
    "sovereign": {"Log Analytics Reader: wider than the tables", "Storage Blob Data Owner: given on the account"}
}


@cache
def _snapshot(name: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(golden(BICEP / "scenarios" / f"{name}.bicepparam").read_text(encoding="utf-8"))
    return made


def created(name: str) -> list[Resource]:
    """The resources that a scenario creates."""
    found: list[Resource] = _snapshot(name)["predictedResources"]
    return found


NAMES = tuple(path.stem for path in scenarios())
KEYS = "Microsoft.KeyVault/vaults/keys"


def test_the_scenarios_are_the_promised_ones() -> None:
    """Eight shapes of a deployment, and the templates that other teams deploy alone."""
    assert set(NAMES) == {
        "smallest", "other-region", "new-workspace", "network-given", "network-created", "pseudonymous", "sovereign",
        "content-only", "app-only", "roles-only", "reports",
    }  # fmt: skip


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_a_deployment_holds_what_is_promised(name: str, check: Check) -> None:
    """Nothing is open, secret, too wide, too long, or different from the code's tables and settings."""
    found = check(created(name))
    if check is rights_are_narrow and name in WIDER_BY_PARAMETER:
        account = scope_of(of_type(created(name), "Microsoft.Authorization/roleAssignments")[3])
        assert {fault.replace(account, "the account") for fault in found} == WIDER_BY_PARAMETER[name]
    else:
        assert found == []


@pytest.mark.parametrize("name", NAMES)
def test_no_resource_is_created_twice(name: str) -> None:
    """Each id occurs once."""
    ids = [resource["id"].lower() for resource in created(name)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", NAMES)
def test_outputs_and_defaults_hold_no_secret(name: str) -> None:
    """Outputs are names and addresses."""
    assert not {key for key in _snapshot(name)["outputs"] if "key" in key.lower() or "secret" in key.lower()}


def test_the_smallest_one_leaves_the_workspace_where_it_is() -> None:
    """Tables and rule go into the workspace's resource group, the app into its own; nothing else is made there."""
    there = [resource for resource in created("smallest") if "/resourceGroups/rg-sentinel/" in resource["id"]]
    kinds = {resource["type"] for resource in there}
    assert kinds == {
        "Microsoft.OperationalInsights/workspaces/tables",
        "Microsoft.Insights/dataCollectionRules",
        "Microsoft.Insights/diagnosticSettings",
        "Microsoft.Authorization/roleAssignments",
    }


def test_the_rule_follows_the_workspace_into_its_subscription_and_region() -> None:
    """The rule's region is read from the workspace, never typed; the app's is its own."""
    workspace = "/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/rg-soc-weu/providers"
    (rule,) = of_type(created("other-region"), "Microsoft.Insights/dataCollectionRules")
    assert rule["id"].startswith(workspace)
    assert "workspaces/law-soc'" in rule["location"] and rule["location"].endswith(".location]")
    (site,) = of_type(created("other-region"), "Microsoft.Web/sites")
    assert site["location"] == "northeurope"
    alert = of_type(created("other-region"), "Microsoft.Insights/scheduledQueryRules")[0]
    assert alert["location"] == rule["location"]


def test_rights_can_be_left_to_others() -> None:
    """assignRoles false: not one right is given."""
    assert of_type(created("other-region"), "Microsoft.Authorization/roleAssignments") == []


def test_a_new_workspace_gets_sentinel() -> None:
    """The workspace is created once, with Microsoft Sentinel on it."""
    assert len(of_type(created("new-workspace"), "Microsoft.OperationalInsights/workspaces")) == 1
    assert len(of_type(created("new-workspace"), "Microsoft.SecurityInsights/onboardingStates")) == 1
    assert of_type(created("smallest"), "Microsoft.OperationalInsights/workspaces") == []


def test_a_package_is_taken_as_it_is() -> None:
    """The zip holds its wheels: nothing is built in the tenant, so no package index is asked."""
    (package,) = of_type(created("new-workspace"), "Microsoft.Web/sites/extensions")
    assert package["properties"]["remoteBuild"] is False


def test_what_is_given_is_not_created_again() -> None:
    """A second zone or scope would take over the names of the hub's."""
    assert given_network_is_not_made_again(created("network-given")) == []
    assert len(of_type(created("network-created"), SCOPES)) == 1
    zones = [zone["name"] for zone in of_type(created("network-created"), ZONES)]
    assert len(zones) == len(set(zones)) == 7


@pytest.mark.parametrize("name", ["network-given", "network-created"])
def test_a_private_network_closes_the_doors_to_the_internet(name: str) -> None:
    """Storage, vault, app and telemetry are closed to the internet; each private endpoint has a DNS record."""
    for kind in ("Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults", "Microsoft.Web/sites"):
        (resource,) = of_type(created(name), kind)
        assert resource["properties"]["publicNetworkAccess"] == "Disabled"
    (component,) = of_type(created(name), "Microsoft.Insights/components")
    assert component["properties"]["publicNetworkAccessForIngestion"] == "Disabled"
    doors = of_type(created(name), "Microsoft.Network/privateEndpoints")
    groups = {door["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"][0] for door in doors}
    assert groups == {"blob", "vault", "sites"} | ({"azuremonitor"} if name == "network-created" else set())
    assert len(of_type(created(name), "Microsoft.Network/privateEndpoints/privateDnsZoneGroups")) == len(doors)


def test_a_private_app_sends_to_the_collection_endpoint() -> None:
    """With private link rows go to the data collection endpoint, since the rule's own is public."""
    for name, endpoint in (("network-given", "dce-hub"), ("network-created", "dce-claude")):
        assert f"dataCollectionEndpoints/{endpoint}" in app_settings(created(name))["INGESTION_ENDPOINT"]
        (rule,) = of_type(created(name), "Microsoft.Insights/dataCollectionRules")
        assert rule["properties"]["dataCollectionEndpointId"].endswith(endpoint)
    assert "dataCollectionRules/dcr-claude" in app_settings(created("smallest"))["INGESTION_ENDPOINT"]


def test_the_owners_of_a_given_scope_keep_their_links() -> None:
    """Into a given scope only our own component is linked; into one of ours, component, endpoint and workspace."""
    links = f"{SCOPES}/scopedResources"
    assert [link["name"].split("/")[1][:11] for link in of_type(created("network-given"), links)] == ["appi-claude"]
    assert len(of_type(created("network-created"), links)) == 3


def test_retention_and_protection_are_as_asked() -> None:
    """Health is kept 730 days unless told otherwise; archive and protection go where they are asked for."""
    tables = {t["name"].split("/")[1]: t["properties"] for t in _tables("smallest")}
    assert tables["ClaudeBridgeHealth_CL"]["retentionInDays"] == 730
    assert "protectionLevel" not in tables["ClaudeActivity_CL"]
    tables = {t["name"].split("/")[1]: t["properties"] for t in _tables("pseudonymous")}
    assert tables["ClaudeActivity_CL"]["protectionLevel"] == "Protected"
    assert tables["ClaudeActivity_CL"]["totalRetentionInDays"] == 2556


def _tables(name: str) -> list[Resource]:
    return of_type(created(name), "Microsoft.OperationalInsights/workspaces/tables")


def test_each_reader_sees_its_tables_and_no_other() -> None:
    """A reader's condition names its table alone, with the protection level where the table is protected."""
    conditions = {
        assignment["properties"]["principalId"][:4]: assignment["properties"].get("condition", "")
        for assignment in of_type(created("pseudonymous"), "Microsoft.Authorization/roleAssignments")
    }
    assert "ClaudeActivity_CL" in conditions["6666"] and "ClaudeBridgeHealth_CL" not in conditions["6666"]
    assert "protectionLevel] StringEquals 'Protected'" in conditions["6666"]
    assert "ClaudeBridgeHealth_CL" in conditions["7777"] and "ClaudeActivity_CL" not in conditions["7777"]


def test_operators_get_what_the_commands_need() -> None:
    """Rows, state, keys and the bridge's tables; nothing of the host's, nothing on the package, nothing wider."""
    rights = of_type(created("roles-only"), "Microsoft.Authorization/roleAssignments")
    theirs = [one for one in rights if one["properties"]["principalId"].startswith("1212")]
    got = {
        (ROLES[one["properties"]["roleDefinitionId"].rsplit("/", 1)[-1]], scope_of(one).split("/")[-1])
        for one in theirs
    }
    assert got == {
        ("Monitoring Metrics Publisher", "dcr-claude"),
        ("Storage Blob Data Contributor", "state"),
        ("Key Vault Secrets User", "contoso-prd-kv-claude"),
        ("Log Analytics Data Reader", "law-soc"),
    }


REPORTS = {
    ("Storage Blob Data Contributor", "reports", "app"),
    ("Key Vault Crypto User", "report", "app"),
    ("Storage Blob Data Reader", "reports", "mail"),
}


def test_reports_get_a_container_a_key_and_rights_on_them_alone() -> None:
    """What the app writes and signs with is made for it; the mail's Logic App only reads; watchlists can be read."""
    assert [key["name"].split("/")[1] for key in of_type(created("reports"), KEYS)] == ["report"]
    for name in ("reports", "roles-only"):
        rights = of_type(created(name), "Microsoft.Authorization/roleAssignments")
        got = {
            (
                ROLES[one["properties"]["roleDefinitionId"].rsplit("/", 1)[-1]],
                scope_of(one).split("/")[-1],
                "mail" if any(of in one["properties"]["principalId"] for of in ("Logic", "1313")) else "app",
            )
            for one in rights
        }
        assert got >= REPORTS
        assert [one for one in rights if "'Watchlist'" in one["properties"].get("condition", "")]
    others = of_type(created("smallest"), "Microsoft.Authorization/roleAssignments")
    assert not [one for one in others if "Watchlist" in str(one) or "/reports" in scope_of(one)]
    assert of_type(created("smallest"), KEYS) == of_type(created("app-only"), KEYS) == []


def test_the_reports_settings_are_where_they_go() -> None:
    """The container and the key of this deployment, or those of whoever keeps the archive; nothing without a report."""
    names = ("REPORT_SCHEDULE", "REPORT_CONTAINER_URL", "REPORT_SIGNING_KEY", "REPORT_NAMES")
    schedule, container, key, called = (app_settings(created("reports"))[name] for name in names)
    (account,) = of_type(created("reports"), "Microsoft.Storage/storageAccounts")
    (vault,) = of_type(created("reports"), "Microsoft.KeyVault/vaults")
    assert (schedule, called) == ("monthly", "")
    assert container.startswith(f"https://{account['name']}.blob.") and container.endswith("/reports")
    assert key.startswith(f"https://{vault['name']}.vault.") and key.endswith("/keys/report")
    assert [app_settings(created("app-only"))[name] for name in names[1:3]] == [
        "https://contosoarchive.blob.example.com/claude-reports",
        "https://contoso-archive-kv.vault.example.com/keys/claude-reports",
    ]
    assert {app_settings(created("smallest"))[name] for name in names} == {""}


def test_a_sovereign_cloud_has_its_own_addresses() -> None:
    """No address of the public cloud is left in the settings."""
    settings = app_settings(created("sovereign"))
    assert settings["INGESTION_AUDIENCE"] == "https://monitor.azure.us/.default"
    assert not [name for name, value in settings.items() if "windows.net" in value or "azure.com" in value]


@pytest.mark.parametrize("name", [name for name in NAMES if app_settings(created(name))])
def test_the_code_takes_the_settings_it_is_given(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings.load of what the template writes, with the ids that only Azure knows filled in, is valid."""
    for setting, value in app_settings(created(name)).items():
        known = {
            "DCR_IMMUTABLE_ID": "dcr-0123456789abcdef0123456789abcdef",
            "INGESTION_ENDPOINT": "https://dcr-claude.westeurope-1.ingest.monitor.azure.com",
        }
        monkeypatch.setenv(setting, known.get(setting, value) if value.startswith("[") and setting in known else value)
    settings = Settings()
    assert settings.key_vault_url and settings.state_container_url
    assert settings.identity == ("pseudonymous" if name == "pseudonymous" else "clear")
    assert [one.name for one in settings.connections][:1] == ["contoso" if name == "other-region" else "default"]


def test_state_is_deleted_as_documented() -> None:
    """Lifecycle rules are those of docs/operate.md; what waits for a replay is never deleted unless asked."""

    def days(name: str) -> dict[str, int]:
        (policy,) = of_type(created(name), "Microsoft.Storage/storageAccounts/managementPolicies")
        return {
            rule["name"]: next(iter(next(iter(rule["definition"]["actions"].values()))["delete"].values()))
            for rule in policy["properties"]["policy"]["rules"]
        }

    assert days("smallest") == {"ledger": 2557, "overflow": 90, "health": 30, "unreadable": 90, "earlier-versions": 30}
    assert days("pseudonymous")["dead-letters"] == 90
    assert days("pseudonymous")["overflow"] == 2556


def test_every_right_is_explained() -> None:
    """docs/rights.md names every role that a scenario gives, by name and id."""
    page = (BICEP.parents[1] / "docs" / "rights.md").read_text(encoding="utf-8")
    for name in NAMES:
        for assignment in of_type(created(name), "Microsoft.Authorization/roleAssignments"):
            role = assignment["properties"]["roleDefinitionId"].rsplit("/", 1)[-1]
            assert ROLES[role] in page and role in page
