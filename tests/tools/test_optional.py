"""What is on the machine besides Python packages, and how to get what is not."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tools import optional
from tools.cli import app


def test_what_is_missing_is_said_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On an empty PATH node and a browser are missing, the reason says how to get each, and --require fails."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BICEP", raising=False)
    assert optional.missing("node", "chromium") == (
        "node is missing: install Node.js 20 or newer, and npm; chromium is missing: apt-get install chromium"
    )
    said = CliRunner().invoke(app, ["doctor"])
    assert said.exit_code == 0 and "az bicep install" in said.stdout
    assert CliRunner().invoke(app, ["doctor", "--require"]).exit_code == 1


@pytest.mark.parametrize(("version", "found"), [("v18.19.0", False), ("v20.0.0", True), ("v24.1.0", True)])
def test_an_old_node_counts_as_none(version: str, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The language service and the emulator need node 20."""
    program = tmp_path / "node"
    program.write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (optional.node() is not None) == found
