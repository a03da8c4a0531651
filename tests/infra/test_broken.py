"""The checks can fail: a deliberately broken copy for each class of fault, caught by its own sentence."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.infra.checks import CHECKS, given_network_is_not_made_again, of_type
from tests.infra.conftest import Bicep


@dataclass(frozen=True)
class Fault:
    """`old` becomes `new` in `file`; then `scenario` is deployed, and a check says `sentence`."""

    name: str
    file: str
    old: str
    new: str
    scenario: str
    sentence: str


RULE_ROLE = "modules/role-rule.bicep"
FAULTS = (
    Fault(
        "shared keys",
        "modules/storage.bicep",
        "allowSharedKeyAccess: false",
        "allowSharedKeyAccess: true",
        "app-only",
        "shared keys are on",
    ),
    Fault(
        "public blobs",
        "modules/storage.bicep",
        "publicAccess: 'None'",
        "publicAccess: 'Blob'",
        "app-only",
        "blobs can be public",
    ),
    Fault("old TLS", "modules/storage.bicep", "'TLS1_2'", "'TLS1_0'", "app-only", "TLS below 1.2 is taken"),
    Fault(
        "old TLS of the app",
        "modules/site.bicep",
        "minTlsVersion: '1.2'\n      scm",
        "minTlsVersion: '1.0'\n      scm",
        "app-only",
        "minTlsVersion below 1.2",
    ),
    Fault(
        "publishing by password",
        "modules/site.bicep",
        "name: 'scm'\n  properties: { allow: false }",
        "name: 'scm'\n  properties: { allow: true }",
        "app-only",
        "can be published with a password",
    ),
    Fault(
        "vault by access policies",
        "modules/vault.bicep",
        "enableRbacAuthorization: true",
        "enableRbacAuthorization: false",
        "app-only",
        "access policies instead of roles",
    ),
    Fault(
        "telemetry by key",
        "modules/component.bicep",
        "DisableLocalAuth: true",
        "DisableLocalAuth: false",
        "app-only",
        "telemetry is taken without an identity",
    ),
    Fault(
        "secret in a body",
        "modules/storage.bicep",
        "publicAccess: 'None'",
        "publicAccess: 'None', metadata: { x: 'AccountKey=abc' }",
        "app-only",
        "looks like a secret",
    ),
    Fault(
        "unknown role",
        "roles.json",
        "3913510d-42f4-4e42-8a64-420c390055eb",
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "roles-only",
        "not a documented role",
    ),
    Fault(
        "right on the resource group",
        RULE_ROLE,
        "  scope: rule\n",
        "",
        "roles-only",
        "Monitoring Metrics Publisher: given on",
    ),
    Fault(
        "reader of every table",
        "modules/role-workspace.bicep",
        "empty(tables) ?",
        "!empty(tables) ?",
        "roles-only",
        "without a condition on tables",
    ),
    Fault(
        "right without guid()",
        RULE_ROLE,
        "guid(rule.id, principal.principalId, roleId)",
        "'publisher-${principal.principalId}'",
        "roles-only",
        "not named by guid()",
    ),
    Fault(
        "stream lacks a column",
        "modules/rule.bicep",
        "columns: map(table.columns,",
        "columns: map(skip(table.columns, 1),",
        "content-only",
        "stream lacks TimeGenerated",
    ),
    Fault(
        "table of another type",
        "modules/table.bicep",
        "? 'dateTime'",
        "? 'string'",
        "content-only",
        "table lacks TimeGenerated",
    ),
    Fault(
        "rule without endpoint", "modules/rule.bicep", "kind: 'Direct'", "kind: 'Linux'", "content-only", "not Direct"
    ),
    Fault(
        "name too long",
        "types.bicep",
        "'func-${prefix}",
        "'the-function-app-of-${prefix}",
        "smallest",
        "for Microsoft.Web/sites",
    ),
    Fault(
        "name that changes",
        "roles.bicep",
        "param principalId string\n",
        "param principalId string = newGuid()\n",
        "roles-only",
        "changes with every deployment",
    ),
    Fault(
        "unknown setting",
        "settings.bicep",
        "  PAGE_LIMIT:",
        "  PAGE_SIZE:",
        "app-only",
        "PAGE_SIZE: the code knows no such setting",
    ),
    Fault(
        "missing setting",
        "settings.bicep",
        "  LOG_LEVEL: settings.?logLevel ?? ''\n",
        "",
        "app-only",
        "LOG_LEVEL: missing from the template",
    ),
    Fault(
        "second DNS zone",
        "app.bicep",
        "var ownZones = network.kind == 'created'",
        "var ownZones = network.kind != 'public'",
        "network-given",
        "Microsoft.Network/privateDnsZones is created beside the given one",
    ),
    Fault(
        "second private link scope",
        "modules/monitor-link.bicep",
        "'link-scope.bicep' = if (scopeIsOurs)",
        "'link-scope.bicep' = if (!empty(scopeResourceId))",
        "network-given",
        "Microsoft.Insights/privateLinkScopes is created beside the given one",
    ),
)


def broken(bicep: Bicep, name: str, file: str, old: str, new: str) -> Path:
    """A copy of the templates in which the one place `old` of `file` became `new`."""
    folder = bicep.copy(name)
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file} has {text.count(old)} times {old!r}"
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    return folder


@pytest.mark.sampled(5)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_caught_by_its_own_sentence(bicep: Bicep, fault: Fault) -> None:
    """The broken copy compiles, and the checks that pass for the real one name what is wrong."""
    folder = broken(bicep, fault.name, fault.file, fault.old, fault.new)
    scenario = folder / "scenarios" / f"{fault.scenario}.bicepparam"
    if "newGuid" in fault.new:  # so that the default counts
        given = scenario.read_text(encoding="utf-8")
        scenario.write_text(given.replace("param principalId = '99999999-9999-9999-9999-999999999999'\n", ""))
    resources = bicep.snapshot(scenario)["predictedResources"]
    found = [sentence for check in CHECKS for sentence in check(resources)]
    if fault.scenario == "network-given":
        found += given_network_is_not_made_again(resources)
    assert fault.sentence in " ".join(found)


REMARKS = (
    (
        "unused parameter",
        "modules/identity.bicep",
        "param tags tagsType",
        "param tags tagsType\n\n@description('Optional. X.')\nparam spare string?",
        "no-unused-params",
    ),
    (
        "old API version",
        "modules/identity.bicep",
        "userAssignedIdentities@2024-11-30",
        "userAssignedIdentities@2018-11-30",
        "use-recent-api-versions",
    ),
    ("misspelt property", "modules/vault.bicep", "enableSoftDelete:", "enableSoftDeletes:", "BCP089"),
    (
        "secret by default",
        "modules/identity.bicep",
        "param tags tagsType",
        "param tags tagsType\n\n@secure()\n@description('Optional. X.')\nparam apiKey string = 'abc'",
        "secure-parameter-default",
    ),
    (
        "secret told",
        "modules/storage.bicep",
        "output resourceId string = account.id",
        "output resourceId string = account.listKeys().keys[0].value",
        "outputs-should-not-contain-secrets",
    ),
    (
        "key fetched into a setting",
        "modules/site.bicep",
        "AZURE_CLIENT_ID: identityClientId",
        "AZURE_CLIENT_ID: listKeys(component.id, '2020-02-02').x",
        "use-resource-symbol-reference",
    ),
    (
        "address of one cloud",
        "app.bicep",
        ".blob.${storageSuffix}'",
        ".blob.core.windows.net'",
        "no-hardcoded-env-urls",
    ),
)


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("name", "file", "old", "new", "code"), REMARKS, ids=[remark[0] for remark in REMARKS])
def test_the_compiler_remarks_on_a_fault(bicep: Bicep, name: str, file: str, old: str, new: str, code: str) -> None:
    """Compiler or linter says it, so that the test for no remarks fails."""
    folder = broken(bicep, name, file, old, new)
    assert code in {remark.code for remark in bicep.compile(folder / file).diagnostics}


def test_the_longest_prefix_fits_everywhere(bicep: Bicep) -> None:
    """Twelve characters, a digit first: every name is one that Azure takes, in the shape with the most resources."""
    folder = bicep.copy("longest prefix")
    scenario = folder / "scenarios" / "network-created.bicepparam"
    scenario.write_text(scenario.read_text(encoding="utf-8") + "param prefix = '1-claude-abc'\n", encoding="utf-8")
    resources = bicep.snapshot(scenario)["predictedResources"]
    assert [sentence for check in CHECKS for sentence in check(resources)] == []
    assert [vault["name"][:15] for vault in of_type(resources, "Microsoft.KeyVault/vaults")] == ["kv-1-claude-abc"]


@pytest.mark.long
def test_every_api_version_is_the_newest_stable_one(bicep: Bicep) -> None:
    """With no age allowed the linter takes only the newest version of each type that the pinned compiler knows."""
    folder = broken(
        bicep,
        "newest versions",
        "bicepconfig.json",
        '"use-recent-api-versions": { "level": "error" }',
        '"use-recent-api-versions": { "level": "error", "maxAllowedAgeInDays": 0 }',
    )
    remarks = bicep.compile(folder / "main.bicep").diagnostics
    if bicep.compiler.version() != "0.49.2":
        pytest.skip(f"judged with Bicep 0.49.2, this is {bicep.compiler.version()}")
    assert [str(remark) for remark in remarks] == []
