"""Build the generated files of infra/ that are committed: the list of tables and its types, the portal template, and a
snapshot of each scenario.

    python -m tools infra build           # write them
    python -m tools infra build --check   # exit 1 if a committed file differs, or a template has diagnostics

A snapshot is the golden file of its scenario: every resource the deployment would create, reviewed like code.
Rules, parsers and the like are reviewed in sentinel/: content-only lists their names, the other scenarios omit them,
and tests/infra/test_content.py compares the complete bodies with infra/bicep/generated.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tools.infra import table_list
from tools.infra.cached_compiler import CachedCompiler
from tools.infra.compiler import BicepRefused, Compiled, CompilerMissing

BICEP = Path(__file__).parents[2] / "infra" / "bicep"
GENERATED = BICEP / "generated"
PORTAL_TEMPLATE = BICEP.parent / "azuredeploy.json"
CONTENT = frozenset(
    {
        "Microsoft.Insights/workbooks",
        "Microsoft.OperationalInsights/workspaces/savedSearches",
        "Microsoft.OperationalInsights/workspaces/summaryLogs",
        "Microsoft.SecurityInsights/alertRules",
        "Microsoft.SecurityInsights/automationRules",
        "Microsoft.SecurityInsights/watchlists",
    }
)
"""Types of resources that are built from sentinel/."""
NAMES_CONTENT = "content-only"
"""The scenario whose golden file lists the content."""


def templates(bicep: Path = BICEP) -> tuple[Path, ...]:
    """The templates that are deployed; compiling one compiles and lints its modules too."""
    names = ("main.bicep", "workspace.bicep", "app.bicep", "roles.bicep")
    return tuple(bicep / name for name in names)


def scenarios(bicep: Path = BICEP) -> tuple[Path, ...]:
    """The parameter files of typical deployments, sorted."""
    return tuple(sorted((bicep / "scenarios").glob("*.bicepparam")))


def golden(scenario: Path) -> Path:
    """Where a scenario's snapshot is committed."""
    return scenario.with_suffix(".snapshot.json")


def portal_template(compiled: Compiled) -> str:
    """The template of the portal button, as committed: without the compiler's version."""
    template = json.loads(compiled.json_text)
    _forget_generator(template)
    return json.dumps(template, indent=1, ensure_ascii=False) + "\n"


def snapshot_text(scenario: Path, made: dict[str, Any]) -> str:
    """A scenario's snapshot, as committed; outputs are sorted, because the compiler's order varies."""
    names = {"id", "type", "name", "apiVersion"}
    resources = [
        {key: value for key, value in resource.items() if resource["type"] not in CONTENT or key in names}
        for resource in made["predictedResources"]
        if resource["type"] not in CONTENT or scenario.stem == NAMES_CONTENT
    ]
    kept = {**made, "predictedResources": resources, "outputs": dict(sorted(made.get("outputs", {}).items()))}
    return json.dumps(kept, indent=2, ensure_ascii=False) + "\n"


def _forget_generator(node: Any) -> None:
    if isinstance(node, dict):
        metadata = node.get("metadata")
        if isinstance(metadata, dict):
            metadata.pop("_generator", None)
            if not metadata:
                del node["metadata"]
        for value in node.values():
            _forget_generator(value)
    elif isinstance(node, list):
        for value in node:
            _forget_generator(value)


def made(compiler: CachedCompiler) -> Iterator[tuple[Path, str]]:
    """Each file built by the compiler and its content. Raises BicepRefused at the first diagnostic."""
    for template in templates():
        compiled = _clean(compiler, template)
        if template.name == "main.bicep":
            yield PORTAL_TEMPLATE, portal_template(compiled)
    _clean(compiler, BICEP / "main.bicepparam")
    for scenario in scenarios():
        _clean(compiler, scenario)
        yield golden(scenario), snapshot_text(scenario, compiler.snapshot(scenario))


def _clean(compiler: CachedCompiler, path: Path) -> Compiled:
    compiled = compiler.compile(path)
    if compiled.diagnostics:
        raise BicepRefused("\n".join(str(remark) for remark in compiled.diagnostics))
    return compiled


def _settled(files: Iterable[tuple[Path, str]], check: bool) -> int:
    """Print each file that differs, and write it unless `check`; returns their number."""
    stale = 0
    for path, text in files:
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        sys.stderr.write(f"{'differs' if check else 'written'}: {path.name}\n")
        if not check:
            path.write_text(text, encoding="utf-8")
    return stale


def settle(*, check: bool) -> int:
    """Write files that differ, or with `check` print them and return 1. Without a compiler: the list of tables only."""
    # The list of tables first: the templates use it.
    listed = {GENERATED / name: text for name, text in table_list.rendered().items()}
    stale = _settled(listed.items(), check)
    try:
        with CachedCompiler() as compiler:
            stale += _settled(made(compiler), check)
    except CompilerMissing as missing:
        sys.stderr.write(f"!! templates NOT {'checked' if check else 'built'}: {missing}\n")
        return int(stale > 0) if check else 1
    except BicepRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    if check and stale:
        sys.stderr.write("run `make build` and review the diff\n")
    return 1 if check and stale else 0
