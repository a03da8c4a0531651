"""A table is a file: what is added to shared/tables is deployed, read by whom it says, and nothing else is edited."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared import tables
from tests.infra.checks import Resource, app_settings, of_type
from tests.infra.conftest import Bicep
from tools.infra import build, table_list
from tools.infra.build import BICEP, GENERATED

TOY = "ClaudeToy_CL"
SILENT = "ClaudeSilent_CL"
NAMES = re.compile(r"Claude\w+_CL")


def toy(name: str, **said: Any) -> str:
    """The file of a small table."""
    column = {"meaning": "A thing.", "sources": ["bridge"], "sensitivity": "none", "since": 1}
    columns = [{"name": "TimeGenerated", "type": "datetime", **column}, {"name": "Thing", "type": "dynamic", **column}]
    head = {"name": name, "stream": f"Custom-{name}", "version": 3, "meaning": "One row is one customer's ${toy}."}
    kept = {"plan": "Analytics", "retentionDays": 45, "protected": False, "readers": ["bridge"]}
    return json.dumps({**head, "columns": columns, **kept, **said})


@pytest.fixture(scope="module")
def grown(bicep: Bicep) -> Path:
    """A copy of the templates, with two new tables through the generator: one the bridge reads, one for the lake."""
    copy = bicep.copy("grown")
    folder = copy.parents[1] / "shared" / "tables"
    (folder / f"{TOY}.json").write_text(toy(TOY), encoding="utf-8")
    lake = toy(SILENT, plan="Auxiliary", retentionDays=30, totalRetentionDays=4383, protected=True, readers=[])
    (folder / f"{SILENT}.json").write_text(lake, encoding="utf-8")
    table_list.write(folder, copy / "generated")
    return copy


def created(bicep: Bicep, copy: Path, scenario: str) -> list[Resource]:
    """What a scenario's parameters, unchanged, create with the templates of a copy."""
    found: list[Resource] = bicep.snapshot(copy / "scenarios" / f"{scenario}.bicepparam")["predictedResources"]
    return found


def test_the_committed_list_is_that_of_the_tables() -> None:
    """`make build` would write the list and its types as they are committed; no compiler is needed to see it."""
    for name, text in table_list.rendered().items():
        assert (GENERATED / name).read_text(encoding="utf-8") == text


