"""Runbooks as incident tasks: an automation rule for each analytics rule writes its steps into every new incident."""

import html
import re
import uuid
from typing import Any

from sentinel.tools.load.content import File
from sentinel.tools.load.models import Rule
from sentinel.tools.load.problems import Problem

# Sentinel refuses more; a description is HTML, so that its characters count as they are escaped.
TASKS_LIMIT, TITLE_LIMIT, DESCRIPTION_LIMIT = 20, 150, 3_000
_NAMESPACE = uuid.UUID("6b1f3d52-0f0e-4a1b-9f0a-6d8f0c5f7a21")
_STEP = re.compile(r"^\d+\. ", re.MULTILINE)


def tasks(rule: Rule) -> list[tuple[str, str]]:
    """(title, text) of each task: what contains the damage first, then the runbook's numbered steps."""
    contain = [("Contain", rule.contain.strip())] if rule.contain else []
    written = [" ".join(step.split()) for step in _STEP.split(rule.runbook) if step.strip()]
    steps = [(f"Step {number} of {len(written)}", step) for number, step in enumerate(written, 1)]
    return [(_title(label, text), text) for label, text in [*contain, *steps]]


def _title(label: str, text: str) -> str:
    """The label and the text's beginning, up to a whole word."""
    whole = f"{label}: {' '.join(text.split())}"
    if len(whole) <= TITLE_LIMIT:
        return whole
    return whole[: TITLE_LIMIT - 4].rpartition(" ")[0].rstrip(",;:") + " ..."


def automation_rule(file: File[Rule]) -> dict[str, Any] | None:
    """The automation rule of one analytics rule; None when that makes no incidents.

    `rule` is the analytics rule's id: only a deployment has the workspace, and so the condition that names it.
    """
    said = file.value
    if not said.incident_configuration.create_incident:
        return None
    actions = [
        {
            "order": order,
            "actionType": "AddIncidentTask",
            "actionConfiguration": {"title": title, "description": html.escape(text, quote=False)},
        }
        for order, (title, text) in enumerate(tasks(said), 1)
    ]
    return {
        "name": str(uuid.uuid5(_NAMESPACE, said.id)),
        "rule": said.id,
        "properties": {"displayName": f"Tasks: {said.name}", "order": 500, "actions": actions},
    }


def problems(file: File[Rule]) -> list[Problem]:
    """Tasks that Sentinel would refuse."""
    found = []
    made = tasks(file.value)
    if len(made) > TASKS_LIMIT:
        found.append(
            file.problem(f"runbook: {len(made)} tasks with contain; an automation rule takes {TASKS_LIMIT}", "runbook")
        )
    for title, text in made:
        if len(html.escape(text, quote=False)) > DESCRIPTION_LIMIT:
            found.append(file.problem(f"{title}: a task takes {DESCRIPTION_LIMIT} characters", "runbook"))
    return found
