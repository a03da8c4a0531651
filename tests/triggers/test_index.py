"""The app as the host sees it: names, triggers, schedules, and who may ask."""

import json
import re
from typing import Any

import pytest

from shared.settings import Settings
from tests.triggers.worker import ROOT, Worker

NCRONTAB = re.compile(r"(\S+ ){5}\S+")
EXAMPLE = json.loads((ROOT / "local.settings.json.example").read_text(encoding="utf-8"))["Values"]
TIMERS = {"poll_activities": "POLL_SCHEDULE", "work_plan": "PLAN_SCHEDULE", "prove_daily": "PROVE_SCHEDULE"}
ROUTES: dict[str, tuple[list[str], str]] = {
    "health": (["GET"], "ANONYMOUS"),
    "start_backfill": (["POST"], "FUNCTION"),
    "plan": (["GET", "POST"], "FUNCTION"),
}


def trigger(worker: Worker, name: str, kind: str) -> dict[str, Any]:
    return worker.functions[name].bindings[kind]


async def test_the_app_has_these_functions_and_no_other(worker: Worker) -> None:
    """A function that nobody knows of would be a door nobody watches."""
    assert worker.functions.keys() == TIMERS.keys() | ROUTES.keys() | {"compliance_report"}


async def test_the_report_looks_once_a_day_whether_one_is_due(worker: Worker) -> None:
    """REPORT_SCHEDULE, not the timer, says weekly, monthly or off: no setting has to be there when the host looks."""
    assert trigger(worker, "compliance_report", "timerTrigger")["schedule"] == "0 15 5 * * *"


@pytest.mark.parametrize("name", TIMERS)
async def test_a_timer_takes_its_schedule_from_a_setting(worker: Worker, name: str) -> None:
    """The binding names the setting, the example holds its default in six fields, and no timer runs on start-up."""
    setting = TIMERS[name]
    default = Settings.model_fields[setting.lower()].default
    bound = trigger(worker, name, "timerTrigger")
    assert bound["schedule"] == f"%{setting}%"
    assert EXAMPLE[setting] == default and NCRONTAB.fullmatch(default)
    assert not bound.get("runOnStartup")


@pytest.mark.parametrize("name", ROUTES)
async def test_a_route_has_its_methods_and_its_door(worker: Worker, name: str) -> None:
    """Only health is open to everybody; what changes something needs the function key and a POST."""
    methods, level = ROUTES[name]
    bound = trigger(worker, name, "httpTrigger")
    assert (bound["route"], bound["methods"], bound["authLevel"]) == (name, methods, level)


def test_the_example_holds_settings_that_exist() -> None:
    """Every name is the host's or ours: a misspelt one would be ignored in silence."""
    host = {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}
    assert EXAMPLE.keys() - host <= {name.upper() for name in Settings.model_fields}
