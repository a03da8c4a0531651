"""Workbooks: their source, their queries, the JSON made of them, and that the local page has the very same source."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kql import LocalWorkspace
from kql.parsers import NO_WATCHLISTS
from sentinel.tools.check.bind import Bound, bind
from sentinel.tools.load import content
from sentinel.tools.prove.cases import rows
from sentinel.tools.prove.stage import GET_WATCHLIST, watchlist_table
from sentinel.tools.workbook import build, checks
from sentinel.tools.workbook.model import Workbook, mentions, read, slugs
from sentinel.tools.workbook.scope import ALL, Scope, chosen, deployed, local
from shared import tables
from shared.clock import SimulatedClock
from shared.report.questions import FOLDER

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BOOKS = [read(slug) for slug in slugs()]
TILES = [
    pytest.param(book, page, tile, id=f"{page.slug}-{tile.id}")
    for book in BOOKS
    for page in book.pages
    for tile in page.tiles
    if tile.query
]


@pytest.fixture(scope="module")
def book() -> Workbook:
    return read()


@pytest.fixture(scope="module")
def bound_queries(book: Workbook) -> dict[str, Bound]:
    return checks.bound(book)


@pytest.fixture(scope="module")
def empty() -> LocalWorkspace:
    """A workspace with every table and no row."""
    every = [*content.own_tables().values(), *content.neighbor_tables().values(), watchlist_table()]
    return LocalWorkspace.create(None, SimulatedClock(NOW), every, given=(GET_WATCHLIST,))


def test_source_has_nothing_to_complain_about(book: Workbook, bound_queries: dict[str, Bound]) -> None:
    """Every tab, tile, query, column, drill-down and parameter of the source fits the others."""
    assert checks.problems(book, bound_queries) == []


def test_nine_tabs_start_with_coverage(book: Workbook) -> None:
    """The first tile of every tab says how complete the record is, and the tabs are the nine that were agreed on."""
    assert [page.slug for page in book.pages] == [
        "overview", "identity", "administration", "keys", "data", "connectors", "person", "compliance", "health",
    ]  # fmt: skip
    assert {page.tiles[0].id for page in book.pages} == {"coverage"}


def test_generated_files_are_those_of_the_source() -> None:
    """The committed JSON is what the source compiles to; `python -m tools content workbook` writes it."""
    assert build.stale() == []


def test_deployed_body_is_whole_and_fits_a_template(book: Workbook) -> None:
    """It is the workbook, small enough to be loaded; tests/infra/test_content.py holds what is deployed against it."""
    body = build.resource(book)
    assert body["workbook"] == build.compiled(book)
    assert len(json.dumps(body)) < 1_048_576  # what loadJsonContent takes


def test_json_is_well_formed(book: Workbook) -> None:
    """Step names are unique, every parameter is defined, every visualization is one there is."""
    assert checks.json_problems(build.compiled(book)) == []


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda items: items.append(items[0]), "used 2 times"),
        (lambda items: items[3]["content"]["items"][1]["content"].update(query="print '{Nobody}'"), "Nobody"),
        (lambda items: items[3]["content"]["items"][1]["content"].update(visualization="pyramid"), "pyramid"),
        (lambda items: items[3]["content"]["items"][1]["content"].update(noDataMessage=""), "empty"),
        (lambda items: items[0]["content"].update(json="/subscriptions/42/"), "subscription"),
        (lambda items: items[3].update(conditionalVisibility={"parameterName": "Gone"}), "Gone"),
    ],
)
def test_json_mistakes_are_found(book: Workbook, spoil: Any, word: str) -> None:
    """Each mistake the checks are there for is found in a spoilt copy."""
    document = json.loads(json.dumps(build.compiled(book)))
    spoil(document["items"])
    assert any(word in problem for problem in checks.json_problems(document))


def test_compiled_queries_bind_in_sentinels_words(book: Workbook) -> None:
    """Also with what Sentinel puts in place of the braces every query of the JSON binds."""
    document = build.compiled(book)
    queries = _queries(document)
    answers = bind({name: _as_sentinel(query) for name, query in queries.items()})
    assert {name: found.complaints for name, found in answers.items() if found.complaints} == {}
    assert not any(found.tables for found in answers.values())


def _queries(document: dict[str, Any]) -> dict[str, str]:
    items = checks.steps(document)
    return {item["name"]: item["content"]["query"] for item in items if item["type"] == 3}


def _as_sentinel(query: str) -> str:
    for braces, value in {
        "{TimeRange:startISO}": "2026-10-21T12:00:00.000Z",
        "{TimeRange:grain}": "1d",
        "{Until:escapejson}": "",
    }.items():
        query = query.replace(braces, value)
    return checks.PLACEHOLDER.sub("a", query)


def test_page_and_json_have_one_source(book: Workbook) -> None:
    """What follows the `let` lines is the same text on the page and in the JSON, for every tile."""
    document = build.compiled(book)
    queries = _queries(document)
    scope = Scope(NOW - timedelta(days=30), NOW)
    for page in book.pages:
        for tile, text in page.queries.items():
            assert queries[f"{page.slug}-{tile}"].endswith(text)
            assert local(text, scope, book.shared).endswith(text)
            assert _lets(local(text, scope, book.shared)) == _lets(queries[f"{page.slug}-{tile}"])


def _lets(query: str) -> list[str]:
    return [line.partition("=")[0] for line in query.splitlines() if line.startswith("let ")]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("book", "page", "tile"), TILES)
def test_tile_runs_in_an_empty_workspace(book: Workbook, page: Any, tile: Any, empty: LocalWorkspace) -> None:
    """A tile over nothing is empty, or numbers that say so; it is not an error."""
    scope = Scope(NOW - timedelta(days=30), NOW, person="ana@example.com")
    answer = empty.query(local(page.queries[tile.id], scope, book.shared), now=NOW)
    assert all(not row["Value"] for row in answer.objects()) if tile.kind == "tiles" else not answer.rows


def test_history_written_later_is_not_hidden(book: Workbook) -> None:
    """A row that was filed today and happened three weeks ago counts where it happened."""
    workspace = LocalWorkspace.create(
        None, SimulatedClock(NOW), [tables.load(name) for name in tables.table_names()], given=(NO_WATCHLISTS,)
    )
    row = {
        "TimeGenerated": NOW,
        "EventTime": NOW - timedelta(days=21),
        "ActivityId": "a",
        "Category": "auth",
        "IsBackfill": True,
    }
    workspace.store(tables.ACTIVITY, [row], ingested_at=NOW)
    query = next(page for page in book.pages if page.slug == "overview").queries["over-time"]
    scope = chosen(NOW, lookback="30d", until="2026-11-01")
    answer = workspace.query(local(query, scope, book.shared), now=NOW)
    assert answer.objects() == [{"EventTime": datetime(2026, 10, 30, tzinfo=UTC), "Family": "auth", "Activities": 1}]
    workspace.close()


def test_workbook_and_report_mean_the_same_changes(book: Workbook) -> None:
    """What counts as a control, and of a workspace's settings which, is one list in both."""
    told = (FOLDER / "changes.kql").read_text(encoding="utf-8")
    types = re.search(r"let Controls = (dynamic\(.*?\));", told, re.DOTALL)
    assert types is not None
    ours = book.shared["ControlTypes"]
    assert re.findall(r'"\w+"', types[1]) and set(re.findall(r'"\w+"', types[1])) == set(re.findall(r'"\w+"', ours))
    of_workspace = re.compile(r'"platform_workspace_updated" or Name in (\(.*?\))')
    assert of_workspace.findall(told) == of_workspace.findall(book.shared["ControlValues"]) != []


