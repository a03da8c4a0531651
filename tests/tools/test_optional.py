"""Detection of optional tools, and how to get a missing one."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tools import optional
from tools.cli import app


def test_a_missing_tool_is_reported_with_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an empty PATH, node and a browser are missing, the reason has how to get each, and --require fails."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BICEP", raising=False)
    assert optional.missing("node", "chromium") == (
        "node is missing: install Node.js 20 or newer, and npm; chromium is missing: apt-get install chromium"
    )
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 0 and "az bicep install" in result.stdout
    assert CliRunner().invoke(app, ["doctor", "--require"]).exit_code == 1


@pytest.mark.parametrize(("version", "found"), [("v18.19.0", False), ("v20.0.0", True), ("v24.1.0", True)])
def test_an_old_node_counts_as_missing(
    version: str, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The language service and the emulator require Node.js 20."""
    program = tmp_path / "node"
    program.write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (optional.node() is not None) == found
