"""The operator's page and the privacy page name everything the code can say, and their queries run."""

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from kql import LocalWorkspace
from shared import tables
from shared.cli import app
from shared.clock import SimulatedClock
from shared.rows.minimize import MODES, Minimizer
from shared.rows.personal_data import NAMES
from shared.runs import connection, metrics
from shared.runs.plan_commands import AddedKind
from shared.runs.prove import Verdict
from shared.runs.run import LATE, SLOW, Attention, Run, RunKind, RunState
from shared.settings import Settings
from shared.streams.activity import catalogue
from tests.fakes import NOON

ROOT = Path(__file__).parents[2]
OPERATE = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
PRIVACY = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
KUSTO = re.compile(r"^ *```kusto\n(.*?)^ *```", re.DOTALL | re.MULTILINE)

METRICS = inspect.getsource(metrics)
SHARED = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "shared").rglob("*.py")))


def section(page: str, heading: str) -> str:
    """The text below a heading, down to the next of the same or a higher level."""
    level = heading.split(" ", 1)[0]
    _, _, rest = page.partition(f"\n{heading}\n")
    assert rest, f"no section {heading}"
    return re.split(rf"\n#{{1,{len(level)}}} ", rest, maxsplit=1)[0]


def rows(text: str) -> dict[str, list[str]]:
    """The lines of the tables in a text by their first cell, without its backticks."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("| `"):
            found[cells[0].strip("`")] = cells[1:]
    return found


def test_every_run_state_is_explained_with_its_attention() -> None:
    """Each state has a line, and no other; its attention is the code's, and quiet states write no row."""
    found = {state: cells[1] for state, cells in rows(section(OPERATE, "## By state")).items()}
    assert found == {state.value: "no row" if state.quiet else state.attention.value for state in RunState}


def test_every_attention_and_its_limits_are_explained() -> None:
    """The three values, and the lags at which they begin, as the code has them."""
    text = section(OPERATE, "## Alert routing")
    assert rows(text).keys() == {attention.value for attention in Attention}
    assert f"over {int(SLOW.total_seconds() // 60)} minutes" in text
    assert f"over {int(LATE.total_seconds() // 3600)} hour" in text


def test_every_run_kind_is_explained() -> None:
    """Each kind has a line, and no other, with the delivery of what it sends."""
    found = rows(section(OPERATE, "## Run kinds"))
    assert found.keys() == {kind.value for kind in RunKind}
    shown = {kind: cells[2].split(" ")[0] if len(cells) > 2 else "" for kind, cells in found.items()}
    assert {kind: text for kind, text in shown.items() if text} == {
        kind.value: kind.delivery.value for kind in RunKind if kind.delivery
    }


DEFINED = re.compile(r"^(_\w+) = _meter\.create_(\w+)\(\s*\"([a-z.]+)\"", re.MULTILINE)


def test_every_metric_is_explained_with_its_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an eventful run records, introspected, is what the table lists: names and attributes."""
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader]).get_meter("docs")
    for variable, kind, name in DEFINED.findall(METRICS):
        monkeypatch.setattr(metrics, variable, getattr(meter, f"create_{kind}")(name))
    run = Run("run-1", RunKind.LIVE, NOON, connection="contoso")
    run.counts.sent = run.counts.dead = run.counts.repeated = run.counts.counted = run.late = run.requests = 1
    run.retries = 1
    run.counts.bytes_by_category["auth"] = 10
    run.budget_remaining = 5
    metrics.record(run, seconds=1.0, lag_seconds=60.0)
    data = reader.get_metrics_data()
    assert data is not None
    recorded = [metric for r in data.resource_metrics for scope in r.scope_metrics for metric in scope.metrics]
    found = {each.name: {key for point in each.data.data_points for key in point.attributes or {}} for each in recorded}
    assert len(found) == METRICS.count("_meter.create_")
    told = rows(section(OPERATE, "## Metrics and traces"))
    assert {name: set(cells[1].split(", ")) for name, cells in told.items()} == found


def test_every_outcome_and_the_span_are_explained() -> None:
    """Values of `outcome`, the span's name and its attributes appear below the table of metrics."""
    text = section(OPERATE, "## Metrics and traces")
    outcomes = re.findall(r'^        "([a-z_]+)": (?:counts|run)\.', METRICS, re.M)
    assert len(outcomes) == 5
    spans = re.findall(r'"(bridge\.(?:connection|stream|kind|state))"', METRICS + inspect.getsource(connection))
    assert [word for word in (*outcomes, *spans, "bridge.live") if f"`{word}`" not in text] == []