def test_every_setting_that_a_change_touches_is_told(book: Workbook) -> None:
    """Two settings changed at once are both told, a workspace's too; a workspace's new name is no control."""
    two = [
        {"type": "allowed_inference_geos", "previous_value": "eu", "current_value": "eu,us"},
        {"type": "default_inference_geo", "previous_value": "eu", "current_value": "us"},
    ]
    kept = {"type": "inference_data_retention", "previous_value": "false", "current_value": "true"}
    named = {"type": "name", "previous_value": "one", "current_value": "two"}
    sent = [
        *rows({"type": "org_data_residency_updated", "actor": "admin", "id": "a1", "updates": two}),
        *rows(
            {
                "type": "platform_workspace_updated",
                "actor": "admin",
                "id": "a2",
                "workspace_id": "w",
                "updates": [kept, named],
            }
        ),
        *rows({"type": "org_claude_code_zero_data_retention_disabled", "actor": "admin", "id": "a3"}),
    ]
    every = [*content.own_tables().values(), *content.neighbor_tables().values(), watchlist_table()]
    workspace = LocalWorkspace.create(None, SimulatedClock(NOW), every, given=(GET_WATCHLIST,))
    workspace.store(tables.ACTIVITY, sent, ingested_at=NOW)
    scope = Scope(NOW - timedelta(days=1), NOW)

    def asked(slug: str, tile: str) -> list[dict[str, Any]]:
        query = next(page for page in book.pages if page.slug == slug).queries[tile]
        return workspace.query(local(query, scope, book.shared), now=NOW).objects()

    changed = {row["ActivityType"]: row["What"] for row in asked("compliance", "changes")}
    assert changed == {
        "org_data_residency_updated": "allowed_inference_geos: eu → eu,us; default_inference_geo: eu → us",
        "platform_workspace_updated": "inference_data_retention: false → true",
        "org_claude_code_zero_data_retention_disabled": "off",
    }
    told = {row["Setting"]: (row["AtStart"], row["AtEnd"]) for row in asked("compliance", "state")}
    assert told == {
        "allowed_inference_geos": ("not reported", "eu,us"),
        "default_inference_geo": ("not reported", "us"),
        "inference_data_retention": ("not reported", "on"),
        "org_claude_code_zero_data_retention": ("not reported", "off"),
    }
    assert sum(row["Changes"] for row in asked("administration", "direction")) == 3
    workspace.close()


