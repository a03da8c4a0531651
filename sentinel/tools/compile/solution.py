"""The solution: the same content in the layout of the Azure-Sentinel repository, to be proposed to it.

`python -m tools content solution` writes it. Nothing that is deployed reads it, so it is not committed.

Rules and hunts are written in upstream's schema, in the order of keys nearly every published rule has, without the keys
that are ours. Files are found by their slug.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from sentinel.tools.check.bind import Bound
from sentinel.tools.compile import bodies as compiled
from sentinel.tools.load import content
from sentinel.tools.load.content import File, Parser
from sentinel.tools.load.models import Hunt, Rule, Watchlist
from sentinel.tools.load.spans import show

NAME = "Claude Compliance Bridge"
VERSION = "3.0.0"  # upstream's packages begin at 3
PUBLISHED = "2026-11-20"
_AUTHOR = ("Claude Sentinel Bridge", "https://github.com/Azure/Azure-Sentinel/issues")
_DESCRIPTION = (
    "Activities of Claude (Anthropic's Compliance API) in Microsoft Sentinel: rules, hunting queries, functions, "
    "watchlists and workbooks. The rows come from a function app that is deployed separately."
)
_NAMESPACE = uuid.UUID("c3a5a9d2-3f0b-4b7e-8a57-2f4f4b2f9d10")
Texts = Iterator[tuple[str, str]]  # path inside the solution's folder, text


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, lists indented as published rules have them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def texts(files: Iterable[File[Any]], bound: Mapping[str, Bound]) -> Texts:
    """Every file of the solution but the workbooks, in no particular order."""
    lists: dict[str, list[str]] = {"Analytic Rules": [], "Hunting Queries": [], "Parsers": [], "Watchlists": []}
    for file in files:
        functions = bound[file.slug].functions
        folder = "Analytic Rules" if isinstance(file.value, Rule) else "Hunting Queries"
        made = _rule(file, functions) if isinstance(file.value, Rule) else _hunt(file, functions)
        yield _listed(lists, folder, f"{file.slug}.yaml"), _yaml(made)
    for saved in content.parsers().values():
        yield _listed(lists, "Parsers", f"{saved.name}.yaml"), _yaml(_parser(saved))
    for alias, watchlist in content.watchlists().items():
        yield _listed(lists, "Watchlists", f"{alias}.json"), _json(_watchlist(watchlist))
        yield f"Watchlists/{alias}.csv", template(watchlist)
    yield f"Data/Solution_{NAME.replace(' ', '')}.json", _json(_manifest(lists))
    yield "SolutionMetadata.json", _json(_metadata())
    yield "ReleaseNotes.md", _release_notes()


def _listed(lists: dict[str, list[str]], folder: str, name: str) -> str:
    lists[folder].append(f"{folder}/{name}")
    return lists[folder][-1]


def _rule(file: File[Rule], functions: set[str]) -> dict[str, Any]:
    said, body = file.value, compiled.rule(file)["properties"]
    made = {
        "id": said.id,
        "name": said.name,
        "description": body["description"],
        "severity": said.severity,
        "status": said.status,
        "requiredDataConnectors": compiled.required_connectors(functions),
        "queryFrequency": show(said.query_frequency),
        "queryPeriod": show(said.query_period),
        "triggerOperator": said.trigger_operator,
        "triggerThreshold": said.trigger_threshold,
        "tactics": said.tactics,
        "relevantTechniques": said.relevant_techniques,
        "query": said.query,
        "entityMappings": body["entityMappings"],
        "customDetails": body.get("customDetails"),
        "alertDetailsOverride": body.get("alertDetailsOverride"),
        "eventGroupingSettings": body["eventGroupingSettings"],
        "incidentConfiguration": {
            "createIncident": body["incidentConfiguration"]["createIncident"],
            "groupingConfiguration": {
                **body["incidentConfiguration"]["groupingConfiguration"],
                "lookbackDuration": show(said.incident_configuration.grouping_configuration.lookback_duration),
            },
        },
        "version": said.version,
        "kind": said.kind,
    }
    return {key: value for key, value in made.items() if value is not None}


def _hunt(file: File[Hunt], functions: set[str]) -> dict[str, Any]:
    said = file.value
    return {
        "id": said.id,
        "name": said.name,
        "description": said.description,
        "requiredDataConnectors": compiled.required_connectors(functions),
        "tactics": said.tactics,
        "relevantTechniques": said.relevant_techniques,
        "query": said.query,
        "entityMappings": [mapping.model_dump(by_alias=True) for mapping in said.entity_mappings],
        "version": said.version,
    }


def _parser(saved: Parser) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid5(_NAMESPACE, saved.name)),
        "Function": {
            "Title": saved.name,
            "Version": "1.0.0",
            "LastUpdated": PUBLISHED,
            "Category": "Microsoft Sentinel Parser",
            "FunctionName": saved.name,
            "FunctionAlias": saved.name,
            "FunctionParams": saved.parameters,
            "FunctionQuery": saved.body + "\n",
        },
    }


def _watchlist(file: File[Watchlist]) -> dict[str, Any]:
    body = compiled.watchlist(file)
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {"workspace": {"type": "string"}},
        "resources": [
            {
                "type": "Microsoft.OperationalInsights/workspaces/providers/Watchlists",
                "apiVersion": "2025-09-01",
                "name": f"[concat(parameters('workspace'), '/Microsoft.SecurityInsights/{body['name']}')]",
                "properties": body["properties"],
            }
        ],
    }


def template(file: File[Watchlist]) -> str:
    """The list's CSV, to be filled in and uploaded: the header, and one line that shows what is meant."""
    columns = [column.name for column in file.value.columns]
    shown = [file.value.example.get(column, "") for column in columns]
    return ",".join(columns) + "\n" + ",".join(f'"{value}"' if "," in value else value for value in shown) + "\n"


def _manifest(lists: Mapping[str, list[str]]) -> dict[str, Any]:
    return {
        "Name": NAME,
        "Author": " - ".join(_AUTHOR),
        "Logo": "",
        "Description": _DESCRIPTION,
        **{name: sorted(paths) for name, paths in lists.items()},
        "BasePath": "",
        "Version": VERSION,
        "Metadata": "SolutionMetadata.json",
        "TemplateSpec": True,
        "Is1PConnector": False,
    }


def _metadata() -> dict[str, Any]:
    return {
        "publisherId": "claude-sentinel-bridge",
        "offerId": "azure-sentinel-solution-claudecompliancebridge",
        "firstPublishDate": PUBLISHED,
        "lastPublishDate": PUBLISHED,
        "providers": ["Anthropic"],
        "categories": {"domains": ["Security - Insider Threat", "Compliance", "Identity"], "verticals": []},
        "support": {"name": _AUTHOR[0], "tier": "Community", "link": _AUTHOR[1]},
    }


def _release_notes() -> str:
    day = "-".join(reversed(PUBLISHED.split("-")))
    return (
        "| **Version** | **Date Modified (DD-MM-YYYY)** | **Change History** |\n"
        "|-------------|--------------------------------|--------------------|\n"
        f"| {VERSION}       | {day}                     | Initial release    |\n"
    )


def _yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=False, width=10_000)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"
