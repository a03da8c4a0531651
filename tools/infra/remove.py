"""What removing a deployment takes away, and in which order.

    python -m tools infra remove FILE.bicepparam -g rg-claude --plan              # prints the commands, does nothing
    python -m tools infra remove FILE.bicepparam -g rg-claude --yes               # runs them
    python -m tools infra remove FILE.bicepparam -g rg-claude --plan --with-data  # rows, state and workspace, too

Names come from the templates and the parameter file: give the file, group and subscription that were deployed. Without
--with-data tables, watchlists, the storage account and a created workspace stay.
"""

import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.infra import az
from tools.infra.answers import Answers
from tools.infra.compiler import BicepRefused, CompilerMissing, Target
from tools.infra.kinds import KINDS, Leaves
from tools.infra.resources import ASSIGNMENT, Created, created, type_of

ASKED = {
    "Microsoft.ManagedIdentity/userAssignedIdentities": ("$PRINCIPAL", "properties.principalId"),
    "Microsoft.Logic/workflows": ("$MAIL_PRINCIPAL", "identity.principalId"),
}
"""What stands for the object id of an identity that only Azure knows, and where a resource of that type tells it."""


@dataclass(frozen=True, slots=True)
class RemovalStep:
    """What is done by hand, if there are no commands; else arguments of `az`, to be run one after the other."""

    title: str
    text: str
    commands: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Removal:
    """`asks` are the arguments of `az` that tell what stands for an identity in a step; `stays` are names."""

    steps: tuple[RemovalStep, ...]
    asks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stays: tuple[str, ...] = ()


TEXTS = {
    Leaves.ALERTS: ("Alerts", "So that nobody is called by what follows."),
    Leaves.CONTENT: (
        "Rules, hunts, parsers, workbooks",
        "Open incidents stay. Rules you made yourself that use our parsers fail.",
    ),
    Leaves.RIGHTS: (
        "Rights, in every subscription",
        "Before the identity: a right outlives it, and nobody can say any more whose it was.",
    ),
    Leaves.APP: ("App, identity, telemetry, private endpoints", "From here on the feed is not carried."),
    Leaves.RULE: (
        "Data collection rule, its endpoint, diagnostic settings",
        "Nothing can write into the tables any more.",
    ),
    Leaves.NETWORK: (
        "Network",
        "Only what the deployment made. The subnet of the app can stay busy for some minutes: run it again then.",
    ),
    Leaves.VAULT: (
        "Vault",
        "It is deleted softly, and purge protection keeps name and keys for 90 days: `az keyvault recover` brings it "
        "back, a new one needs another name (parameter names.vault).",
    ),
    Leaves.DATA: (
        "Data",
        "Rows, watchlists, and the state that proofs need. A storage account cannot be had back; a workspace can, for "
        "14 days.",
    ),
}
# Within a step, what is used by others goes after them.
_ORDER = (
    "Microsoft.SecurityInsights/automationRules",
    "Microsoft.SecurityInsights/alertRules",
    "Microsoft.OperationalInsights/workspaces/summaryLogs",
    "Microsoft.Insights/workbooks",
    "Microsoft.OperationalInsights/workspaces/savedSearches",
    "Microsoft.Web/sites",
    "Microsoft.Web/serverfarms",
    "Microsoft.Network/privateEndpoints",
    "Microsoft.Insights/privateLinkScopes/scopedResources",
    "Microsoft.Insights/components",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.Insights/diagnosticSettings",
    "Microsoft.Insights/dataCollectionRules",
    "Microsoft.Insights/dataCollectionEndpoints",
    "Microsoft.Insights/privateLinkScopes",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
    "Microsoft.Network/privateDnsZones",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.Network/natGateways",
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.SecurityInsights/watchlists",
    "Microsoft.OperationalInsights/workspaces/tables",
    "Microsoft.OperationalInsights/workspaces",
    "Microsoft.Storage/storageAccounts",
)


def removal(resources: Iterable[Created], *, with_data: bool) -> Removal:
    """The steps that take these resources away: first what tells and proves, last what cannot be had back."""
    leaving: dict[Leaves, list[Created]] = {}
    for one in resources:
        leaving.setdefault(KINDS[one.type].leaves, []).append(one)
    apps = [one.id for one in leaving.get(Leaves.APP, ()) if one.type == "Microsoft.Web/sites"]
    steps = [*_before(apps)]
    for phase, (title, text) in TEXTS.items():
        goes = sorted(leaving.get(phase, ()), key=_rank)
        if goes and (phase is not Leaves.DATA or with_data):
            steps.append(RemovalStep(title, text, tuple(_command(one) for one in goes)))
    if apps:
        steps.append(
            RemovalStep(
                "Revoke the key",
                "In Claude, Organization settings, API keys: delete the bridge's key, or deactivate it. Last, because "
                "until then everything can be put back; but not to be forgotten, because the key outlives the app.",
            )
        )
    kept = [] if with_data else sorted(leaving.get(Leaves.DATA, ()), key=_rank)
    holders = {one.holder for one in leaving.get(Leaves.RIGHTS, ()) if not one.known and one.holder}
    asks = dict(sorted(_ask(holder) for holder in holders))
    return Removal(tuple(steps), asks, tuple(f"{one.type} {one.name}" for one in kept))


