"""The workflows: actions pinned by commit, no right but the one a job needs, no secret, approval before production."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.infra.build import BICEP

ROOT = BICEP.parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def workflow(name: str) -> dict[Any, Any]:
    read: dict[Any, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))
    return read


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_its_commit(path: Path) -> None:
    """40 hex digits, and the version in a comment beside them; the same action has the same pin everywhere."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert lines
    for line in lines:
        assert re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line
    pins = {
        line.strip().removeprefix("- ")
        for each in WORKFLOWS
        for line in each.read_text("utf-8").splitlines()
        if "uses:" in line
    }
    actions = [pin.partition("@")[0] for pin in pins]
    assert len(actions) == len(set(actions))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_job_has_the_rights_it_needs_and_no_other(path: Path) -> None:
    """Nothing by default; reading the code; a token for Azure where it signs in. Nothing is written to GitHub."""
    read = workflow(path.stem)
    assert read["permissions"] == {}
    for job in read["jobs"].values():
        signs_in = any(step.get("uses", "").startswith("azure/login@") for step in job["steps"])
        assert job["permissions"] == {"contents": "read"} | ({"id-token": "write"} if signs_in else {})
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_secret_and_no_text_of_others_reaches_a_shell(path: Path) -> None:
    """No `secrets.`; an expression stands in `with` and `env`, never inside a script; a broken pipe fails."""
    text = path.read_text(encoding="utf-8")
    assert "secrets." not in text
    assert "pull_request_target" not in text
    for job in workflow(path.stem)["jobs"].values():
        assert [step["run"] for step in job["steps"] if "${{" in step.get("run", "")] == []
        piped = any("| tee" in step.get("run", "") for step in job["steps"])
        assert not piped or job["defaults"]["run"]["shell"] == "bash"  # by name it is started with pipefail


def test_production_waits_for_tests_plan_and_approval() -> None:
    """build, then plan in an environment of its own, then production, from main alone; the zip is the tested one."""
    jobs = workflow("deploy")["jobs"]
    assert list(jobs) == ["build", "plan", "deploy"]
    assert jobs["plan"]["needs"] == "build" and jobs["deploy"]["needs"] == "plan"
    assert (jobs["plan"]["environment"], jobs["deploy"]["environment"]) == ("plan", "production")
    assert jobs["deploy"]["if"] == "github.ref == 'refs/heads/main'"
    scripts = [step.get("run", "") for step in jobs["deploy"]["steps"]]
    check = next(i for i, script in enumerate(scripts) if "sha256sum --check" in script)
    templates = next(i for i, script in enumerate(scripts) if "az deployment group create" in script)
    code = next(i for i, script in enumerate(scripts) if "config-zip" in script)
    assert check < templates < code
    assert not any("az " in step.get("run", "") for step in jobs["build"]["steps"] if step.get("name") != "Bicep")


def test_people_and_pipelines_use_the_same_verbs() -> None:
    """A `make` verb in a workflow is one of the Makefile."""
    verbs = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for path in WORKFLOWS:
        used = set(re.findall(r"make ([a-z-]+)", path.read_text(encoding="utf-8")))
        assert used and used <= verbs


def test_the_devcontainer_has_what_the_tests_were_written_with() -> None:
    """Python 3.12, Node 20, and the compiler that the golden files are of; features by version."""
    lines = (ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8").splitlines()
    read = json.loads("\n".join(line for line in lines if not line.lstrip().startswith("//")))
    assert "3.12" in read["image"]
    features = {name.rsplit("/", 1)[-1].partition(":")[0]: one for name, one in read["features"].items()}
    assert features["node"]["version"] == "20"
    assert features["azure-cli"]["bicepVersion"] == "v0.49.2"
    assert all(re.search(r":\d+\.\d+\.\d+$", name) for name in read["features"])
