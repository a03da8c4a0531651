"""The portal's form and the template behind it fit each other, as far as that can be seen without the portal."""

import json
import re
from typing import Any

from tests.infra.checks import SECRETS, strings
from tools.infra.build import BICEP, PORTAL_TEMPLATE

FORM: dict[str, Any] = json.loads((BICEP.parent / "createUiDefinition.json").read_text(encoding="utf-8"))
TEMPLATE: dict[str, Any] = json.loads(PORTAL_TEMPLATE.read_text(encoding="utf-8"))


def test_every_output_of_the_form_is_a_parameter_of_the_template() -> None:
    """The portal hands outputs to parameters of the same name, and the required ones are all there."""
    outputs, parameters = FORM["parameters"]["outputs"], TEMPLATE["parameters"]
    assert outputs.keys() <= parameters.keys()
    required = {name for name, one in parameters.items() if "defaultValue" not in one and not one.get("nullable")}
    assert required <= outputs.keys()


def test_outputs_name_elements_that_are_there() -> None:
    """Each basics('x') and steps('x').y is an element of the form, and each element is used."""
    outputs = " ".join(FORM["parameters"]["outputs"].values())
    basics = {element["name"] for element in FORM["parameters"]["basics"]}
    steps = {(step["name"], one["name"]) for step in FORM["parameters"]["steps"] for one in step["elements"]}
    assert set(re.findall(r"basics\('(\w+)'\)", outputs)) == basics
    assert set(re.findall(r"steps\('(\w+)'\)\.(\w+)", outputs)) == steps


def test_the_forms_choices_are_those_of_the_template() -> None:
    """A choice in the form is one that the template takes."""
    elements = {one["name"]: one for step in FORM["parameters"]["steps"] for one in step["elements"]}
    offered = [choice["value"] for choice in elements["pythonVersion"]["constraints"]["allowedValues"]]
    assert offered == TEMPLATE["parameters"]["pythonVersion"]["allowedValues"]
    identity = TEMPLATE["definitions"]["settingsType"]["properties"]["identity"]["allowedValues"]
    assert [choice["value"] for choice in elements["identity"]["constraints"]["allowedValues"]] == identity
    prefix = FORM["parameters"]["basics"][0]["constraints"]["regex"]
    assert re.match(prefix, "claude") and not re.match(prefix, "claude-") and not re.match(prefix, "a" * 13)


def test_the_forms_tables_are_those_of_the_template() -> None:
    """The form's retention goes to a table there is, under an option there is."""
    (name, option) = re.findall(r'"(\w+)":', FORM["parameters"]["outputs"]["tables"])
    options = TEMPLATE["definitions"]["tablesType"]["properties"][name]["$ref"].rsplit("/", 1)[-1]
    assert option in TEMPLATE["definitions"][options]["properties"]


def test_the_forms_reports_are_those_of_the_template() -> None:
    """Each choice is the text of a value of `report`: of a kind there is, with what that kind requires."""
    elements = {one["name"]: one for step in FORM["parameters"]["steps"] for one in step["elements"]}
    kinds = TEMPLATE["definitions"]["reportType"]["discriminator"]["mapping"]
    for choice in elements["report"]["constraints"]["allowedValues"]:
        value = json.loads(choice["value"])
        kind = TEMPLATE["definitions"][kinds[value["kind"]]["$ref"].rsplit("/", 1)[-1]]["properties"]
        assert {name for name, one in kind.items() if not one.get("nullable")} <= value.keys() <= kind.keys()


def test_no_parameter_asks_for_a_secret() -> None:
    """A key passes neither through the form nor the template: no secure parameter, no default or output like one."""
    assert [
        name for name, one in TEMPLATE["parameters"].items() if one.get("type", "").lower().startswith("secure")
    ] == []
    assert [text for text in strings(TEMPLATE["parameters"]) if SECRETS.search(text)] == []
    assert [text for text in strings(FORM) if SECRETS.search(text)] == []
    assert [text for text in strings(TEMPLATE["outputs"]) if SECRETS.search(text)] == []


def test_the_template_is_small_enough() -> None:
    """Azure takes templates of up to 4 MB."""
    assert PORTAL_TEMPLATE.stat().st_size < 2_000_000