def _before(apps: Sequence[str]) -> Iterable[RemovalStep]:
    if not apps:
        return
    yield RemovalStep(
        "Last proof",
        "`claude-bridge prove --from DATE --to DATE --json > last-proof.json`, over the days you may be asked "
        "about, while feed, ledger and workspace are all there. Keep the file.",
    )
    yield RemovalStep("Stop the app", "", tuple(("functionapp", "stop", "--ids", app) for app in apps))


def _ask(holder: str) -> tuple[str, tuple[str, ...]]:
    stands, told = ASKED[type_of(holder)]
    return stands, ("resource", "show", "--ids", holder, "--query", told, "--output", "tsv")


def _rank(one: Created) -> tuple[int, str]:
    return (_ORDER.index(one.type) if one.type in _ORDER else -1, one.id)


def _command(one: Created) -> tuple[str, ...]:
    if one.type != ASSIGNMENT:
        return ("resource", "delete", "--ids", one.id, "--api-version", one.api_version)
    subscription = ("--subscription", one.on.split("/")[2])
    if one.known:
        return ("role", "assignment", "delete", "--ids", one.id, *subscription)
    who = one.principal or ASKED[type_of(one.holder)][0]
    return ("role", "assignment", "delete", "--assignee", who, "--role", one.role, "--scope", one.on, *subscription)


def script(plan: Removal) -> str:
    """The plan as a shell script with its reasons; what is done by hand is a comment."""
    lines = ["#!/bin/sh", "# Read it, then run it, or run this tool again with --yes.", "set -eu"]
    if plan.asks:
        lines += ["", "# Object ids of identities; rights are found by them."]
        lines += [f"{stands.removeprefix('$')}=$({_shell(arguments)})" for stands, arguments in plan.asks.items()]
    for number, step in enumerate(plan.steps, 1):
        by_hand = "" if step.commands else " (by hand)"
        lines += ["", f"# {number}. {step.title}{by_hand}"]
        lines += [f"#    {step.text}"] if step.text else []
        lines += [_shell(command) for command in step.commands]
    if plan.stays:
        lines += ["", "# Stays, unless --with-data is given:", *(f"#   {name}" for name in plan.stays)]
    return "\n".join(lines) + "\n"


def _shell(arguments: Sequence[str]) -> str:
    stand = {stands for stands, _ in ASKED.values()}
    quoted = (f'"{argument}"' if argument in stand else shlex.quote(argument) for argument in arguments)
    return " ".join(("az", *quoted))


def carry_out(plan: Removal, run: az.Run) -> None:
    """Run the commands in order, and say what is left to do by hand. What is gone already is passed over.

    Raises AzFailed at the first command that fails for another reason; running it again goes on from there.
    """
    known: dict[str, str] = {}
    for stands, arguments in plan.asks.items():
        try:
            known[stands] = run(arguments).strip()
        except az.AzFailed as failed:
            if not failed.not_there:
                raise
            sys.stderr.write(f"{arguments[3]} is gone already: rights it left behind must be found by their scope\n")
    for number, step in enumerate(plan.steps, 1):
        sys.stdout.write(f"{number}. {step.title}: {step.text if not step.commands else len(step.commands)}\n")
        for command in step.commands:
            if any(argument in plan.asks and not known.get(argument) for argument in command):
                continue
            try:
                run([known.get(argument, argument) for argument in command])
            except az.AzFailed as failed:
                if not failed.not_there:
                    raise


def remove(path: Path, target: Target, *, with_data: bool, execute: bool) -> int:
    """Print the commands, or execute them. 1 when one was refused; 2 when the Azure CLI or the compiler is missing."""
    try:
        with Answers() as answers:
            snapshot = answers.snapshot(path.resolve(), target)
        plan = removal(created(snapshot), with_data=with_data)
        if execute:
            carry_out(plan, az.found())
        else:
            sys.stdout.write(script(plan))
    except (BicepRefused, az.AzFailed) as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    except (CompilerMissing, az.AzMissing) as missing:
        sys.stderr.write(f"{missing}\n")
        return 2
    return 0
