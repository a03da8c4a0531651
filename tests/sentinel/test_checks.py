"""The checks find what they are for; the draft itself has nothing wrong."""

from pathlib import Path
from typing import Any

import pytest

from sentinel.tools.check import bind, checks
from sentinel.tools.prove.verdict import judge
from tests.sentinel.drafts import OFF, QUERY, bound, loaded


def told(folder: Path, **changes: Any) -> list[str]:
    file = loaded(folder, **changes)
    return [str(problem) for problem in checks.problems(file, bound(file.value.query)[0])]


def with_line(query: str, line: str) -> str:
    """The query with one more condition before its last lines."""
    return query.replace("| extend Subject", f"{line}\n| extend Subject")


@pytest.fixture(scope="module", autouse=True)
def bound_together() -> None:
    """A process costs seconds, a query in it milliseconds."""
    bound(QUERY, *(changes["query"] for changes, _ in MISTAKES if "query" in changes))


def test_the_draft_is_proved(tmp_path: Path) -> None:
    """A good rule has no problems, and its tests, laws and mutants are counted."""
    file = loaded(tmp_path)
    verdict = judge(file, bound(file.value.query)[0])
    assert (verdict.problems, verdict.executed, verdict.tests, verdict.mutants) == ((), True, 14, 2)


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"query": QUERY.replace("org_sso_toggled", "org_sso_tuggled")}, "org_sso_tuggled is no activity type"),
    ({"query": with_line(QUERY, '| where ActivityType == "sso_failed"')}, "sso_failed is no activity type"),
    ({"query": with_line(QUERY, "| where Details.is_enabled == false")}, "Details has no field is_enabled"),
    ({"query": QUERY.replace("ClaudeActivity(types)", "ClaudeActivity_CL")}, "never a table: ClaudeActivity_CL"),
    ({"query": with_line(QUERY, "| where Enabeld == true")}, "'Enabeld' does not refer to any known column"),
    ({"query": QUERY.replace("ago(5m)", "ago(15m)")}, "filters `IngestedAt > ago(5m)`"),
    ({"query": QUERY.replace("| where not(IsBackfill)\n", "")}, "leaves history out"),
    ({"query": QUERY.replace("claude-draft", "claude-other")}, 'ClaudeMuted("claude-draft")'),
    ({"query": with_line(QUERY, "| where KeyId !in (_GetWatchlist('x'))")}, "a watchlist through its function"),
    ({"relevantTechniques": ["T1110"]}, "T1110 is not under DefenseEvasion: it belongs to CredentialAccess"),
    ({"tactics": ["Defence"]}, "Defence is no tactic"),
    ({"severity": "High"}, "High needs contain"),
    ({"queryPeriod": "5m"}, "queryPeriod is 1d at least"),
    ({"queryPeriod": "2d"}, "needs a frequency of 1h"),
    ({"customDetails": {"Id": "ActivityId"}}, "no column ActivityId"),
    ({"customDetails": {"A name with blanks": "KeyId"}}, "up to 19 word characters"),
    ({"alertDetailsOverride": {"alertDisplayNameFormat": "by {{ActorEmail}}"}}, "no column ActorEmail"),
    ({"alertDetailsOverride": {"alertDisplayNameFormat": "{{KeyId}}" * 4}}, "more than 3 placeholders"),
    ({"description": "This rule is about nothing at all."}, "its first word is one of"),
    ({"name": "Draft."}, "starts with 'Claude - '"),
    ({"misses": "Everything \u2013 else."}, "only ASCII"),
    ({"tests": [{"name": "off", "fires": True, "activities": [OFF]}]}, "at least 2 that do not fire"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "reason"), MISTAKES, ids=[reason for _, reason in MISTAKES])
def test_a_mistake_is_told_with_its_file(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    """Each mistake stops the build with file, line and reason."""
    found = told(tmp_path, **changes)
    assert any(reason in problem and "claude-draft.yaml:" in problem for problem in found), found


@pytest.mark.parametrize(
    ("entity", "identifier", "column", "reason"),
    [
        ("Account", "Name", "ActorEmailClaimed", "must not become an Account"),
        ("Account", "Name", "KeyId", "must not become an Account"),
        ("Account", "UPNSuffix", "AccountUPNSuffix", "needs a strong identifier"),
        ("Person", "Name", "AccountName", "no entity"),
        ("IP", "Adress", "ActorIp", "no identifier Adress"),
        ("IP", "Address", "Ip", "no column Ip"),
    ],
)
def test_an_entity_is_what_sentinel_knows(
    tmp_path: Path, entity: str, identifier: str, column: str, reason: str
) -> None:
    """Entity types, identifiers and columns exist, and nobody is made a person who is none."""
    mapping = {"entityType": entity, "fieldMappings": [{"identifier": identifier, "columnName": column}]}
    assert any(reason in problem for problem in told(tmp_path, entityMappings=[mapping]))


def test_an_unknown_type_is_told_on_its_line(tmp_path: Path) -> None:
    """The line is the query's own, in the file."""
    file = loaded(tmp_path, query=with_line(QUERY, '| where ActivityType == "sso_failed"'))
    lines = file.path.read_text().splitlines()
    wrong = next(number for number, line in enumerate(lines, 1) if "sso_failed" in line)
    found = checks.problems(file, bound(file.value.query)[0])
    assert [problem.line for problem in found] == [wrong]


def test_ids_and_names_are_unique(tmp_path: Path) -> None:
    """Two files with one id or one name are told."""
    file = loaded(tmp_path)
    assert [problem.reason.partition(" ")[0] for problem in checks.across([file, file])] == ["id", "name"]


def test_a_kept_answer_is_used_until_something_it_depends_on_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same question is answered without the language service; another query is asked anew."""
    monkeypatch.setattr(bind, "CACHE", tmp_path / "kql")
    first = bind.bind({"a": "print x = 1"}, keep=True)
    asked: list[Any] = []

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        asked.append(question["queries"])
        return {}

    monkeypatch.setattr(bind, "_asked", answer)
    assert bind.bind({"a": "print x = 1"}, keep=True) == first and not asked
    bind.bind({"a": "print x = 2"}, keep=True)
    assert asked == [[{"name": "a", "text": "print x = 2"}]]
