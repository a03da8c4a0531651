"""What is built for Azure says what the content files say, fits Azure's limits, and is what is committed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from sentinel.tools.check.bind import bind
from sentinel.tools.cli import app
from sentinel.tools.compile import automation, bodies, build, tuning
from sentinel.tools.load import content
from sentinel.tools.load.content import File
from sentinel.tools.load.problems import ROOT, ContentError
from tests.sentinel.drafts import QUERY, loaded

FILES = content.all_detections()


@pytest.fixture(scope="module")
def texts() -> dict[Path, str]:
    return build.made(FILES)


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The solution's folder, as the command writes it."""
    folder = tmp_path_factory.mktemp("upstream") / "solution"
    written = CliRunner().invoke(app, ["solution", "--out", str(folder)])
    assert written.exit_code == 0, written.output
    return folder


def deployed(texts: dict[Path, str], kind: str) -> list[dict[str, Any]]:
    return [body for path, text in texts.items() if path.match(f"generated/{kind}*.json") for body in json.loads(text)]


def test_what_is_committed_is_what_is_built(texts: dict[Path, str]) -> None:
    """`python -m tools content build` has been run since content changed."""
    assert not build.stale(texts)


def test_a_stale_missing_or_strange_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check names each file; writing repairs all of them."""
    monkeypatch.setattr(build, "GENERATED", tmp_path / "generated")
    here = {tmp_path / "generated" / "rules.1.json": "[]\n"}
    build.write(here)
    assert build.stale(here) == []
    (tmp_path / "generated" / "rules.1.json").write_text("[1]\n")
    (tmp_path / "generated" / "rules.9.json").write_text("[]\n")
    assert [problem.path.name for problem in build.stale(here)] == ["rules.1.json", "rules.9.json"]
    build.write(here)
    assert build.stale(here) == []


def test_every_query_is_deployed_to_the_letter(texts: dict[Path, str]) -> None:
    """Each rule, hunt and function is one resource, and its query is the file's."""
    queries = {
        body["name"]: body["properties"]["query"] for kind in ("rules", "hunts") for body in deployed(texts, kind)
    }
    assert queries == {file.value.id: file.value.query for file in FILES}
    functions = {body["name"]: body["properties"]["query"] for body in deployed(texts, "parsers")}
    assert functions == {name: parser.body for name, parser in content.parsers().items()}


def test_the_solution_carries_the_same_rules(upstream: Path) -> None:
    """Upstream's files parse, keep id, version and query, have none of our own keys, and the manifest lists each."""
    slugs = {file.slug: file.value for file in FILES}
    folders = ("Analytic Rules", "Hunting Queries")
    made = {path: yaml.safe_load(path.read_text()) for folder in folders for path in (upstream / folder).iterdir()}
    assert {path.stem for path in made} == set(slugs)
    for path, said in made.items():
        file = slugs[path.stem]
        assert (said["id"], said["version"], said["query"]) == (file.id, file.version, file.query)
        assert not {"runbook", "misses", "tests", "source", "contain", "expectedPerMonth"} & said.keys()
    manifest = json.loads(next((upstream / "Data").glob("Solution_*.json")).read_text())
    listed = {name for folder in (*folders, "Parsers", "Watchlists") for name in manifest[folder]}
    assert all((upstream / name).is_file() for name in listed)
    assert len(listed) == len(FILES) + len(content.parsers()) + len(content.watchlists())


def test_connectors_follow_from_what_is_called() -> None:
    """A function stands for the tables behind it, through the functions it calls."""
    connectors = {one["connectorId"]: one["dataTypes"] for one in bodies.required_connectors({"ClaudePeople"})}
    assert connectors == {
        "ClaudeSentinelBridge": ["ClaudeActivity_CL", "ClaudeDaily_CL"],
        "BehaviorAnalytics": ["IdentityInfo"],
    }


def test_every_table_has_a_connector_or_is_known_to_have_none() -> None:
    """A neighbor that is added is given the connector that fills it."""
    raw = json.loads((ROOT / "schemas" / "connectors.json").read_text())
    filled = {table for tables in raw["connectors"].values() for table in tables}
    assert filled | set(raw["none"]) >= {*content.own_tables(), *content.neighbor_tables()}


def test_a_collectors_rule_stays_out_of_correlation(tmp_path: Path) -> None:
    """Defender leaves a rule alone whose description starts with the mark; other rules have none."""
    assert bodies.description(loaded(tmp_path, tags=["collector"])).startswith("#DONT_CORR# ")
    assert "#DONT_CORR#" not in bodies.description(loaded(tmp_path))
    collectors = {file.slug for file in FILES if "collector" in getattr(file.value, "tags", [])}
    assert {"claude-feed-silent", "claude-feed-incomplete"} <= collectors


def test_a_runbook_becomes_tasks(tmp_path: Path) -> None:
    """Contain comes first, then each numbered step, titles within Sentinel's limit and texts whole and escaped."""
    runbook = f"1. Ask <who>.\n2. Look at {'ActorId, ' * 40}\n   and on.\n"
    file = loaded(tmp_path, severity="High", contain="Switch it on.", runbook=runbook)
    made = automation.automation_rule(file)
    assert made is not None and made["rule"] == file.value.id
    shown = [action["actionConfiguration"] for action in made["properties"]["actions"]]
    assert [one["title"].partition(":")[0] for one in shown] == ["Contain", "Step 1 of 2", "Step 2 of 2"]
    assert shown[1]["description"] == "Ask &lt;who&gt;."
    assert shown[2]["description"].endswith("and on.") and len(shown[2]["title"]) <= automation.TITLE_LIMIT


