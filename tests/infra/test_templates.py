"""Every template compiles and lints without a remark, and what is built from them is what is committed."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import Bicep
from tools.infra import build
from tools.infra.build import BICEP, PORTAL_TEMPLATE, golden, portal_template, scenarios, snapshot_text, templates
from tools.infra.compiler import CompilerMissing, find

FILES = (*templates(), BICEP / "main.bicepparam", *scenarios())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_template_compiles_and_lints_without_a_remark(bicep: Bicep, path: Path) -> None:
    """Neither compiler nor linter has anything to say about a template, its modules, or a parameter file."""
    compiled = bicep.compile(path)
    assert [str(remark) for remark in compiled.diagnostics] == []
    assert compiled.json_text


def test_every_module_belongs_to_a_template() -> None:
    """Each module is used, so compiling the templates compiles it."""
    text = "".join(path.read_text(encoding="utf-8") for path in BICEP.rglob("*.bicep"))
    assert [path.name for path in BICEP.rglob("*.bicep") if path not in templates() and path.name not in text] == []


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda path: path.stem)
def test_a_scenario_creates_what_its_golden_file_says(bicep: Bicep, scenario: Path) -> None:
    """The committed snapshot is the one of today; after a wanted change: make build, and review the difference."""
    assert snapshot_text(scenario, bicep.snapshot(scenario)) == golden(scenario).read_text(encoding="utf-8")


def test_the_portals_template_is_the_compiled_one(bicep: Bicep) -> None:
    """infra/azuredeploy.json is main.bicep, compiled today."""
    assert portal_template(bicep.compile(BICEP / "main.bicep")) == PORTAL_TEMPLATE.read_text(encoding="utf-8")


def test_the_same_deployment_twice_changes_nothing(bicep: Bicep) -> None:
    """Two compilations of one scenario, neither of them remembered, give the same resources."""
    scenario = BICEP / "scenarios" / "new-workspace.bicepparam"
    assert bicep.compiler.snapshot(scenario) == bicep.compiler.snapshot(scenario)


def _linter() -> dict[str, dict[str, str]]:
    lines = (BICEP / "bicepconfig.json").read_text(encoding="utf-8").splitlines()
    config: dict[str, Any] = json.loads("\n".join(line for line in lines if not line.lstrip().startswith("//")))
    rules: dict[str, dict[str, str]] = config["analyzers"]["core"]["rules"]
    return rules


def test_linter_rules_are_errors_and_one_that_is_off_says_why() -> None:
    """A rule is at error; where it is off the line before gives the reason."""
    lines = [line.strip() for line in (BICEP / "bicepconfig.json").read_text(encoding="utf-8").splitlines()]
    for name, rule in _linter().items():
        if rule["level"] != "error":
            where = next(i for i, line in enumerate(lines) if line.startswith(f'"{name}"'))
            assert rule["level"] == "off", name
            assert lines[where - 1].startswith("// Off: "), name
    assert len(_linter()) > 50


def test_a_rule_that_is_silenced_in_place_says_why() -> None:
    """Each `#disable-next-line` stands beside its reason."""
    for path in BICEP.rglob("*.bicep"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for i, line in enumerate(lines):
            if "#disable-next-line" in line:
                assert " // " in line or lines[i - 1].strip().startswith("//"), f"{path.name}({i + 1})"


def test_parameters_say_whether_they_are_required() -> None:
    """A parameter's description begins with Required or Optional, and Optional ones have a default or take null."""
    for path in BICEP.rglob("*.bicep"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for i, line in enumerate(lines):
            if line.startswith("param "):
                said = next(before for before in reversed(lines[:i]) if before.startswith("@description("))
                optional = " = " in line or line.endswith("?")
                assert said.startswith(f"@description('{'Optional' if optional else 'Required'}. "), (
                    f"{path.name}: {line}"
                )


def test_without_a_compiler_one_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A missing compiler is a sentence with the remedy, for BICEP and for PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BICEP", raising=False)
    with pytest.raises(CompilerMissing, match="az bicep install"):
        find()
    monkeypatch.setenv("BICEP", str(tmp_path / "nothing"))
    with pytest.raises(CompilerMissing, match="which is not a program"):
        find()


def test_check_without_a_compiler_does_not_pass_in_silence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` lets a machine without a compiler go on and says so; building without one fails."""
    monkeypatch.setenv("BICEP", str(tmp_path / "nothing"))
    assert build.settle(check=True) == 0
    assert "templates NOT checked" in capsys.readouterr().err
    assert build.settle(check=False) == 1
