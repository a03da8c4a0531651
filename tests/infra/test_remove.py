"""Removal takes what was deployed, in an order in which nothing is orphaned, and no data unless asked."""

import json
from collections.abc import Sequence

import pytest
from typer.testing import CliRunner

from tests.infra.conftest import Bicep
from tools.cli import app
from tools.infra import az
from tools.infra.build import BICEP, golden, scenarios
from tools.infra.kinds import KINDS, RemovalPhase
from tools.infra.remove import Removal, RemovalStep, carry_out, removal, script
from tools.infra.resources import ASSIGNMENT, Created, created

NAMES = tuple(path.stem for path in scenarios())
DATA = ("/tables/", "/storageAccounts/", "/watchlists/", "Microsoft.OperationalInsights/workspaces/law-claude ")


def deployed(name: str) -> list[Created]:
    return created(json.loads(golden(BICEP / "scenarios" / f"{name}.bicepparam").read_text(encoding="utf-8")))


def commands(plan: Removal) -> list[str]:
    return [" ".join(command) + " " for step in plan.steps for command in step.commands]


@pytest.mark.parametrize("name", NAMES)
def test_everything_goes_once_with_data(name: str) -> None:
    """Each resource is taken away by one command, or goes with its parent; nothing is forgotten."""
    said = commands(removal(deployed(name), with_data=True))
    for one in deployed(name):
        if one.type == ASSIGNMENT:
            aim = f"--ids {one.id} " if one.known else f"--role {one.role} --scope {one.on} "
            assert sum(aim in command for command in said) == 1, one.name
        elif KINDS[one.type].phase is not RemovalPhase.WITH_ITS_PARENT:
            assert sum(f"resource delete --ids {one.id} " in command for command in said) == 1, one.name


@pytest.mark.parametrize("name", NAMES)
def test_data_stays_unless_asked_for(name: str) -> None:
    """Rows, watchlists, state and a workspace are in no command, and are listed as staying."""
    plan = removal(deployed(name), with_data=False)
    gone = [command for command in commands(plan) if command.startswith("resource delete") and _of_data(command)]
    assert gone == []
    data = [one for one in deployed(name) if KINDS[one.type].phase is RemovalPhase.DATA]
    assert len(plan.stays) == len(data)


def _of_data(command: str) -> bool:
    return any(part in command for part in DATA)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("functionapp stop", "role assignment delete"),
        ("scheduledQueryRules", "Microsoft.Web/sites/func-claude-s7k6xszx --api"),
        ("role assignment delete", "userAssignedIdentities/id-claude --api"),
        ("privateEndpoints/pe-claude-blob", "virtualNetworks/vnet-claude --api"),
        ("Microsoft.Web/sites/func-claude-s7k6xszx --api", "virtualNetworks/vnet-claude --api"),
        ("virtualNetworkLinks", "privateDnsZones/privatelink.blob.core.windows.net --api"),
        ("scopedResources", "privateLinkScopes/ampls-claude --api"),
        ("virtualNetworks/vnet-claude --api", "natGateways"),
        ("natGateways", "publicIPAddresses"),
        ("dataCollectionRules/dcr-claude --api", "tables/ClaudeActivity_CL"),
        ("vaults/kv-claude-s7k6xszx/providers", "vaults/kv-claude-s7k6xszx --api"),
        ("vaults/kv-claude-s7k6xszx --api", "storageAccounts/stclaudes7k6xszx --api"),
    ],
)
def test_what_is_used_goes_after_what_uses_it(earlier: str, later: str) -> None:
    """Of each pair the first is gone, to its last, before the second begins."""
    said = commands(removal(deployed("network-created"), with_data=True))
    last = max(i for i, command in enumerate(said) if earlier in command)
    first = min(i for i, command in enumerate(said) if later in command)
    assert last < first


def test_rules_go_before_the_parsers_they_use() -> None:
    """Automation rules, rules, then saved functions."""
    said = commands(removal(deployed("content-only"), with_data=False))
    kinds = [
        next(k for k in ("automationRules", "alertRules", "savedSearches", "") if k in command) for command in said
    ]
    assert list(dict.fromkeys(kind for kind in kinds if kind)) == ["automationRules", "alertRules", "savedSearches"]


