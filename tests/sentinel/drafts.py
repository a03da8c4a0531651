"""A small rule to break on purpose."""

from pathlib import Path
from typing import Any

import yaml

from sentinel.tools.check.bind import Bound, bind
from sentinel.tools.load import content
from sentinel.tools.load.content import File
from sentinel.tools.load.models import Rule

QUERY = """let types = dynamic(["org_sso_toggled"]);
ClaudeActivity(types)
| where IngestedAt > ago(5m)
| where not(IsBackfill)
| where Enabled == false
| extend Subject = ActorEmail
| where Subject !in~ (ClaudeMuted("claude-draft"))
| project EventTime, Subject, AccountName, AccountUPNSuffix, ActorIp, KeyId, ActorEmailClaimed
"""
OFF = {"type": "org_sso_toggled", "actor": "admin", "enabled": False}
ON = {**OFF, "enabled": True}


def draft(folder: Path, **changes: Any) -> Path:
    """A rule file in `folder`: a good one but for `changes` (keys as in the file)."""
    said: dict[str, Any] = {
        "id": "00000000-0000-4000-8000-000000000001",
        "name": "Claude - Draft",
        "description": "Detects nothing in particular, for the tests of the tools.",
        "severity": "Medium",
        "severityReason": "A draft.",
        "queryFrequency": "5m",
        "queryPeriod": "1d",
        "tactics": ["DefenseEvasion"],
        "relevantTechniques": ["T1556"],
        "query": QUERY,
        "entityMappings": [
            {"entityType": "Account", "fieldMappings": [{"identifier": "Name", "columnName": "AccountName"}]}
        ],
        "version": "1.0.0",
        "source": "draft",
        "runbook": "1. Look.",
        "misses": "Everything else.",
        "falsePositives": "None.",
        "expectedPerMonth": 0,
        "tests": [
            {"name": "off", "fires": True, "activities": [OFF]},
            {"name": "off again", "fires": True, "activities": [OFF]},
            {"name": "on", "fires": False, "activities": [ON]},
            {"name": "on again", "fires": False, "activities": [ON]},
        ],
        **changes,
    }
    path = folder / "claude-draft.yaml"
    query = str(said.pop("query"))
    block = "query: |\n" + "".join(f"  {line}\n" for line in query.splitlines())
    path.write_text(yaml.safe_dump(said, sort_keys=False, allow_unicode=True) + block, encoding="utf-8")
    return path


def loaded(folder: Path, **changes: Any) -> File[Rule]:
    return content.rule(draft(folder, **changes))


_BOUND: dict[str, Bound] = {}


def bound(*queries: str) -> list[Bound]:
    """Queries bound, each once in a session, all that are new in one process."""
    new = {query: query for query in queries if query not in _BOUND}
    _BOUND.update(bind(new) if new else {})
    return [_BOUND[query] for query in queries]
