"""What analysts read is deployed as sentinel/ built it: every body whole, in every shape that has content."""

import json
from typing import Any

import pytest

from tests.infra.checks import CHECKS, SECRETS, Resource, nothing_is_secret, of_type, strings
from tests.infra.conftest import Bicep
from tools.infra.build import BICEP, CONTENT, NAMES_CONTENT

TYPES = {
    "rules": "Microsoft.SecurityInsights/alertRules",
    "automation": "Microsoft.SecurityInsights/automationRules",
    "watchlists": "Microsoft.SecurityInsights/watchlists",
    "summaries": "Microsoft.OperationalInsights/workspaces/summaryLogs",
    "hunts": "Microsoft.OperationalInsights/workspaces/savedSearches",
    "parsers": "Microsoft.OperationalInsights/workspaces/savedSearches",
    "workbooks": "Microsoft.Insights/workbooks",
}


def generated(kind: str) -> dict[str, dict[str, Any]]:
    """Name -> body, of every file of this kind."""
    files = sorted((BICEP / "generated").glob(f"{kind}*.json"))
    return {one["name"]: one for file in files for one in json.loads(file.read_text(encoding="utf-8"))}


@pytest.fixture(scope="module")
def content(bicep: Bicep) -> list[Resource]:
    """The resources of content-only, with their bodies."""
    made: list[Resource] = bicep.snapshot(BICEP / "scenarios" / f"{NAMES_CONTENT}.bicepparam")["predictedResources"]
    return made


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_every_body_is_deployed_to_the_letter(content: list[Resource], kind: str) -> None:
    """Each property that the build wrote is the one that Azure gets: queries above all."""
    deployed = {one["name"].rsplit("/", 1)[-1]: one["properties"] for one in of_type(content, TYPES[kind])}
    made = generated(kind)
    assert made
    assert made.keys() - deployed.keys() == set()
    for name, body in made.items():
        assert {key: deployed[name].get(key) for key in body["properties"]} == body["properties"], name


def test_nothing_else_is_deployed(content: list[Resource]) -> None:
    """There are as many resources of content as bodies, so no list is loaded twice, or forgotten by the build."""
    assert sum(one["type"] in CONTENT for one in content) == sum(len(generated(kind)) for kind in TYPES)


def test_the_workbook_is_whole(content: list[Resource]) -> None:
    """The text that Azure gets is the workbook: no expression was evaluated inside, and nothing was cut."""
    (workbook,) = of_type(content, TYPES["workbooks"])
    (body,) = generated("workbooks").values()
    assert json.loads(workbook["properties"]["serializedData"]) == body["workbook"]


def test_every_shape_brings_the_same_content(bicep: Bicep, content: list[Resource]) -> None:
    """main.bicep deploys what workspace.bicep deploys alone; golden files of other scenarios may leave it out."""
    smallest = bicep.snapshot(BICEP / "scenarios" / "smallest.bicepparam")["predictedResources"]

    def names(resources: list[Resource]) -> set[tuple[str, str]]:
        return {(one["type"], one["name"]) for one in resources if one["type"] in CONTENT}

    assert names(smallest) == names(content)


@pytest.mark.parametrize("check", [c for c in CHECKS if c is not nothing_is_secret], ids=lambda check: check.__name__)
def test_content_holds_what_is_promised_of_every_resource(content: list[Resource], check: Any) -> None:
    """Names, rights, columns, nothing that changes with the clock: whole bodies are judged like the rest."""
    assert check(content) == []


def test_no_body_holds_a_secret(content: list[Resource]) -> None:
    """Rules may speak of passwords; no body has a key, a signature, or a function that fetches one."""
    bodies = [one for one in content if one["type"] in CONTENT]
    found = {match[0].lower() for one in bodies for text in strings(one) for match in SECRETS.finditer(text)}
    assert found - {"password"} == set()
