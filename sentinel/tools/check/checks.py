"""What can be said about content without running it: Azure-Sentinel's own checks, and ours."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

from sentinel.tools.check.bind import Bound
from sentinel.tools.check.names import unknown_fields, unknown_types
from sentinel.tools.load import content, spans
from sentinel.tools.load.content import File
from sentinel.tools.load.models import Detection, EntityMapping, Hunt, Rule
from sentinel.tools.load.problems import Problem

Check = Callable[[File[Any], Bound], Iterable[Problem]]

_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_DETAIL_KEY = re.compile(r"[A-Za-z]\w{0,19}")
_SHORTEST, _LONGEST = timedelta(minutes=5), timedelta(days=14)
_VERBS = ("Detects", "Identifies", "Finds", "Lists", "Shows", "Counts", "Compares", "Looks")
# What only a machine has or a stranger typed in: an Account made of it would be somebody who does not exist.
_NO_ACCOUNT = frozenset({"ActorEmailClaimed", "KeyId", "ActorDetails", "RequestId", "ServiceAccountId"})


def problems(file: File[Any], bound: Bound) -> list[Problem]:
    """Everything that is wrong with one rule or hunt and its bound query, in the order of the file."""
    checks = [*_BOTH, *(_RULES if isinstance(file.value, Rule) else _HUNTS)]
    return sorted({problem for check in checks for problem in check(file, bound)})


def across(files: Iterable[File[Any]]) -> list[Problem]:
    """What is wrong between files: ids and names used twice."""
    seen: dict[str, str] = {}
    found = []
    for file in files:
        for key in ("id", "name"):
            said = getattr(file.value, key)
            if said in seen:
                found.append(file.problem(f"{key} {said} is used by {seen[said]}, too", key))
            seen.setdefault(said, file.slug)
    return found


def _binding(file: File[Any], bound: Bound) -> Iterator[Problem]:
    for said in bound.complaints:
        yield file.in_query(f"{said.message} (column {said.column})", said.line)


def _words(file: File[Detection], bound: Bound) -> Iterator[Problem]:
    detection = file.value
    if not detection.name.startswith("Claude - ") or detection.name.endswith("."):
        yield file.problem("name: starts with 'Claude - ' and ends without a full stop", "name")
    if not detection.description.startswith(_VERBS):
        yield file.problem(f"description: its first word is one of {', '.join(_VERBS)}", "description")
    text = file.path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if not line.isascii():
            yield Problem(file.path, number, "only ASCII travels everywhere")
        if "Azure Sentinel" in line or re.search(r"learn\.microsoft\.com/[a-z]{2}-[a-z]{2}/", line):
            yield Problem(file.path, number, "write Microsoft Sentinel, and links without a language")


def _tactics(file: File[Detection], bound: Bound) -> Iterator[Problem]:
    known = content.techniques()
    for index, tactic in enumerate(file.value.tactics):
        if tactic not in known:
            yield file.problem(f"{tactic} is no tactic; there are {', '.join(known)}", "tactics", index)
    for index, technique in enumerate(file.value.relevant_techniques):
        parent = technique.partition(".")[0]
        if not re.fullmatch(r"T\d{4}(\.\d{3})?", technique):
            yield file.problem(f"{technique} is no technique", "relevantTechniques", index)
        elif not any(parent in known.get(tactic, ()) for tactic in file.value.tactics):
            fits = [tactic for tactic, techniques in known.items() if parent in techniques]
            where = f"it belongs to {', '.join(fits)}" if fits else "schemas/techniques.json does not have it"
            yield file.problem(
                f"{technique} is not under {', '.join(file.value.tactics)}: {where}", "relevantTechniques", index
            )


def _entities(file: File[Detection], bound: Bound) -> Iterator[Problem]:
    for index, mapping in enumerate(file.value.entity_mappings):
        for reason in _entity(mapping, bound):
            yield file.problem(reason, "entityMappings", index)


def _entity(mapping: EntityMapping, bound: Bound) -> Iterator[str]:
    kind = content.entities().get(mapping.entity_type)
    if kind is None:
        yield f"{mapping.entity_type} is no entity of schemas/entities.json"
        return
    strong, every = kind
    used = {field.identifier for field in mapping.field_mappings}
    if used - every:
        yield f"{mapping.entity_type} has no identifier {', '.join(sorted(used - every))}"
    if not used & strong:
        yield f"{mapping.entity_type} needs a strong identifier: {', '.join(sorted(strong))}"
    for field in mapping.field_mappings:
        if field.column_name not in bound.columns:
            yield f"the query has no column {field.column_name}"
        if mapping.entity_type == "Account" and field.column_name in _NO_ACCOUNT:
            yield f"{field.column_name} names no person and must not become an Account"


def _sources(file: File[Detection], bound: Bound) -> Iterator[Problem]:
    for node in bound.tree.walk():
        if node.kind == "NameReference" and node.symbol == "TableSymbol":
            yield file.in_query(f"queries read functions, never a table: {node.name}", bound.line(node))
        if node.kind == "FunctionCallExpression" and node.name == "_GetWatchlist":
            yield file.in_query("queries read a watchlist through its function (sentinel/parsers)", bound.line(node))
    if re.search(r"\b(externaldata|search|workspace\(|union \*)", file.value.query):
        yield file.problem("no externaldata, search, workspace() or union *", "query")


def _types(file: File[Detection], bound: Bound) -> Iterator[Problem]:
    for reason, line in [*unknown_types(bound), *unknown_fields(bound)]:
        yield file.in_query(reason, line)


def _tests(file: File[Detection], bound: Bound) -> Iterator[Problem]:
    tests = file.value.tests
    wanted = 2 if isinstance(file.value, Rule) else 1
    for fires, kind in ((True, "fire"), (False, "do not fire")):
        if sum(case.fires == fires for case in tests) < wanted:
            yield file.problem(f"tests: at least {wanted} that {kind}", "tests")
    names = [case.name for case in tests]
    if len(set(names)) < len(names):
        yield file.problem("tests: a name is used twice", "tests")
    for index, case in enumerate(tests):
        for column in case.expect:
            if column not in bound.columns:
                yield file.problem(f"expect: the query has no column {column}", "tests", index, "expect")
    if (file.value.execution == "bound-only") != (file.value.execution_reason is not None):
        yield file.problem("executionReason goes with execution: bound-only, and only with it", "execution")


def _times(file: File[Rule], bound: Bound) -> Iterator[Problem]:
    rule = file.value
    for key, span in (("queryFrequency", rule.query_frequency), ("queryPeriod", rule.query_period)):
        if not _SHORTEST <= span <= _LONGEST:
            yield file.problem(f"{key} is 5m to 14d", key)
    if rule.query_period < rule.query_frequency:
        yield file.problem("queryPeriod is at least queryFrequency", "queryPeriod")
    if rule.query_period >= timedelta(days=2) and rule.query_frequency < timedelta(hours=1):
        yield file.problem("a period of 2d and more needs a frequency of 1h and more", "queryFrequency")
    if rule.query_period < timedelta(days=1):
        yield file.problem("queryPeriod is 1d at least: rows come late", "queryPeriod")
    if "ingestedAt" not in rule.exempt:
        ago = f"ago({spans.show(rule.query_frequency)})"
        if not re.search(rf"^\s*\|\s*where .*\w*IngestedAt\b.*> *{re.escape(ago)}", rule.query, re.MULTILINE):
            yield file.problem(f"the query filters `IngestedAt > {ago}`, the frequency", "query")
    if "ClaudeActivity" in bound.functions and "backfill" not in rule.exempt and "not(IsBackfill)" not in rule.query:
        yield file.problem("the query leaves history out: `where not(IsBackfill)`", "query")
    if "muted" not in rule.exempt:
        if f'ClaudeMuted("{file.slug}")' not in rule.query:
            yield file.problem(f'the query ends with `where Subject !in~ (ClaudeMuted("{file.slug}"))`', "query")
        if "Subject" not in bound.columns:
            yield file.problem("the query has a column Subject: whom or what the alert is about", "query")


def _severity(file: File[Rule], bound: Bound) -> Iterator[Problem]:
    if file.value.severity == "High" and file.value.contain is None:
        yield file.problem("High needs contain: what to do at once, and where", "severity")


def _alert(file: File[Rule], bound: Bound) -> Iterator[Problem]:
    rule, override = file.value, file.value.alert_details_override
    formats = {
        "alertDisplayNameFormat": override.alert_display_name_format,
        "alertDescriptionFormat": override.alert_description_format,
    }
    for key, text in formats.items():
        columns = _PLACEHOLDER.findall(text or "")
        if len(columns) > 3:
            yield file.problem(f"{key} has more than 3 placeholders", "alertDetailsOverride", key)
        for column in columns:
            if column not in bound.columns:
                yield file.problem(f"the query has no column {column}", "alertDetailsOverride", key)
    named = [override.alert_severity_column_name, override.alert_tactics_column_name]
    for column in [*filter(None, named), *(extra.value for extra in override.alert_dynamic_properties)]:
        if column not in bound.columns:
            yield file.problem(f"the query has no column {column}", "alertDetailsOverride")
    if len(rule.custom_details) > 20:
        yield file.problem("customDetails: at most 20", "customDetails")
    for key, column in rule.custom_details.items():
        if not _DETAIL_KEY.fullmatch(key):
            yield file.problem(f"customDetails: {key} is a letter and up to 19 word characters", "customDetails", key)
        if column not in bound.columns:
            yield file.problem(f"the query has no column {column}", "customDetails", key)


def _grouping(file: File[Rule], bound: Bound) -> Iterator[Problem]:
    grouping = file.value.incident_configuration.grouping_configuration
    place = ("incidentConfiguration", "groupingConfiguration")
    if not timedelta(minutes=5) <= grouping.lookback_duration <= timedelta(days=7):
        yield file.problem("lookbackDuration is 5m to 7d", *place)
    mapped = {mapping.entity_type for mapping in file.value.entity_mappings}
    if not set(grouping.group_by_entities) <= mapped:
        yield file.problem("groupByEntities: only mapped entities", *place)
    if not set(grouping.group_by_custom_details) <= file.value.custom_details.keys():
        yield file.problem("groupByCustomDetails: only names of customDetails", *place)


def _hunt_answer(file: File[Hunt], bound: Bound) -> Iterator[Problem]:
    if not {"EventTime", "StartTime", "TimeGenerated", "Day", "Hour", "LastSeen"} & bound.columns.keys():
        yield file.problem("a hunt says when: EventTime, StartTime, Day, Hour or LastSeen", "query")


_BOTH: tuple[Check, ...] = (_binding, _words, _tactics, _entities, _sources, _types, _tests)
_RULES: tuple[Check, ...] = (_times, _severity, _alert, _grouping)
_HUNTS: tuple[Check, ...] = (_hunt_answer,)
