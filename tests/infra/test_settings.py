"""The templates' settings and the code's are the same: names, limits, choices and defaults of the schedules."""

import json
from typing import Any

import pytest

from shared.settings import Settings
from tests.infra.checks import app_settings
from tools.infra.build import BICEP, PORTAL_TEMPLATE, golden

TEMPLATE: dict[str, Any] = json.loads(PORTAL_TEMPLATE.read_text(encoding="utf-8"))
GIVEN: dict[str, dict[str, Any]] = TEMPLATE["definitions"]["settingsType"]["properties"]
SCHEMA: dict[str, dict[str, Any]] = Settings.model_json_schema()["properties"]


def snake(name: str) -> str:
    """pageLimit -> page_limit."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_a_setting_takes_what_the_code_takes(name: str) -> None:
    """Limits and choices of a parameter are those of the setting of that name."""
    ours, theirs = GIVEN[name], SCHEMA[snake(name)]
    assert (ours.get("minValue"), ours.get("maxValue")) == (theirs.get("minimum"), theirs.get("maximum"))
    assert sorted(ours.get("allowedValues", ())) == sorted(theirs.get("enum", ()))


def test_schedules_are_the_codes_own() -> None:
    """The host needs the schedules written out, so the template repeats the defaults; they are the same."""
    resources = json.loads(golden(BICEP / "scenarios" / "smallest.bicepparam").read_text(encoding="utf-8"))
    written = app_settings(resources["predictedResources"])
    for name in ("poll_schedule", "plan_schedule", "prove_schedule"):
        assert written[name.upper()] == Settings.model_fields[name].default
