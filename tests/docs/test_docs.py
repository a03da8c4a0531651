"""What the documentation promises of itself: complete, current, and no link into nothing."""

import inspect
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kql import LocalWorkspace
from shared import errors, tables
from shared.clock import SimulatedClock
from shared.models import prefix_of
from shared.settings import ConnectionSettings, Settings
from shared.state.ledger import digest
from shared.streams.activity import catalogue
from tools.docs import build_reference

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
KUSTO = re.compile(r"```kusto\n(.*?)```", re.DOTALL)
SKIPPED = {"node_modules", "build", "__pycache__", "generated", "claude_sentinel_bridge.egg-info"}
ERROR_CLASSES = [
    name for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.BridgeError)
]


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_generated_pages_are_what_the_code_says() -> None:
    """Rendering docs/reference/ again would change nothing."""
    assert build_reference.settle(check=True) == 0


def test_a_page_that_differs_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--check writes nothing, returns 1 and names the file that was changed by hand."""
    assert build_reference.settle(tmp_path, check=False) == 0
    changed = tmp_path / "settings.md"
    changed.write_text("by hand", encoding="utf-8")
    assert build_reference.settle(tmp_path, check=True) == 1
    said = capsys.readouterr().err
    assert "settings.md" in said
    assert "tables.md" not in said
    assert changed.read_text(encoding="utf-8") == "by hand"


def test_every_setting_stands_in_the_docs() -> None:
    """No setting and no field of a connection is missing from the settings page."""
    page = text_of("reference/settings.md")
    names = [name.upper() for name in Settings.model_fields] + list(ConnectionSettings.model_fields)
    assert [name for name in names if f"| `{name}` |" not in page] == []


def test_every_table_and_column_stands_in_the_docs() -> None:
    """The data dictionary has a section for each table and in it a line for each column."""
    sections = dict(section.split("\n", 1) for section in text_of("reference/tables.md").split("\n## ")[1:])
    assert tuple(sections) == tables.table_names()
    for name, section in sections.items():
        assert [column for column in tables.load(name).names if f"| `{column}` |" not in section] == []


def test_every_activity_type_stands_in_the_docs() -> None:
    """The list of types has all that the catalogue knows."""
    page = text_of("reference/activity-types.md")
    assert [name for name in catalogue.load().types if f"| `{name}` |" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page points to a file or folder that exists."""
    targets = LINK.findall(CODE.sub("", page.read_text(encoding="utf-8")))
    relative = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in relative if not (page.parent / target).exists()] == []


def test_the_readme_names_only_targets_that_exist() -> None:
    """Every `make` verb of the README is a target of the Makefile."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|^|\$ )make ([a-z][a-z-]*)", readme, re.MULTILINE))
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "test"} <= named
    assert named <= targets


@pytest.mark.parametrize("name", ERROR_CLASSES)
def test_every_error_is_explained(name: str) -> None:
    """Each class of shared/errors.py appears in the architecture page."""
    assert f"`{name}`" in text_of("architecture.md")


@pytest.mark.parametrize("page", [*PAGES, ROOT / "bench" / "README.md"], ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_holds_a_path_of_one_machine(page: Path) -> None:
    """Pages name no folder that exists on the author's machine only."""
    assert re.findall(r"(?<![\w.])/(?:work|root|home)\b\S*", page.read_text(encoding="utf-8")) == []


def test_decisions_are_numbered_without_a_gap() -> None:
    """Decisions count from 0001 on, each with context, choice, alternatives and cost."""
    pages = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04d}" for number in range(1, len(pages) + 1)]
    for page in pages:
        headings = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Context", "Choice", "What else was possible", "What it costs"], page.name


def test_the_digest_of_the_architecture_page_is_the_bridges_own() -> None:
    """The page's KQL, asked of a workspace with a repeated row, gives the ledger's two numbers for each hour."""
    (kql,) = KUSTO.findall(text_of("architecture.md"))
    first = datetime(2026, 11, 2, 9, 59, tzinfo=UTC)
    times = {f"activity_{number:04d}": first + timedelta(seconds=number) for number in range(120)}
    rows = [{"ActivityId": id, "EventTime": time.isoformat(), "ConnectionName": "a"} for id, time in times.items()]
    undated = {**rows[0], "ActivityId": "activity_undated", "Handling": {"noCreatedAt": True}}
    workspace = LocalWorkspace.create(None, SimulatedClock(first), [tables.load(name) for name in tables.table_names()])
    try:
        workspace.store(tables.ACTIVITY, [*rows, rows[0], undated], ingested_at=first)
        answer = workspace.query(kql).objects()
    finally:
        workspace.close()
    by_hour: dict[datetime, list[bytes]] = {}
    for id, time in times.items():
        by_hour.setdefault(time.replace(minute=0, second=0), []).append(prefix_of(id))
    assert len(by_hour) == 2
    told = {row["Hour"]: (row["Rows"], row["RowsSum"]) for row in answer}
    assert told == {hour: digest(prefixes) for hour, prefixes in by_hour.items()}


def folders() -> set[str]:
    """Folders with files of ours, as `name/`: two levels, all of them below shared/; those of tests/ are elsewhere."""
    found = set()
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts[:-1]
        if path.is_file() and parts and not SKIPPED & set(parts) and not any(part.startswith(".") for part in parts):
            depth = 1 if parts[0] == "tests" else len(parts) if parts[0] == "shared" else 2
            found |= {"/".join(parts[:end]) + "/" for end in range(1, min(depth, len(parts)) + 1)}
    return found


def test_the_architecture_names_every_folder_and_none_that_is_absent() -> None:
    """Its table of folders is the tree's; whatever else it names as a folder or module of shared/ exists."""
    page = text_of("architecture.md")
    table = re.findall(r"^\| `([\w/]+/)` \|", page, re.MULTILINE)
    assert len(table) == len(set(table)) and set(table) == folders()
    named = {
        name.rstrip("/")
        for name in re.findall(r"`((?:shared|kql|sandbox|sentinel|infra|tools|bench|tests)/[\w./]*)`", page)
    }
    drawn = {f"shared/{name}" for name in re.findall(r"\b((?:source|streams|runs|sink|state)/[\w/]+)", page)}
    assert {name for name in named if not (ROOT / name).exists()} == set()
    assert {name for name in drawn if not any((ROOT / f"{name}{end}").exists() for end in ("", ".py"))} == set()


def test_every_folder_stands_in_contributing() -> None:
    """The layout names each folder of the repository that holds Python or templates, and each folder of tests."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"infra/bicep", "docs"}
    tests = {path.parent.name for path in ROOT.glob("tests/*/__init__.py")}
    assert {name for name in packages if f"| `{name}/` |" not in page} == set()
    assert {name for name in tests if f"`{name}`" not in page} == set()
