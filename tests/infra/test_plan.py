"""`make plan` tells every resource, what it is for and the right it takes; from Azure, or from the template only."""

import json
from collections.abc import Sequence

import pytest
from typer.testing import CliRunner

from tests.infra.conftest import Bicep
from tools.cli import app
from tools.infra import az
from tools.infra.build import BICEP, CONTENT, golden, scenarios
from tools.infra.compiler import HERE
from tools.infra.kinds import KINDS, Team, team_of
from tools.infra.plan import Planned, from_azure, report
from tools.infra.resources import created, type_of

APP_ONLY = BICEP / "scenarios" / "app-only.bicepparam"
GROUP = "/subscriptions/s/resourceGroups/rg-claude"
SUBSCRIPTION = "33333333-3333-3333-3333-333333333333"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv"
TABLE = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/law/tables/ClaudeActivity_CL"


def test_every_resource_of_a_scenario_is_of_a_known_kind() -> None:
    """No type is deployed whose purpose, right and team are not told."""
    for scenario in scenarios():
        made = created(json.loads(golden(scenario).read_text(encoding="utf-8")))
        assert {one.type for one in made} - KINDS.keys() == set()
    assert KINDS.keys() >= CONTENT


def test_the_rights_page_names_the_roles_of_the_plan() -> None:
    """A role that `make plan` tells is explained in docs/rights.md."""
    page = (BICEP.parents[1] / "docs" / "rights.md").read_text(encoding="utf-8")
    assert {kind.role for kind in KINDS.values() if kind.role not in page} == set()


def test_types_are_read_from_ids() -> None:
    """Children and resources that extend others are told by their own type."""
    assert type_of(TABLE) == "Microsoft.OperationalInsights/workspaces/tables"
    setting = f"{VAULT}/providers/Microsoft.Insights/diagnosticSettings/claude-bridge"
    assert type_of(setting) == "Microsoft.Insights/diagnosticSettings"
    assert (team_of(setting), team_of(TABLE)) == (Team.PLATFORM, Team.SENTINEL)


def test_the_plan_of_a_template_needs_no_azure(bicep: Bicep) -> None:
    """Offline each resource of the scenario stands in the plan, with the subscription and group that were named."""
    asked = ["infra", "plan", str(APP_ONLY), "--offline", "-g", "rg-ours", "--subscription", SUBSCRIPTION]
    planned = CliRunner().invoke(app, asked)
    assert planned.exit_code == 0
    told = planned.stdout
    assert "from the template only" in told
    assert f"### platform team, in rg-ours (subscription {SUBSCRIPTION})" in told
    for one in created(bicep.snapshot(APP_ONLY, HERE)):
        assert f" {one.type} " in told and f" {one.name} " in told
    assert "Key Vault Contributor" in told and "Microsoft.KeyVault/vaults/write" in told


def test_what_if_changes_are_grouped_by_team_and_role() -> None:
    """What-if's changes become lines; resources that are none of ours, and rights for what stays as it is, do not."""
    asked: list[Sequence[str]] = []

    def run(arguments: Sequence[str]) -> str:
        asked.append(arguments)
        right = f"{VAULT}/providers/Microsoft.Authorization/roleAssignments/0"
        changes = [("Create", TABLE), ("NoChange", VAULT), ("Create", right), ("Ignore", f"{GROUP}/providers/A.B/c/d")]
        return json.dumps({"changes": [{"changeType": change, "resourceId": of} for change, of in changes]})

    planned = from_azure(run, APP_ONLY, "rg-claude")
    assert [(one.change, one.name, one.team) for one in planned] == [
        ("create", "law/ClaudeActivity_CL", Team.SENTINEL),
        ("nochange", "kv", Team.PLATFORM),
        ("create", "on kv", Team.IDENTITY),
    ]
    assert asked[0][:5] == ["deployment", "group", "what-if", "--resource-group", "rg-claude"]
    told = report(planned)
    assert "Role Based Access Control Administrator" in told and "Log Analytics Contributor" in told
    assert "Key Vault Contributor" not in told


def test_rules_are_counted_not_listed() -> None:
    """Content is one line for each type and change."""
    rule = Planned("create", "Microsoft.SecurityInsights/alertRules", "a", GROUP, Team.SENTINEL)
    assert " (3 resources) " in report([rule, rule, rule])


def test_azure_that_cannot_be_asked_is_said(bicep: Bicep, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the CLI, or without a sign-in, the template answers and standard error says why."""

    def refuses(arguments: Sequence[str]) -> str:
        raise az.AzFailed("Please run 'az login'")

    def missing() -> az.Run:
        raise az.AzMissing("the Azure CLI is not installed")

    for found, words in ((missing, "not installed"), (lambda: refuses, "not signed in")):
        monkeypatch.setattr(az, "found", found)
        planned = CliRunner().invoke(app, ["infra", "plan", str(APP_ONLY), "-g", "rg-claude"])
        assert planned.exit_code == 0
        assert words in planned.stderr and "from the template only" in planned.stdout


def test_refused_parameters_are_said(bicep: Bicep) -> None:
    """Exit code 1 and the template's own sentence."""
    folder = bicep.copy("plan refused")
    wrong = folder / "wrong.bicepparam"
    wrong.write_text(
        APP_ONLY.read_text(encoding="utf-8").replace("'../app", "'app")
        + "param packageUri = 'http://a.example.com/b.zip'\n",
        encoding="utf-8",
    )
    refused = CliRunner().invoke(app, ["infra", "plan", str(wrong), "--offline"])
    assert refused.exit_code == 1
    assert "packageUri: must start" in refused.stderr
