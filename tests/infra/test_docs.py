"""docs/deploy.md, docs/rights.md and docs/policy.md speak of what the templates have."""

import json
import re
import shutil
import subprocess
from typing import Any

from tools.infra.build import BICEP, PORTAL_TEMPLATE, scenarios

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
    for name in ("keyHolders", "tableReaders", "hostStorage", "workspaceAccess", "linkToScope", "operators"):
        assert f"`{name}" in page


def test_every_parameter_and_scenario_is_told() -> None:
    """docs/deploy.md has each parameter of main.bicep in its table, each scenario, and no other one."""
    page = (DOCS / "deploy.md").read_text(encoding="utf-8")
    table = page.split("| parameter of `main.bicep`")[1].split("\n\n")[0]
    told = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert told == TEMPLATE["parameters"].keys()
    shapes = page.split("| scenario | shape |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `([\w-]+)`", shapes, re.MULTILINE)) == {path.stem for path in scenarios()}


def test_links_between_the_pages_lead_somewhere() -> None:
    """Each link to a heading of a page in docs/ has its heading."""
    for name in ("deploy", "rights", "policy"):
        page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
        for file, anchor in re.findall(r"\]\(([\w/.-]*\.md)?(?:#([\w-]+))?\)", page):
            target = DOCS / file if file else DOCS / f"{name}.md"
            assert target.is_file(), f"{name}.md: {file}"
            assert not anchor or anchor in _anchors(target.read_text(encoding="utf-8")), f"{name}.md: {file}#{anchor}"


def _anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_apps_settings_become_the_operators() -> None:
    """The script of docs/deploy.md turns what az tells into exports, quoted, without the platform's own settings."""
    page = (DOCS / "deploy.md").read_text(encoding="utf-8")
    program = page.split("python3 -c '")[1].split("' > build/bridge.env")[0]
    told = [
        {"name": "MINIMIZE", "value": '{"chats": "count-only", "x": "it\'s"}'},
        {"name": "AZURE_CLIENT_ID", "value": "1"},
        {"name": "AzureWebJobsStorage__clientId", "value": "1"},
    ]
    python, shell = shutil.which("python3"), shutil.which("sh")
    assert python and shell
    done = subprocess.run([python, "-c", program], input=json.dumps(told), capture_output=True, text=True, check=True)
    script = done.stdout + 'printf %s "$MINIMIZE$AZURE_CLIENT_ID"'
    read = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True, env={})
    assert read.stdout == told[0]["value"]
