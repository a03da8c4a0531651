"""Removes a deployment, in a safe order.

    python -m tools infra remove FILE.bicepparam -g rg-claude --plan              # prints the commands
    python -m tools infra remove FILE.bicepparam -g rg-claude --yes               # runs them
    python -m tools infra remove FILE.bicepparam -g rg-claude --plan --with-data  # also rows, state and workspace

Names come from the templates and the parameter file: give the file, group and subscription that were deployed. Without
--with-data, tables, watchlists, the storage account and a created workspace are kept.
"""

import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.infra import az
from tools.infra.cached_compiler import CachedCompiler
from tools.infra.compiler import BicepRefused, CompilerMissing, Target
from tools.infra.kinds import KINDS, RemovalPhase
from tools.infra.resources import ASSIGNMENT, Created, created, type_of

ASKED = {
    "Microsoft.ManagedIdentity/userAssignedIdentities": ("$PRINCIPAL", "properties.principalId"),
    "Microsoft.Logic/workflows": ("$MAIL_PRINCIPAL", "identity.principalId"),
}
"""Type of resource -> shell variable for the object id of its identity, and the property to read it from."""


@dataclass(frozen=True, slots=True)
class RemovalStep:
    """`commands` are arguments of `az`, run in order; a step without commands is manual."""

    title: str
    text: str
    commands: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Removal:
    """`asks` maps shell variables to the `az` arguments that look them up; `stays` are the names of what is kept."""

    steps: tuple[RemovalStep, ...]
    asks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stays: tuple[str, ...] = ()


TEXTS = {
    RemovalPhase.ALERTS: ("Alerts", "First, so that the next steps do not trigger alerts."),
    RemovalPhase.CONTENT: (
        "Rules, hunts, parsers, workbooks",
        "Open incidents are kept. Your own rules that use these parsers will fail.",
    ),
    RemovalPhase.RIGHTS: (
        "Role assignments, in every subscription",
        "Before the identity: an assignment outlives it and then shows an unknown principal.",
    ),
    RemovalPhase.APP: ("App, identity, telemetry, private endpoints", "From now on the feed is not delivered."),
    RemovalPhase.RULE: (
        "Data collection rule, its endpoint, diagnostic settings",
        "From now on nothing can write to the tables.",
    ),
    RemovalPhase.NETWORK: (
        "Network",
        "Only what the deployment created. The app's subnet can stay in use for some minutes: if so, run this again.",
    ),
    RemovalPhase.VAULT: (
        "Vault",
        "This is a soft delete: purge protection keeps name and keys for 90 days. `az keyvault recover` restores it; a "
        "new vault needs another name (parameter names.vault).",
    ),
    RemovalPhase.DATA: (
        "Data",
        "Rows, watchlists, and the state that proofs need. A storage account cannot be recovered; a workspace can, for "
        "14 days.",
    ),
}
# Within a step, dependencies are deleted after their dependents.
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
    """The steps that remove these resources: first the proof and the alerts, last what cannot be recovered."""
    by_phase: dict[RemovalPhase, list[Created]] = {}
    for one in resources:
        by_phase.setdefault(KINDS[one.type].phase, []).append(one)
    apps = [one.id for one in by_phase.get(RemovalPhase.APP, ()) if one.type == "Microsoft.Web/sites"]
    steps = [*_before(apps)]
    for phase, (title, text) in TEXTS.items():
        goes = sorted(by_phase.get(phase, ()), key=_rank)
        if goes and (phase is not RemovalPhase.DATA or with_data):
            steps.append(RemovalStep(title, text, tuple(_command(one) for one in goes)))
    if apps:
        steps.append(
            RemovalStep(
                "Revoke the key",
                "In Claude, Organization settings, API keys: delete the bridge's key, or deactivate it. Last, because "
                "until then the app can be redeployed. Do not forget it: the key outlives the app.",
            )
        )
    kept = [] if with_data else sorted(by_phase.get(RemovalPhase.DATA, ()), key=_rank)
    holders = {one.holder for one in by_phase.get(RemovalPhase.RIGHTS, ()) if not one.known and one.holder}
    asks = dict(sorted(_ask(holder) for holder in holders))
    return Removal(tuple(steps), asks, tuple(f"{one.type} {one.name}" for one in kept))


def _before(apps: Sequence[str]) -> Iterable[RemovalStep]:
    if not apps:
        return
    yield RemovalStep(
        "Last proof",
        "`claude-bridge prove --from DATE --to DATE --json > last-proof.json`, for the days you may have to "
        "account for, while feed, ledger and workspace still exist. Keep the file.",
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
    """The plan as a commented shell script; manual steps are comments."""
    lines = ["#!/bin/sh", "# Review it, then run it, or run this tool again with --yes.", "set -eu"]
    if plan.asks:
        lines += ["", "# Object ids of identities, to find their role assignments."]
        lines += [f"{stands.removeprefix('$')}=$({_shell(arguments)})" for stands, arguments in plan.asks.items()]
    for number, step in enumerate(plan.steps, 1):
        by_hand = "" if step.commands else " (manual)"
        lines += ["", f"# {number}. {step.title}{by_hand}"]
        lines += [f"#    {step.text}"] if step.text else []
        lines += [_shell(command) for command in step.commands]
    if plan.stays:
        lines += ["", "# Kept, unless --with-data is given:", *(f"#   {name}" for name in plan.stays)]
    return "\n".join(lines) + "\n"


def _shell(arguments: Sequence[str]) -> str:
    stand = {stands for stands, _ in ASKED.values()}
    quoted = (f'"{argument}"' if argument in stand else shlex.quote(argument) for argument in arguments)
    return " ".join(("az", *quoted))


def carry_out(plan: Removal, run: az.Run) -> None:
    """Run the commands in order, and print the manual steps. Resources that no longer exist are skipped.

    Raises AzFailed at the first command that fails for another reason; run it again to resume.
    """
    known: dict[str, str] = {}
    for stands, arguments in plan.asks.items():
        try:
            known[stands] = run(arguments).strip()
        except az.AzFailed as failed:
            if not failed.not_found:
                raise
            sys.stderr.write(f"{arguments[3]} no longer exists: find its remaining role assignments by scope\n")
    for number, step in enumerate(plan.steps, 1):
        sys.stdout.write(f"{number}. {step.title}: {step.text if not step.commands else len(step.commands)}\n")
        for command in step.commands:
            if any(argument in plan.asks and not known.get(argument) for argument in command):
                continue
            try:
                run([known.get(argument, argument) for argument in command])
            except az.AzFailed as failed:
                if not failed.not_found:
                    raise


def remove(path: Path, target: Target, *, with_data: bool, execute: bool) -> int:
    """Print or run the commands. Returns 1 if one fails, 2 if the Azure CLI or the compiler is missing."""
    try:
        with CachedCompiler() as compiler:
            snapshot = compiler.snapshot(path.resolve(), target)
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
