"""The rules of `sentinel/rules/` for the page's list; an invalid file is reported and does not hide the others."""

from typing import Any

from sentinel.tools.load import content, spans
from sentinel.tools.load.models import Rule
from sentinel.tools.load.problems import ContentError

_ORDER = ("High", "Medium", "Low", "Informational")


def listed() -> tuple[list[dict[str, Any]], list[str]]:
    """Rules, most severe first, and the problems of files that could not be read."""
    found, problems = [], list[str]()
    for path in content.rule_paths():
        try:
            found.append(_described(path.stem, content.rule(path).value))
        except ContentError as wrong:
            problems += map(str, wrong.problems)
    return sorted(found, key=lambda rule: (_ORDER.index(rule["severity"]), rule["name"])), problems


def one(slug: str) -> Rule:
    """The rule of that name. LookupError if there is none, ContentError if its file is invalid."""
    for path in content.rule_paths():
        if path.stem == slug:
            return content.rule(path).value
    raise LookupError(f"rule {slug} not found")


def _described(slug: str, rule: Rule) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": rule.name,
        "severity": rule.severity,
        "description": rule.description.strip(),
        "tactics": list(rule.tactics),
        "techniques": list(rule.relevant_techniques),
        "every": spans.show(rule.query_frequency),
        "back": spans.show(rule.query_period),
        "runbook": rule.runbook.strip(),
        "query": rule.query,
    }