def test_nothing_typed_becomes_kql() -> None:
    """A quote, a backslash or a line break in a parameter stays inside its text."""
    hostile = 'x"; ClaudeActivity_CL | take 5 //\\\n'
    scope = Scope(NOW - timedelta(days=1), NOW, person=hostile, picked=hostile)
    text = local("print Person, Picked", scope, {})
    workspace = LocalWorkspace.create(
        None, SimulatedClock(NOW), [tables.load(tables.ACTIVITY)], parsers=Path("no-such-folder")
    )
    assert workspace.query(text).rows == [(hostile.replace("\n", " "),) * 2]
    workspace.close()


@pytest.mark.parametrize(
    ("given", "words"),
    [({"lookback": "2h"}, "one of"), ({"until": "soon"}, "date"), ({"until": "2026-01-01"}, "before the period")],
)
def test_scope_says_what_is_wrong(given: dict[str, str], words: str) -> None:
    """A parameter that is none of its choices is refused in words."""
    with pytest.raises(ValueError, match=words):
        chosen(NOW, **{"lookback": "30d", "until": "", **given})


def test_scope_ends_at_until_and_never_after_now() -> None:
    """Until ends the period early; a date to come does not make it longer."""
    assert chosen(NOW, lookback="30d", until="2026-11-01").end == datetime(2026, 11, 1, tzinfo=UTC)
    assert chosen(NOW, lookback="30d", until="2027-11-01") == Scope(NOW - timedelta(days=30), NOW, ALL, ALL, ALL)


def test_only_names_that_are_used_are_declared() -> None:
    """A query gets the `let` lines that it or an expression it builds on needs, and none for a column of that name."""
    shared = {"Changes": "ClaudeActivity | where EventTime >= From", "Unused": "print To"}
    assert _lets(deployed("Changes | where Details.Person == 1 // To", shared)) == ["let From ", "let Changes "]
    assert not mentions("// From here\nprint 1", "From")
