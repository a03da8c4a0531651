"""What cannot be meant is refused when a template is compiled or validated, in a sentence, not half-way through."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.infra.conftest import Bicep
from tools.infra.compiler import BicepRefused

WORKSPACE = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-sentinel"
    "/providers/Microsoft.OperationalInsights/workspaces/law-sentinel"
)
GIVEN = f"param workspace = {{ kind: 'given', resourceId: '{WORKSPACE}' }}\n"
PRINCIPAL = "44444444-4444-4444-4444-444444444444"
SUBNET = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets"


@dataclass(frozen=True)
class Refusal:
    """`parameters` for `template` are refused with words that contain `sentence`."""

    name: str
    parameters: str
    sentence: str
    template: str = "main.bicep"


AT_VALIDATION = (
    Refusal(
        "a workspace by name",
        "param workspace = { kind: 'given', resourceId: 'law-sentinel' }",
        "workspace.resourceId: must be the resource id of a Microsoft.OperationalInsights/workspaces",
    ),
    Refusal("capitals in the prefix", GIVEN + "param prefix = 'Claude'", "prefix: lower-case letters"),
    Refusal("a hyphen at the end of the prefix", GIVEN + "param prefix = 'claude-'", "no hyphen at either end"),
    Refusal("a storage name with a hyphen", GIVEN + "param names = { storage: 'st-claude' }", "names.storage"),
    Refusal(
        "two connections of one name",
        GIVEN + "param connections = [{ name: 'a' }, { name: 'a' }]",
        "connections: two share a name",
    ),
    Refusal(
        "a connection's name in capitals",
        GIVEN + "param connections = [{ name: 'Contoso' }]",
        "connections: a name has",
    ),
    Refusal(
        "full beside pseudonymous",
        GIVEN + "param settings = { identity: 'pseudonymous', minimize: { chats: 'full' } }",
        "settings.minimize: full beside identity pseudonymous",
    ),
    Refusal(
        "a report's mail into a private network",
        GIVEN + "param network = { kind: 'created' }\n"
        "param report = { kind: 'created', every: 'weekly', mail: { recipients: 'a@example.com' } }",
        "report.mail: a Logic App on the consumption plan does not reach storage in a private network",
    ),
    Refusal(
        "an account for a container",
        GIVEN + "param report = { kind: 'given', every: 'weekly', containerUrl: 'https://a.example.com' }",
        "report.containerUrl: must look like",
    ),
    Refusal(
        "a key by name",
        GIVEN + "param report = { kind: 'given', every: 'weekly', containerUrl: 'https://a.example.com/b', "
        "signingKey: 'report' }",
        "report.signingKey: must be a key's identifier",
    ),
    Refusal(
        "rules over a Basic table",
        GIVEN + "param tables = { ClaudeActivity_CL: { plan: 'Basic' } }",
        "tables.ClaudeActivity_CL.plan: rules need Analytics",
    ),
    Refusal(
        "alerts over a Basic table",
        GIVEN + "param deployContent = false\nparam tables = { ClaudeBridgeHealth_CL: { plan: 'Basic' } }",
        "tables.ClaudeBridgeHealth_CL.plan: rules need Analytics, as alerts do",
    ),
    Refusal(
        "an archive shorter than the table",
        GIVEN + "param tables = { ClaudeActivity_CL: { retentionDays: 365, totalRetentionDays: 90 } }",
        "tables.ClaudeActivity_CL.totalRetentionDays: must not be less than retentionDays",
    ),
    Refusal(
        "an archive of no step",
        GIVEN + "param tables = { ClaudeActivity_CL: { totalRetentionDays: 1000 } }",
        "or 1095, 1460",
    ),
    Refusal(
        "one subnet for all",
        GIVEN + f"param network = {{ kind: 'given', integrationSubnetResourceId: '{SUBNET}/a', "
        f"endpointSubnetResourceId: '{SUBNET}/a' }}",
        "a subnet of its own",
    ),
    Refusal(
        "a subnet by name",
        GIVEN + f"param network = {{ kind: 'given', integrationSubnetResourceId: 'a', "
        f"endpointSubnetResourceId: '{SUBNET}/a' }}",
        "a subnet must be given as",
    ),
    Refusal(
        "a zone for a scope",
        GIVEN + f"param network = {{ kind: 'given', integrationSubnetResourceId: '{SUBNET}/a', "
        f"endpointSubnetResourceId: '{SUBNET}/b', privateLinkScopeResourceId: '{WORKSPACE}' }}",
        "network.privateLinkScopeResourceId: must be the resource id of",
    ),
    Refusal(
        "a package without TLS",
        GIVEN + "param packageUri = 'http://downloads.example.com/a.zip'",
        "packageUri: must start",
    ),
    Refusal(
        "a reader who is an operator, too",
        GIVEN
        + f"var who = {{ principalId: '{PRINCIPAL}', principalType: 'User' }}\n"
        + "param tableReaders = [union(who, { tables: ['ClaudeActivity_CL'] })]\n"
        + "param operators = [who]",
        "tableReaders, operators: a principal is listed twice",
    ),
    Refusal(
        "a new workspace of another name",
        "param workspaceName = 'law-a'\nparam newWorkspace = { name: 'law-b', location: 'westeurope' }",
        "newWorkspace.name: must be the same",
        "workspace.bicep",
    ),
)

AT_COMPILATION = (
    Refusal("a prefix of one letter", GIVEN + "param prefix = 'a'", "BCP333"),
    Refusal("a prefix of thirteen letters", GIVEN + "param prefix = 'claude-bridge'", "BCP332"),
    Refusal(
        "a name for a rule that is too long", GIVEN + "param ruleName = 'dcr-claude-bridge-of-contoso-001'", "BCP332"
    ),
    Refusal("an unknown setting", GIVEN + "param settings = { pageSize: 10 }", "BCP037"),
    Refusal("a setting out of its limits", GIVEN + "param settings = { settleSeconds: 5 }", "BCP328"),
    Refusal("an unknown mode", GIVEN + "param settings = { minimize: { chats: 'none' } }", "BCP036"),
    Refusal("an unknown kind of network", GIVEN + "param network = { kind: 'private' }", "BCP036"),
    Refusal("a network without its subnets", GIVEN + "param network = { kind: 'given' }", "BCP035"),
    Refusal("no connection", GIVEN + "param connections = []", "BCP333"),
    Refusal("an old Python", GIVEN + "param pythonVersion = '3.9'", "BCP033"),
    Refusal("a key", GIVEN + "param complianceAccessKey = 'x'", "BCP259"),
    Refusal(
        "a rule's name for its id",
        f"param workspaceResourceId = '{WORKSPACE}'\nparam destination = {{ workspaceCustomerId: 'a', "
        "workspaceLocation: 'a', ruleImmutableId: 'dcr-claude', ingestionEndpoint: 'https://a', tableVersions: {} }",
        "BCP333",
        "app.bicep",
    ),
    Refusal("an unknown table", GIVEN + "param tables = { ClaudeActivty_CL: { retentionDays: 90 } }", "BCP089"),
    Refusal(
        "a plan without a right to read",
        GIVEN + "param tables = { ClaudeActivity_CL: { plan: 'Auxiliary' } }",
        "BCP036",
    ),
    Refusal(
        "a reader of an unknown table",
        GIVEN + f"param tableReaders = [{{ principalId: '{PRINCIPAL}', principalType: 'User', tables: ['Other_CL'] }}]",
        "BCP034",
    ),
)


@pytest.fixture(scope="module")
def folder(bicep: Bicep) -> Path:
    return bicep.copy("refused")


def _file(folder: Path, refusal: Refusal) -> Path:
    path = folder / f"{refusal.name.replace(' ', '-')}.bicepparam"
    path.write_text(f"using '{refusal.template}'\n{refusal.parameters}\n", encoding="utf-8")
    return path


@pytest.mark.sampled(4)
@pytest.mark.parametrize("refusal", AT_VALIDATION, ids=lambda refusal: refusal.name)
def test_a_combination_that_cannot_be_meant_is_refused(bicep: Bicep, folder: Path, refusal: Refusal) -> None:
    """Validation ends with a sentence that names the parameter."""
    with pytest.raises(BicepRefused) as refused:
        bicep.snapshot(_file(folder, refusal))
    assert refusal.sentence in str(refused.value)


@pytest.mark.parametrize("refusal", AT_COMPILATION, ids=lambda refusal: refusal.name)
def test_a_value_that_cannot_be_is_refused(bicep: Bicep, folder: Path, refusal: Refusal) -> None:
    """The compiler refuses the parameter file, by the type of the parameter."""
    errors = {remark.code for remark in bicep.compile(_file(folder, refusal)).diagnostics if remark.level == "Error"}
    assert refusal.sentence in errors