def test_proof_comes_first_and_the_key_last() -> None:
    """Both by hand: nothing but an operator can say which days matter, or sign in to Claude."""
    steps = removal(deployed("smallest"), with_data=True).steps
    assert (steps[0].title, steps[-1].title) == ("Last proof", "Revoke the key")
    assert "claude-bridge prove" in steps[0].text and steps[0].commands == steps[-1].commands == ()
    assert "purge protection" in next(step.text for step in steps if step.title == "Vault")


def test_rights_in_another_subscription_are_not_left_behind() -> None:
    """Each right is deleted in the subscription that it is in."""
    rights = [c for c in commands(removal(deployed("roles-only"), with_data=False)) if c.startswith("role")]
    there = [c for c in rights if "--subscription 33333333-3333-3333-3333-333333333333 " in c]
    assert len(there) == 4 and len(rights) == 16


def test_rights_of_the_app_are_found_by_its_identity() -> None:
    """Their names are made from an id that only Azure knows, so it is asked for before anything is deleted."""
    plan = removal(deployed("smallest"), with_data=False)
    assert list(plan.asks) == ["$PRINCIPAL"] and plan.asks["$PRINCIPAL"][3].endswith("/id-claude")
    text = script(plan)
    assert text.index("PRINCIPAL=$(az resource show") < text.index("az functionapp stop")
    assert '--assignee "$PRINCIPAL" --role' in text
    assert removal(deployed("roles-only"), with_data=False).asks == {}


def test_each_right_is_found_by_whose_it_is() -> None:
    """The Logic App that mails reports has an identity of its own, which reads their container."""
    plan = removal(deployed("reports"), with_data=False)
    assert plan.asks["$MAIL_PRINCIPAL"][3].endswith("/logic-claude-report")
    mail = [c for c in commands(plan) if "$MAIL_PRINCIPAL" in c]
    assert [c.rsplit("/", 1)[-1].split()[0] for c in mail] == ["reports"]
    assert '--assignee "$MAIL_PRINCIPAL" --role 2a2b9908' in script(plan)


def test_nothing_happens_without_plan_or_yes(bicep: Bicep, monkeypatch: pytest.MonkeyPatch) -> None:
    """No flag, both flags, or --yes without a group: exit code 2 before anybody is asked."""

    def unreachable() -> az.Run:
        raise AssertionError("az was looked for")

    monkeypatch.setattr(az, "found", unreachable)
    file = str(BICEP / "scenarios" / "roles-only.bicepparam")
    for flags in ([], ["--plan", "--yes"], ["--yes"]):
        assert CliRunner().invoke(app, ["infra", "remove", file, *flags]).exit_code == 2
    assert CliRunner().invoke(app, ["infra", "remove", file, "--plan"]).exit_code == 0


def test_yes_runs_the_commands_and_passes_over_what_is_gone() -> None:
    """Commands run in order, with the identity's id filled in; "not found" is a removal that happened before."""
    ran: list[tuple[str, ...]] = []

    def run(arguments: Sequence[str]) -> str:
        ran.append(tuple(arguments))
        if arguments[0] == "resource":
            raise az.AzFailed("(ResourceNotFound) gone")
        return "principal-1\n"

    steps = (
        RemovalStep("a", "", (("resource", "delete"),)),
        RemovalStep("b", "", (("role", "$PRINCIPAL"),)),
        RemovalStep("c", "by hand"),
    )
    carry_out(Removal(steps, asks={"$PRINCIPAL": ("identity", "show")}), run)
    assert ran == [("identity", "show"), ("resource", "delete"), ("role", "principal-1")]


def test_yes_stops_at_the_first_refusal() -> None:
    """A lock, or a missing right, ends it: what comes after would be out of order."""
    ran: list[str] = []

    def run(arguments: Sequence[str]) -> str:
        ran.append(arguments[0])
        raise az.AzFailed("(ScopeLocked) no")

    with pytest.raises(az.AzFailed, match="ScopeLocked"):
        carry_out(Removal((RemovalStep("a", "", (("one",), ("two",))),)), run)
    assert ran == ["one"]
