"""The customer's tuning file: which rules are on, how severe, how often, with which thresholds; by the rule's slug.

    {"claude-failures-then-success": {"severity": "High", "thresholds": {"threshold": "8", "window": "1h"}}}

It is the parameter `tuning` of every deployment (infra/bicep/tuning.json), and so survives releases: what is off stays
off. A threshold is a `let name = number;` or `let name = span;` at the start of a line of the rule's query. The
templates apply the file (infra/bicep/tuning.bicep) and refuse invalid entries; this reports them earlier and in detail.
"""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from sentinel.tools.load.models import Rule
from sentinel.tools.load.problems import ContentError, Problem
from sentinel.tools.load.spans import Span, show

_SPAN, _NUMBER = r"\d+[smhd]", r"-?\d+(?:\.\d+)?"
_LET = re.compile(rf"^let (\w+) = ({_SPAN}|{_NUMBER});", re.MULTILINE)
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=1)


class RuleTuning(BaseModel):
    """What a customer may say about one rule."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    severity: Literal["Informational", "Low", "Medium", "High"] | None = None
    frequency: Span | None = None
    thresholds: dict[str, str] = {}


def thresholds(query: str) -> dict[str, str]:
    """Name -> value of the query's thresholds, as written."""
    return dict(_LET.findall(query))


def tunable(rule: Rule) -> dict[str, Any]:
    """What the templates need to apply a tuning file by replacing text.

    `frequency` is the text to replace when the frequency changes, "" where another frequency would change the rule's
    meaning: a span equal to it stands elsewhere in the query, too. `severity` is false where rows decide it.
    `thresholds` has each one's value as written.
    """
    span = show(rule.query_frequency)
    ago = f"IngestedAt > ago({span})"
    alone = ago in rule.query and not re.search(rf"\b{span}\b", rule.query.replace(ago, ""))
    return {
        "frequency": ago if alone else "",
        "severity": rule.alert_details_override.alert_severity_column_name is None,
        "thresholds": thresholds(rule.query),
    }


def problems(path: Path, rules: dict[str, dict[str, Any]]) -> list[Problem]:
    """What is wrong with the tuning file at `path`. `rules`: slug -> what `tunable` says of that rule."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as exc:
        return [Problem(path, exc.lineno, f"this is not JSON: {exc.msg}")]
    if not isinstance(said, dict):
        return [Problem(path, 1, "a tuning file is an object: rule -> what is changed about it")]
    return [Problem(path, 0, reason) for slug, entry in said.items() for reason in _wrong(slug, entry, rules)]


def _wrong(slug: str, entry: Any, rules: dict[str, dict[str, Any]]) -> list[str]:
    if slug not in rules:
        return [f"there is no rule {slug}"]
    try:
        tuning = RuleTuning.model_validate(entry)
    except ValidationError as exc:
        return [f"{slug}: {'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors()]
    tunable_, found = rules[slug], []
    for name, value in tuning.thresholds.items():
        default = tunable_["thresholds"].get(name)
        if default is None:
            found.append(f"{slug} has no threshold {name}; it has {', '.join(tunable_['thresholds']) or 'none'}")
        elif not re.fullmatch(_SPAN if default[-1].isalpha() else _NUMBER, value):
            found.append(f"{slug}: {name} is released as {default}, and {value} is none of its kind")
    if tuning.frequency is not None and not tunable_["frequency"]:
        found.append(f"{slug}: its frequency is part of what it looks for and cannot be changed")
    if tuning.severity is not None and not tunable_["severity"]:
        found.append(f"{slug}: its severity is decided row by row")
    if tuning.frequency is not None and not SHORTEST <= tuning.frequency <= LONGEST:
        found.append(f"{slug}: a frequency is 5m to 1d, as far as every rule looks back")
    return found


def check(path: Path, rules: dict[str, dict[str, Any]]) -> None:
    """ContentError when the tuning file does not fit the rules."""
    if found := problems(path, rules):
        raise ContentError(found)