def commands(group: typer.Typer = app, prefix: str = "") -> Iterator[str]:
    """Every command as it is typed, groups with what is below them."""
    for command in group.registered_commands:
        assert command.callback is not None
        yield prefix + (command.name or command.callback.__name__)
    for inner in group.registered_groups:
        name = inner.name or (inner.typer_instance.info.name if inner.typer_instance else None) or "plan"
        assert inner.typer_instance is not None
        yield prefix + str(name)
        yield from commands(inner.typer_instance, f"{prefix}{name} ")


def test_every_command_is_explained() -> None:
    """Each command of the operator's door has a line in the table, and each subcommand stands in its group's line."""
    text = section(OPERATE, "## The operator's commands")
    every = set(commands())
    assert {"doctor", "plan add", "rebuild"} <= every
    assert rows(text).keys() == {name for name in every if " " not in name}
    assert [name for name in every if f"`{name}`" not in text] == []


def test_the_page_shows_no_command_or_option_that_does_not_exist() -> None:
    """What stands in backticks as a command can be typed: the command is there, and takes these options."""
    from typer.main import get_command

    root: Any = get_command(app)
    known = {name.replace(" ", "/"): _options(root, name.split()) for name in commands()}
    typed = re.findall(r"`((?:[a-z]+)(?: [a-z]+)?(?: [^`]*?--[a-z-]+[^`]*)+)`", OPERATE)
    assert len(typed) > 10
    for words in typed:
        typed_words = [*str(words).split(), ""]
        options = known.get("/".join(typed_words[:2])) or known.get(typed_words[0])
        assert options is not None, words
        assert set(re.findall(r"--[a-z-]+", words)) <= options, words


def _options(root: Any, path: list[str]) -> set[str]:
    command = root
    for name in path:
        command = command.commands[name]
    return {option for parameter in command.params for option in parameter.opts}


def test_verdicts_kinds_and_prefixes_are_explained() -> None:
    """Every verdict of a proof, every kind of an order and every folder of the container has its line."""
    assert rows(section(OPERATE, "## Prove and repair")).keys() == set(get_args(Verdict))
    assert all(f"--kind {kind}" in OPERATE for kind in get_args(AddedKind))
    folders = set(
        re.findall(r'f"([a-z-]+)/\{(?:self\._|self\.|connection\.|patient\.connection\.)?(?:folder|name)\b', SHARED)
    )
    told = {name.rstrip("/") for name in rows(section(OPERATE, "## What is in the container"))}
    assert folders - told == set()
    assert {"checkpoint", "plan", "ledger", "dead-letters", "overflow", "health", "unreadable"} <= told


@pytest.mark.parametrize("kql", KUSTO.findall(OPERATE) + KUSTO.findall(PRIVACY))
def test_every_query_runs(kql: str) -> None:
    """The pages' KQL binds to our tables and parsers and answers, also over one row of each."""
    workspace = LocalWorkspace.create(None, SimulatedClock(NOON), [tables.load(name) for name in tables.table_names()])
    health = {
        "TimeGenerated": NOON,
        "EventTime": NOON,
        "ConnectionName": "contoso",
        "RunKind": "live",
        "State": "refused",
        "Attention": "page-now",
        "Part": 1,
        "Watermark": NOON,
        "BytesByCategory": {"auth": 10},
    }
    activity = {"TimeGenerated": NOON, "EventTime": NOON, "ActivityId": "activity_01", "ConnectionName": "contoso"}
    try:
        workspace.store(tables.HEALTH, [health], ingested_at=NOON)
        workspace.store(tables.ACTIVITY, [activity], ingested_at=NOON)
        assert workspace.query(kql).objects() is not None
    finally:
        workspace.close()


