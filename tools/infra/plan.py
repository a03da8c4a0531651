"""What a deployment would create or change, the purpose of each resource, and the roles it requires.

    python -m tools infra plan infra/bicep/main.bicepparam -g rg-claude     # queries Azure (what-if)
    python -m tools infra plan infra/bicep/scenarios/smallest.bicepparam    # offline: from the template only

The output is Markdown, for the terminal and for a pipeline's summary. Nothing is changed.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.infra import az
from tools.infra.build import CONTENT
from tools.infra.cached_compiler import CachedCompiler
from tools.infra.compiler import BicepRefused, CompilerMissing, Target
from tools.infra.kinds import KINDS, Team, team_of
from tools.infra.resources import ASSIGNMENT, created, scope_of, type_of

IGNORED = {"Ignore"}
"""What-if also lists existing resources that are not in the template."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A resource and its change: `change` is what-if's change type in lower case, or "deploy" without Azure."""

    change: str
    type: str
    name: str
    group: str
    team: Team


def from_template(path: Path, target: Target) -> list[Planned]:
    """What a parameter file would create in empty resource groups. Raises CompilerMissing and BicepRefused."""
    with CachedCompiler() as compiler:
        return [
            Planned("deploy", ASSIGNMENT, _right_on(one.on), one.group, Team.IDENTITY)
            if one.type == ASSIGNMENT
            else Planned("deploy", one.type, one.name, one.group, team_of(one.id))
            for one in created(compiler.snapshot(path.resolve(), target))
        ]


def from_azure(run: az.Run, path: Path, group: str) -> list[Planned]:
    """The changes predicted by what-if. Raises AzFailed."""
    how = ("--no-pretty-print", "--only-show-errors", "--output", "json")
    answer = run(["deployment", "group", "what-if", "--resource-group", group, "--parameters", str(path), *how])
    changes = [one for one in json.loads(answer)["changes"] if one["changeType"] not in IGNORED]
    return [_planned(one["changeType"], one["resourceId"]) for one in changes]


def _planned(change: str, identity: str) -> Planned:
    if ASSIGNMENT in identity:
        scope = scope_of({"id": identity})
        return Planned(change.lower(), ASSIGNMENT, _right_on(scope), _group(scope), Team.IDENTITY)
    name = "/".join(identity.rsplit("/providers/", 1)[-1].split("/")[2::2])
    return Planned(change.lower(), type_of(identity), name, _group(identity), team_of(identity))


def _group(identity: str) -> str:
    return "/".join(identity.split("/")[:5])


def _right_on(scope: str) -> str:
    return f"on {scope.rsplit('/', 1)[-1]}"


def report(planned: Sequence[Planned]) -> str:
    """The plan as Markdown: each resource by team and resource group; then each required role once."""
    parts = [f"{len(planned)} resources."]
    for team in Team:
        for group in dict.fromkeys(one.group for one in planned):
            ours = [one for one in planned if one.group == group and one.team is team]
            if ours:
                rows = [(one.change, one.type, one.name, _purpose(one)) for one in _content_counted(ours)]
                parts += [f"### {team.value}, in {_place(group)}", _table(("change", "type", "name", "for"), rows)]
    parts += ["### Required roles", _table(("team", "scope", "role", "for"), _rights(planned))]
    return "\n\n".join(parts) + "\n"


def _content_counted(planned: Iterable[Planned]) -> list[Planned]:
    """Content as one line per type and change, without the names of rules."""
    planned = list(planned)
    counts = Counter((one.change, one.type, one.group, one.team) for one in planned if one.type in CONTENT)
    return [one for one in planned if one.type not in CONTENT] + [
        Planned(change, kind, f"({count} resources)", group, team)
        for (change, kind, group, team), count in counts.items()
    ]


def _rights(planned: Iterable[Planned]) -> list[tuple[str, str, str, str]]:
    wanted: dict[tuple[str, str, str], dict[str, None]] = {}
    for one in planned:
        if one.change == "nochange":
            continue
        kind = KINDS.get(one.type)
        role = kind.role if kind else "a role with this action"
        key = (one.team.value, _place(one.group), role)
        wanted.setdefault(key, {})[f"{one.type}/write"] = None
        if kind and kind.also:
            wanted.setdefault((key[0], "in addition", kind.also), {})[f"for {one.type.rsplit('/', 1)[-1]}"] = None
    return [(*key, ", ".join(actions)) for key, actions in sorted(wanted.items(), key=_besides_last)]


def _besides_last(right: tuple[tuple[str, str, str], dict[str, None]]) -> tuple[str, bool, tuple[str, str, str]]:
    return right[0][0], right[0][1] == "in addition", right[0]


def _purpose(one: Planned) -> str:
    kind = KINDS.get(one.type)
    return kind.purpose if kind else "(unknown type: is the template newer than this tool?)"


def _place(group: str) -> str:
    """rg-claude (subscription S)"""
    parts = group.split("/")
    return f"{parts[4]} (subscription {parts[2]})" if len(parts) > 4 else group


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, its columns aligned for reading as plain text."""
    lines = [tuple(head), *map(tuple, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    drawn = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    drawn.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(drawn)


def show(path: Path, target: Target, *, ask_azure: bool) -> int:
    """Print the plan. Returns 1 if the parameters are invalid, 2 if neither Azure nor a compiler is available."""
    try:
        planned = _asked(path, target.resource_group) if ask_azure else None
        if planned is None:
            planned = from_template(path, target)
            sys.stdout.write("Computed from the template only: existing resources are not considered.\n\n")
    except (BicepRefused, az.AzFailed) as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    except CompilerMissing as missing:
        sys.stderr.write(f"{missing}\n")
        return 2
    sys.stdout.write(report(planned))
    return 0


def _asked(path: Path, group: str) -> list[Planned] | None:
    """The plan from Azure, or None if Azure cannot be queried; standard error has the reason."""
    try:
        run = az.found()
    except az.AzMissing as missing:
        sys.stderr.write(f"{missing}\n")
        return None
    try:
        run(["account", "show", "--output", "none"])
    except az.AzFailed:
        sys.stderr.write("the Azure CLI is not signed in: run `az login`\n")
        return None
    return from_azure(run, path, group)
