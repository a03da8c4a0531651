"""`backtest` is a door: what it adds, and where it does not lead. tests/sentinel/test_backtest.py goes through it."""

import subprocess

import pytest
from typer.testing import CliRunner

from shared.cli import app, backtest

SPAN = ("--from", "2026-10-01", "--to", "2026-11-01")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Arguments of every backtest that was started, in its place."""
    started: list[list[str]] = []

    def call(command: list[str]) -> int:
        started.append(command[command.index("backtest") + 1 :])
        return 3

    monkeypatch.setattr(subprocess, "call", call)
    return started


def test_the_deployments_workspace_is_asked_unless_another_is_named(
    asked: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """WORKSPACE_ID and QUERY_ENDPOINT stand in where nothing is named; the exit code is passed on."""
    monkeypatch.setenv("WORKSPACE_ID", "77777777-7777-7777-7777-777777777777")
    monkeypatch.setenv("QUERY_ENDPOINT", "https://query.example.com")
    for more in ((), ("--local", "x.duckdb"), ("--workspace-id=88",), ("--help",)):
        assert CliRunner().invoke(app, ["backtest", *SPAN, *more]).exit_code == 3
    assert asked == [
        [
            *SPAN,
            "--workspace-id",
            "77777777-7777-7777-7777-777777777777",
            "--query-endpoint",
            "https://query.example.com",
        ],
        [*SPAN, "--local", "x.duckdb"],
        [*SPAN, "--workspace-id=88"],
        [*SPAN, "--help"],
    ]


def test_without_the_rules_it_says_what_it_needs(asked: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """In the app's zip there are no rules and no engine: one sentence, exit code 2, nothing started."""
    monkeypatch.setattr(backtest, "find_spec", lambda name: None if name == "sentinel" else object())
    result = CliRunner().invoke(app, ["backtest", *SPAN])
    assert result.exit_code == 2 and asked == []
    assert result.stderr.startswith("backtest needs a checkout")