def test_a_rule_without_incidents_has_no_tasks(tmp_path: Path) -> None:
    """Tasks live in incidents: no incident, no automation rule."""
    assert automation.automation_rule(loaded(tmp_path, incidentConfiguration={"createIncident": False})) is None


def test_too_much_is_told_before_azure_does(tmp_path: Path) -> None:
    """A task longer than Sentinel takes, and a file longer than a template loads, stop the build."""
    file = loaded(tmp_path, runbook=f"1. {'Look. ' * 600}")
    assert "a task takes 3000 characters" in str(automation.problems(file)[0])
    found = list(build._too_much({tmp_path / "rules.1.json": json.dumps(["x" * 131_072])}))
    assert "a template loads 131072" in str(found[0])


def tuned(tmp_path: Path, said: Any, file: File[Any]) -> list[str]:
    path = tmp_path / "tuning.json"
    path.write_text(said if isinstance(said, str) else json.dumps(said))
    return [problem.reason for problem in tuning.problems(path, build.tunables([file]))]


QUERY_WITH_THRESHOLDS = "let threshold = 5;\nlet window = 30m;\n" + QUERY


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"claude-draft": {"enabled": False, "severity": "Low", "thresholds": {"threshold": "8", "window": "1h"}}}, ""),
        ({"claude-draft": {"frequency": "15m"}}, ""),
        ({"claude-gone": {}}, "there is no rule claude-gone"),
        ({"claude-draft": {"thresholds": {"limit": "8"}}}, "no threshold limit; it has threshold, window"),
        (
            {"claude-draft": {"thresholds": {"threshold": "8m"}}},
            "threshold is released as 5, and 8m is none of its kind",
        ),
        ({"claude-draft": {"frequency": "2d"}}, "a frequency is 5m to 1d"),
        ({"claude-draft": {"severty": "Low"}}, "severty"),
        ("{", "this is not JSON"),
        ([], "a tuning file is an object"),
    ],
)
def test_a_tuning_file_is_checked(tmp_path: Path, said: Any, reason: str) -> None:
    """What fits passes; a name or value that fits nothing is told in words."""
    found = tuned(tmp_path, said, loaded(tmp_path, query=QUERY_WITH_THRESHOLDS))
    assert (not found) if not reason else any(reason in one for one in found), found


def test_what_would_change_the_meaning_cannot_be_tuned(tmp_path: Path) -> None:
    """A frequency that stands in the query elsewhere, and a severity that rows decide, are refused."""
    file = loaded(
        tmp_path,
        query=QUERY + "| extend Age = 5m, Severity = 'Low'\n",
        alertDetailsOverride={"alertSeverityColumnName": "Severity"},
    )
    found = tuned(tmp_path, {"claude-draft": {"frequency": "1h", "severity": "High"}}, file)
    assert len(found) == 2 and "frequency" in found[0] and "row by row" in found[1]


def test_the_committed_tuning_file_fits() -> None:
    """The file that deployments take changes only what is there."""
    tuning.check(build.GENERATED.parent / "tuning.json", build.tunables(FILES))


def test_a_broken_tuning_file_stops_the_build(tmp_path: Path) -> None:
    """The customer is told by name, in one error."""
    path = tmp_path / "tuning.json"
    path.write_text('{"claude-gone": {}}')
    with pytest.raises(ContentError, match="there is no rule claude-gone"):
        tuning.check(path, build.tunables(FILES))


def test_thresholds_are_replaced_once(texts: dict[Path, str]) -> None:
    """The text that a tuned threshold replaces stands in its query once: nothing else changes with it."""
    for body in deployed(texts, "rules"):
        for name, value in body["tune"]["thresholds"].items():
            assert body["properties"]["query"].count(f"let {name} = {value};") == 1, (body["slug"], name)


def test_a_watchlist_is_made_empty_and_has_a_template(texts: dict[Path, str], upstream: Path) -> None:
    """A deployment brings no rows, so that it can never overwrite the customer's; the template shows one."""
    for body in deployed(texts, "watchlists"):
        assert "rawContent" not in body["properties"]
    for alias, file in content.watchlists().items():
        header, example = (upstream / "Watchlists" / f"{alias}.csv").read_text().splitlines()
        assert header.split(",") == [column.name for column in file.value.columns] and example


def test_a_summary_gives_the_columns_it_declares() -> None:
    """The query binds without our functions, and answers with the table's columns but those Azure adds."""
    for file in content.summaries().values():
        answer = bind({"summary": file.value.query})["summary"]
        assert not answer.complaints
        declared = {name: type_ for name, type_ in file.value.columns.items() if not name.startswith("_")}
        assert dict(answer.columns) == declared
        assert not re.findall(r"\bClaude\w+\b(?<!_CL)", re.sub(r"//.*", "", file.value.query))
