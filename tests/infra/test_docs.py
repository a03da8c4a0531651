"""docs/rights.md and docs/policy.md speak of what the templates have."""

import json
import re
from typing import Any

from infra.tools.build import BICEP, PORTAL_TEMPLATE

DOCS = BICEP.parents[1] / "docs"
TEMPLATE: dict[str, Any] = json.loads(PORTAL_TEMPLATE.read_text(encoding="utf-8"))


def test_the_policy_page_names_parameters_that_are_there() -> None:
    """Every parameter in code style is one of main.bicep, or a property of one."""
    known = set(TEMPLATE["parameters"])
    for definition in TEMPLATE["definitions"].values():
        known |= definition.get("properties", {}).keys()
    page = (DOCS / "policy.md").read_text(encoding="utf-8")
    column = [row.rsplit("|", 2)[1] for row in page.splitlines() if row.startswith("| ") and "---" not in row]
    named = {word for cell in column for word in re.findall(r"`([a-z][A-Za-z]+)(?:[.:`])", cell)}
    assert named - known == {"given", "created", "roles", "modules"} & named


def test_every_role_parameter_is_explained() -> None:
    """Parameters about rights stand in docs/rights.md."""
    page = (DOCS / "rights.md").read_text(encoding="utf-8")
    for name in ("keyHolders", "tableReaders", "hostStorage", "workspaceAccess", "linkToScope"):
        assert f"`{name}" in page