# Privacy.

PRIVATE_SETTINGS = ("identity", "identity_key", "minimize", "content_names", "log_level", "key_vault_url", "state_dir")


def test_every_setting_that_concerns_privacy_is_explained() -> None:
    """Each by its name as it is set, and each is a setting that exists."""
    assert set(PRIVATE_SETTINGS) <= Settings.model_fields.keys()
    assert [name for name in PRIVATE_SETTINGS if f"`{name.upper()}`" not in PRIVACY] == []


def test_every_column_has_its_line_in_the_table_of_modes() -> None:
    """What each mode changes is said for every column of the activity table, and for no other."""
    listed: dict[str, str] = {}
    for names, *cells in (
        line for line in _table_lines(section(PRIVACY, "## What each mode changes")) if len(line) == 4
    ):
        listed |= dict.fromkeys(re.findall(r"`(\w+)`", names), cells[1])
    columns = {column.name: column for column in tables.load(tables.ACTIVITY).columns}
    assert listed.keys() == columns.keys()
    personal = {name for name, column in columns.items() if column.sensitivity == "personal"}
    assert {name for name, told in listed.items() if told.startswith("hash")} == personal | {"RecordHash"}


def _table_lines(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def test_modes_fields_and_the_length_of_the_key_are_told() -> None:
    """Every mode, every field that is hidden by its name, and how long the key must be."""
    assert [mode for mode in MODES if f"`{mode}`" not in PRIVACY] == []
    assert [name for name in NAMES if f"`{name}`" not in PRIVACY] == []
    assert "16 random bytes" in PRIVACY


def test_every_category_stands_in_the_works_council_annex() -> None:
    """What each family shows about employees is said for every category of the catalogue."""
    categories = {entry.category for entry in catalogue.load().types.values()} | {"unknown"}
    text = section(PRIVACY, "## Annex for the works council")
    named = {name for line in _table_lines(text) for name in re.findall(r"`([a-z_]+)`", line[0])}
    assert named == categories


def test_viewed_types_are_all_named() -> None:
    """The activities that show what somebody looked at are listed in full."""
    text = section(PRIVACY, "## Annex for the works council")
    viewed = [name for name in catalogue.load().types if name.endswith("_viewed")]
    assert [name for name in viewed if f"`{name}`" not in text] == []


def test_the_examples_of_settings_are_valid() -> None:
    """Every MINIMIZE shown on the pages is JSON of known categories and modes."""
    shown = re.findall(r"`MINIMIZE=(\{[^`]*\})`", OPERATE + PRIVACY)
    assert shown
    categories = {entry.category for entry in catalogue.load().types.values()} | {"unknown", "*"}
    for text in shown:
        choice = json.loads(text)
        assert choice.keys() <= categories and set(choice.values()) <= set(MODES)


def test_the_hash_for_a_subject_request_is_that_of_the_rows() -> None:
    """The page's Python prints what the columns of that person show."""
    (code,) = re.findall(r"```python\n(.*?)```", PRIVACY, re.DOTALL)
    key = b"sixteen bytes or more, invented"
    printed: list[str] = []
    exec(code, {"key": key, "print": printed.append})
    row = Minimizer({"*": "pseudonymous"}, key).apply({"ActorEmail": "ana@example.com", "Category": "auth"})
    assert printed == [row["ActorEmail"]]


@pytest.mark.parametrize("page", ["operate.md", "privacy.md"])
def test_every_anchor_exists(page: str) -> None:
    """A link to a section, on the page or on another, leads to a heading."""
    folder = ROOT / "docs"
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", (folder / page).read_text(encoding="utf-8")):
        text = (folder / (target or page)).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, anchor
