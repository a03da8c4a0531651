"""Content files as bodies that Azure takes: what a PUT of each resource would carry, the query to the letter."""

import re
from typing import Any

from sentinel.tools.compile.tuning import tunable
from sentinel.tools.load import content
from sentinel.tools.load.content import File, Parser
from sentinel.tools.load.models import AlertOverride, Hunt, Incident, Rule, Summary, Watchlist
from sentinel.tools.load.spans import iso

Body = dict[str, Any]

COLLECTOR = "collector"
# Defender's correlation leaves a rule alone whose description starts with this: a silent feed is no step of an attack.
# https://learn.microsoft.com/defender-xdr/exclude-analytics-rules-correlation
_ALONE = "#DONT_CORR#"
_OPERATORS = {"gt": "GreaterThan"}
_TAG_LIMIT = 256  # characters of a saved search's tag
_CATEGORY = "Microsoft Sentinel Parser"


def rule(file: File[Rule]) -> Body:
    """An analytics rule: `slug`, `kind`, `properties`, and in `tune` what a customer's tuning file may change."""
    said = file.value
    properties: Body = {
        "displayName": said.name,
        "description": description(file),
        "severity": said.severity,
        "enabled": True,
        "query": said.query,
        "queryFrequency": iso(said.query_frequency),
        "queryPeriod": iso(said.query_period),
        "triggerOperator": _OPERATORS[said.trigger_operator],
        "triggerThreshold": said.trigger_threshold,
        "suppressionEnabled": False,
        "suppressionDuration": "PT5H",
        "tactics": said.tactics,
        "techniques": list(dict.fromkeys(technique.partition(".")[0] for technique in said.relevant_techniques)),
        "entityMappings": _camel(said.entity_mappings),
        "eventGroupingSettings": _camel(said.event_grouping_settings),
        "incidentConfiguration": incident(said.incident_configuration),
    }
    if said.custom_details:
        properties["customDetails"] = said.custom_details
    if override := alert_override(said.alert_details_override):
        properties["alertDetailsOverride"] = override
    return {
        "name": said.id,
        "slug": file.slug,
        "kind": said.kind,
        "properties": properties,
        "tune": tunable(said),
    }


def description(file: File[Rule]) -> str:
    """The rule's text, and its name in ClaudeTuning and the tuning file."""
    text = f"{file.value.description.strip()}\n\n{file.slug}, version {file.value.version}"
    return f"{_ALONE} {text}" if COLLECTOR in file.value.tags else text


def incident(said: Incident) -> Body:
    grouping = said.grouping_configuration
    return {
        "createIncident": said.create_incident,
        "groupingConfiguration": {**_camel(grouping), "lookbackDuration": iso(grouping.lookback_duration)},
    }


def alert_override(said: AlertOverride) -> Body:
    """What is said, and nothing when nothing is."""
    return {key: value for key, value in _camel(said).items() if value}


def hunt(file: File[Hunt]) -> Body:
    """A hunting query: a saved search with its description, tactics and techniques as tags."""
    said = file.value
    tags = {
        "description": " ".join(said.description.split())[:_TAG_LIMIT],
        "tactics": ",".join(said.tactics),
        "techniques": ",".join(said.relevant_techniques),
    }
    return {
        "name": said.id,
        "properties": {
            "category": "Hunting Queries",
            "displayName": said.name,
            "query": said.query,
            "version": 2,
            "tags": [{"name": name, "value": value} for name, value in tags.items()],
        },
    }


def parser(saved: Parser) -> Body:
    """A saved function."""
    return {
        "name": saved.name,
        "properties": {
            "category": _CATEGORY,
            "displayName": saved.name,
            "functionAlias": saved.name,
            "functionParameters": saved.parameters,
            "query": saved.body,
            "version": 2,
        },
    }


def watchlist(file: File[Watchlist]) -> Body:
    """An empty watchlist. Without content a deployment makes it once and never touches the customer's rows."""
    said = file.value
    return {
        "name": said.alias,
        "properties": {
            "displayName": said.display_name,
            "description": said.description,
            "provider": "claude-sentinel-bridge",
            "source": f"{said.alias}.csv",
            "itemsSearchKey": said.search_key,
            "watchlistAlias": said.alias,
        },
    }


def summary(file: File[Summary]) -> Body:
    """A summary rule; its table is made by Azure when the rule first runs."""
    said = file.value
    return {
        "name": file.slug,
        "properties": {
            "ruleType": "User",
            "displayName": said.display_name,
            "description": said.description.strip(),
            "ruleDefinition": {
                "query": said.query,
                "binSize": said.bin_minutes,
                "binDelay": said.delay_minutes,
                "destinationTable": said.table,
            },
        },
    }


def sources(functions: set[str]) -> set[str]:
    """The tables that `functions` (and what they call) read, of all products."""
    known = content.parsers()
    tables = {*content.own_tables(), *content.neighbor_tables()}
    waiting, seen, found = [name for name in functions if name in known], set[str](), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            words = set(re.findall(r"\w+", re.sub(r"//.*", "", known[name].body)))
            found |= words & tables
            waiting += words & known.keys()
    return found


def required_connectors(functions: set[str]) -> list[Body]:
    """`requiredDataConnectors`: which connectors fill the tables behind `functions`; own rows come from the bridge."""
    tables = sources(functions)
    return [
        {"connectorId": connector, "dataTypes": [name for name in filled if name in tables]}
        for connector, filled in content.connectors().items()
        if tables & set(filled)
    ]


def _camel(value: Any) -> Any:
    """A model, or a list of models, with the keys that Sentinel uses."""
    if isinstance(value, list):
        return [_camel(item) for item in value]
    return value.model_dump(by_alias=True, exclude_none=True)