def test_check_finds_a_list_that_was_changed_by_hand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--check fails for a stale list even where there is no compiler, and writes nothing."""
    monkeypatch.setenv("BICEP", str(tmp_path / "nothing"))
    monkeypatch.setattr(build, "GENERATED", tmp_path)
    table_list.write(tables.HERE, tmp_path)
    assert build.settle(check=True) == 0
    (tmp_path / table_list.LIST).write_text("[]\n", encoding="utf-8")
    assert build.settle(check=True) == 1
    assert f"differs: {table_list.LIST}" in capsys.readouterr().err
    assert (tmp_path / table_list.LIST).read_text(encoding="utf-8") == "[]\n"


def test_no_template_names_a_table() -> None:
    """Tables are named by the generated files alone; queries of alerts are about theirs."""
    texts = {path: path.read_text(encoding="utf-8") for path in BICEP.rglob("*.bicep") if path.parent != GENERATED}
    assert {path.name: found for path, text in texts.items() if (found := NAMES.findall(text))} == {}


def test_the_templates_of_a_copy_with_new_tables_have_no_remarks(bicep: Bicep, grown: Path) -> None:
    """Neither compiler nor linter minds a meaning with a quote and a brace in it."""
    for template in build.templates(grown):
        assert [str(remark) for remark in bicep.compile(template).diagnostics] == []


def test_a_new_table_is_created_as_its_file_says(bicep: Bicep, grown: Path) -> None:
    """Plan, retention, archive, protection and columns; the plan of the lake has no interactive retention of ours."""
    found = of_type(created(bicep, grown, "smallest"), "Microsoft.OperationalInsights/workspaces/tables")
    bodies = {table["name"].rsplit("/", 1)[-1]: table["properties"] for table in found}
    assert bodies[TOY] == {
        "plan": "Analytics",
        "retentionInDays": 45,
        "totalRetentionInDays": 45,
        "schema": {
            "name": TOY,
            "columns": [{"name": "TimeGenerated", "type": "dateTime"}, {"name": "Thing", "type": "dynamic"}],
        },
    }
    lake = {key: value for key, value in bodies[SILENT].items() if key != "schema"}
    assert lake == {"plan": "Auxiliary", "totalRetentionInDays": 4383, "protectionLevel": "Protected"}


def test_a_new_table_has_a_stream_and_a_flow(bicep: Bicep, grown: Path) -> None:
    """The rule declares its columns and sends them into the table, at the workspace alone."""
    (rule,) = of_type(created(bicep, grown, "smallest"), "Microsoft.Insights/dataCollectionRules")
    declared = rule["properties"]["streamDeclarations"]
    assert declared[f"Custom-{TOY}"]["columns"][0] == {"name": "TimeGenerated", "type": "datetime"}
    assert {
        "streams": [f"Custom-{TOY}"],
        "destinations": ["workspace"],
        "outputStream": f"Custom-{TOY}",
        "transformKql": "source",
    } in rule["properties"]["dataFlows"]
    assert declared.keys() == {f"Custom-{name}" for name in (*tables.table_names(), TOY, SILENT)}


@pytest.mark.parametrize("scenario", ["smallest", "roles-only"])
def test_the_bridge_may_read_what_it_is_a_reader_of(bicep: Bicep, grown: Path, scenario: str) -> None:
    """App and operators: the condition names the toy, and not the table that nothing asks about."""
    rights = of_type(created(bicep, grown, scenario), "Microsoft.Authorization/roleAssignments")
    conditions = [right["properties"]["condition"] for right in rights if "condition" in right["properties"]]
    assert conditions
    for condition in conditions:
        assert f"tables:name] StringEquals '{TOY}'" in condition
        assert SILENT not in condition


def test_the_app_is_told_the_versions(bicep: Bicep, grown: Path) -> None:
    """Output of workspace.bicep, and setting of the app."""
    versions = json.loads(app_settings(created(bicep, grown, "smallest"))["DEPLOYED_TABLE_VERSIONS"])
    assert versions == {name: tables.load(name).version for name in tables.table_names()} | {TOY: 3, SILENT: 3}
    output = bicep.snapshot(grown / "scenarios" / "content-only.bicepparam")["outputs"]["destination"]
    assert f"'{TOY}', 3" in output


def test_a_customer_changes_a_new_table_by_its_name(bicep: Bicep, grown: Path) -> None:
    """Retention and protection are overridden; its reader's condition then names the protection level."""
    scenario = (grown / "scenarios" / "smallest.bicepparam").read_text(encoding="utf-8").replace("../main", "main")
    path = grown / "wanted.bicepparam"
    path.write_text(f"{scenario}\nparam tables = {{ {TOY}: {{ retentionDays: 365, protected: true }} }}\n", "utf-8")
    resources: list[Resource] = bicep.snapshot(path)["predictedResources"]
    found = of_type(resources, "Microsoft.OperationalInsights/workspaces/tables")
    (body,) = (table["properties"] for table in found if table["name"].endswith(TOY))
    assert (body["retentionInDays"], body["totalRetentionInDays"], body["protectionLevel"]) == (365, 365, "Protected")
    rights = of_type(resources, "Microsoft.Authorization/roleAssignments")
    (condition,) = (right["properties"]["condition"] for right in rights if "condition" in right["properties"])
    attribute = "@Resource[Microsoft.OperationalInsights/workspaces/tables:"
    assert (
        f"({attribute}name] StringEquals '{TOY}' AND {attribute}protectionLevel] StringEquals 'Protected')" in condition
    )


def test_steps_of_the_archive_are_the_same_twice() -> None:
    """The template checks a customer's days by the steps that a table's file is checked by."""
    text = (BICEP / "tables.bicep").read_text(encoding="utf-8")
    assert text.count(", ".join(map(str, tables.ARCHIVE_DAYS))) == 2
