"""No command prints a key, a token, an e-mail address or anything of an activity, at any log level."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from sandbox.faults import Fault
from tests.cli.conftest import ADDRESS, HOUR, Desk

PERSONAL = (ADDRESS, "mara.lindqvist", "192.0.2.7", "Mozilla/5.0", "claude_chat_0")


def commands(desk: Desk) -> list[tuple[str, ...]]:
    day = timedelta(days=1)
    period = ("--from", f"{desk.now - 6 * HOUR:%Y-%m-%dT%H:00}", "--to", f"{desk.now:%Y-%m-%dT%H:%M}")
    return [
        ("status",),
        ("status", "--json"),
        ("plan", "add", "--from", f"{desk.now - 9 * day:%Y-%m-%d}", "--to", f"{desk.now - 8 * day:%Y-%m-%d}"),
        ("plan", "list", "--ended", "--json"),
        ("plan", "cancel", "4711"),
        ("plan", "add", "--from", ADDRESS, "--to", desk.world.key),
        ("prove", *period, "--repair"),
        ("prove", *period, "--json"),
        ("rebuild", "--from", "workspace", "--days", "1"),
        ("estimate", "--days", "1"),
        ("estimate", "--days", "1", "--json"),
        ("doctor",),
        ("doctor", "--json"),
        ("replay",),
        ("run",),
    ]


@pytest.mark.parametrize("weather", ["calm", "refused rows", "refused key", "refused role", "broken API"])
def test_nothing_secret_is_printed(desk: Desk, monkeypatch: pytest.MonkeyPatch, weather: str) -> None:
    """Standard output, standard error and the log at DEBUG, in good weather and in bad."""
    desk.happen(5)
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    desk.run("init", "--history-days", "1")
    match weather:
        case "refused rows":
            where = {"where": lambda row: row.get("ActivityId") == "activity_0001"}
            desk.world.sink_faults.add(Fault("refuse_rows", times=1000, options=where))
        case "refused key":
            keys = desk.world.api.state.keys
            keys[desk.world.key] = replace(keys[desk.world.key], expired=True)
        case "refused role":
            desk.world.sink_faults.add(Fault("forbidden", times=1000))
        case "broken API":
            desk.world.api_faults.add(Fault("server_error_final", times=1000))
    everything = ""
    for arguments in commands(desk):
        printed = desk.run(*arguments).output
        for secret in (desk.world.key, desk.world.token, *PERSONAL):
            assert secret not in printed, (arguments, secret)
        everything += printed
    assert " INFO bridge." in everything, "the log was not written where this test looks"


def test_a_key_of_the_wrong_kind_is_refused_without_being_quoted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command refuses it in one sentence with exit code 2, and none repeats it."""
    for key in ("sk-ant-api03-very-secret-0123456789", "hunter2-hunter2-hunter2"):
        monkeypatch.setenv("COMPLIANCE_ACCESS_KEY", key)
        monkeypatch.setenv("CONNECTIONS", json.dumps([{"name": "default"}]))
        for command in (("status",), ("prove",), ("estimate",), ("doctor",), ("selftest",), ("plan", "list")):
            line = desk.refused(*command)
            assert key not in line and "COMPLIANCE_ACCESS_KEY" in line


@pytest.mark.parametrize("command", ["status", "plan list", "prove", "estimate", "doctor", "selftest", "rebuild"])
def test_every_command_explains_itself_with_an_example(desk: Desk, command: str) -> None:
    """--help names the options and ends with an example; nothing is asked for."""
    result = desk.run(*command.split(), "--help")
    assert result.exit_code == 0 and "Example: claude-bridge" in result.stdout
    assert len(desk.world.feed) == 0 and not desk.state.exists()
