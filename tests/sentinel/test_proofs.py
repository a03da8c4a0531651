"""What execution, laws and mutants find in rules that look right."""

from pathlib import Path
from typing import Any

import pytest

from sentinel.tools.prove.verdict import judge
from tests.sentinel.drafts import OFF, ON, QUERY, bound, loaded


def told(folder: Path, **changes: Any) -> list[str]:
    file = loaded(folder, **changes)
    return [str(problem) for problem in judge(file, bound(file.value.query)[0]).problems]


def one_each(*firing: dict[str, Any], silent: tuple[dict[str, Any], ...] = (ON, ON)) -> list[dict[str, Any]]:
    """One test for each activity."""
    return [
        {"name": f"{'fires' if fires else 'silent'} {number}", "fires": fires, "activities": [activity]}
        for fires, activities in ((True, firing), (False, silent))
        for number, activity in enumerate(activities)
    ]


def test_a_test_that_does_not_hold_is_named(tmp_path: Path) -> None:
    """The test's name, and what was found instead."""
    assert "test 'fires 1': 0 row(s), expected some" in told(tmp_path, tests=one_each(OFF, ON))[0]


@pytest.mark.parametrize(
    ("before", "after", "law"),
    [
        ("| where not(IsBackfill)", "| where not(IsBackfill) or true", "backfill"),
        ("| where IngestedAt > ago(5m)", "| where IngestedAt > ago(5m) or true // > ago(5m)", "once"),
        ("| where IngestedAt > ago(5m)", "| where IngestedAt > ago(5m) and EventTime > ago(5m)", "late"),
        ("Subject !in~", "true or Subject !in~", "muted"),
    ],
)
def test_a_broken_law_is_found(tmp_path: Path, before: str, after: str, law: str) -> None:
    """Rows that come late, twice, again or as history are tried without the author's doing."""
    found = told(tmp_path, query=QUERY.replace(before, after))
    assert found and all(f"law {law}" in problem for problem in found)


def test_a_condition_that_no_test_needs_is_found(tmp_path: Path) -> None:
    """A mutant that every test passes is told with the line of the condition."""
    query = QUERY.replace("| where Enabled == false", "| where Enabled == false\n| where isnotempty(ActorEmail)")
    found = told(tmp_path, query=query)
    assert len(found) == 1 and "no test notices the mutant `drop: isnotempty(ActorEmail)`" in found[0]
    excuse = [{"mutant": "drop: isnotempty(ActorEmail)", "reason": "The draft does not care."}]
    assert told(tmp_path, query=query, equivalentMutants=excuse) == []


def test_an_excuse_for_a_mutant_that_dies_is_found(tmp_path: Path) -> None:
    """Excuses do not outlive their reason."""
    excuse = [{"mutant": "drop: Enabled == false", "reason": "No longer true."}]
    assert "no such surviving mutant" in told(tmp_path, equivalentMutants=excuse)[0]


def test_a_claimed_address_as_an_account_is_found(tmp_path: Path) -> None:
    """However the query spells it, what a stranger typed in does not become a person."""
    query = QUERY.replace("org_sso_toggled", "sso_login_failed").replace("| where Enabled == false\n", "")
    query = query.replace(
        "extend Subject = ActorEmail",
        "extend Subject = ActorEmailClaimed, AccountName = tostring(split(ActorEmailClaimed, '@')[0])",
    )
    failed = {"type": "sso_login_failed", "actor": "anonymous:ana"}
    assert "AccountName makes an Account of 'ana'" in told(tmp_path, query=query, tests=one_each(failed, failed))[0]


@pytest.mark.parametrize(
    ("activity", "reason"),
    [
        ({"type": "org_sso_tuggled"}, "no activity type"),
        ({"type": "org_sso_toggled", "is_enabled": False}, "has no field is_enabled; it has enabled"),
        ({"type": "org_sso_toggled", "actor": {"as": "scim", "ip_address": "192.0.2.1"}}, "has no field ip_address"),
        ({"type": "org_sso_toggled", "created": "-1m", "ingested": "-2m"}, "come in this order"),
        ({"type": "org_sso_toggled", "created": "-1m", "times": 3, "every": "1m"}, "created after now"),
    ],
)
def test_a_world_that_cannot_be_is_told(tmp_path: Path, activity: dict[str, Any], reason: str) -> None:
    """Types, fields and times of tests are checked as those of queries are."""
    assert reason in told(tmp_path, tests=one_each(OFF, activity))[0]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"neighbors": {"NoSuchTable": []}}, "no table NoSuchTable"),
        ({"neighbors": {"SigninLogs": [{"Upn": "x"}]}}, "no column Upn"),
        ({"watchlists": {"ClaudeNobody": []}}, "no watchlist ClaudeNobody"),
        ({"watchlists": {"ClaudeVips": [{"Mail": "x"}]}}, "no column Mail"),
    ],
)
def test_unknown_neighbors_are_told(tmp_path: Path, more: dict[str, Any], reason: str) -> None:
    """A misspelt table, column or watchlist is not an empty one."""
    written = one_each(OFF, OFF)
    written[0] |= more
    assert reason in told(tmp_path, tests=written)[0]
