"""The operator's door, as typed: what it prints, how it refuses, and that the real parts work behind it."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sandbox.activity import feed_entry
from sandbox.faults import Fault
from sandbox.world import RULE_ID, World, open_world
from shared import tables
from shared.cli import app
from shared.cli.run import repeated
from shared.clock import SimulatedClock, SystemClock
from shared.runs import turns
from shared.runs.connection import Connection
from shared.runs.last_turns import POLL
from shared.runs.run import Run, RunKind, RunState
from shared.settings import Settings
from tests.fakes import NOON, FakeWorld
from tests.worlds import activity

SECRET = "sk-ant-api01-very-secret-0123456789"
NOISY = ("azure", "httpx", "httpcore", "msal", "aiohttp", "asyncio")


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No setting of this machine, a folder for state, a wide terminal, and logging as it was afterwards."""
    for name in (*Settings.model_fields, "second_key", "azure_client_id", "azure_tenant_id", "azure_client_secret"):
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "500")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in NOISY}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture(scope="module")
def served() -> Iterator[World]:
    with open_world(SystemClock(), own_rows=False) as world:
        yield world


@pytest.fixture
def world(served: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The sandbox in the environment, its managed identity included; as calm and empty as it was before."""
    for name, value in served.environment().items():
        monkeypatch.setenv(name, value)
    yield served
    served.api_faults.clear()
    served.sink_faults.clear()


def bridge(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def refused(*arguments: str, code: int = 2) -> str:
    """What is printed when a command refuses: one sentence, on stderr alone, with no traceback and no secret."""
    result = bridge(*arguments)
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == "" and "Traceback" not in result.stderr and SECRET not in result.output
    (line,) = result.stderr.strip().splitlines()
    return line


def rows(world: World, run: str) -> int:
    """Activities in the workspace whose id begins with `run`."""
    (row,) = world.workspace.query(f"{tables.ACTIVITY} | where ActivityId startswith '{run}' | count").rows
    return int(row[0])


def happen(world: World, run: str, count: int = 3) -> None:
    """Activities of two hours ago: old enough for history, by the clock the commands use."""
    at = SystemClock().now() - timedelta(hours=2)
    for number in range(count):
        named = {"id": f"{run}_{number}", "created_at": (at + timedelta(seconds=number)).isoformat()}
        world.feed.add(feed_entry({**activity(number), **named}))


def test_help_lists_the_commands_and_every_command_an_example() -> None:
    """Somebody who types --help can go on from there."""
    listed = bridge("--help")
    assert listed.exit_code == 0
    for command in ("init", "run", "replay"):
        assert command in listed.stdout
        shown = bridge(command, "--help")
        assert shown.exit_code == 0 and f"Example: claude-bridge {command}" in shown.stdout
        assert "--connection" in shown.stdout


def test_no_command_shows_the_help() -> None:
    """Instead of doing something."""
    assert "Usage" in bridge().output


def test_init_run_and_replay(world: World, tmp_path: Path) -> None:
    """The whole of a first day: begin, begin again, read history with a refused row, and send that row later."""
    happen(world, "day")
    world.sink_faults.add(
        Fault("refuse_rows", times=1000, options={"where": lambda row: row.get("ActivityId") == "day_1"})
    )
    first = bridge("init", "--history-days", "1")
    assert first.exit_code == 0, first.output
    assert "default: initialized: live reading starts now" in first.stdout and "1 days of history" in first.stdout
    assert "the first row arrived in the workspace" in first.stdout
    checkpoint = tmp_path / "state" / "checkpoint" / "default" / RULE_ID / "activity.json"
    saved = checkpoint.read_bytes()
    second = bridge("init")
    assert second.exit_code == 0 and "already initialized, its state is kept" in second.stdout
    assert checkpoint.read_bytes() == saved
    ran = bridge("run")
    assert ran.exit_code == 0, ran.output
    assert "history" in ran.stdout and rows(world, "day") == 2
    world.sink_faults.clear()
    replayed = bridge("replay")
    assert replayed.exit_code == 0 and "replay" in replayed.stdout and rows(world, "day") == 3
    assert bridge("replay").exit_code == 0 and rows(world, "day") == 3
    assert bridge("run").exit_code == 0 and rows(world, "day") == 3


def test_state_is_for_its_owner_only(world: World, tmp_path: Path) -> None:
    """Dead letters are personal data."""
    assert bridge("init").exit_code == 0
    for path in (tmp_path / "state").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_run_before_init_says_to_init(world: World) -> None:
    """Exit code 1, and the remedy stands in the table."""
    result = bridge("run")
    assert result.exit_code == 1 and "state_missing" in result.stdout and "init" in result.stdout
    assert "Traceback" not in result.output


def test_run_once_is_what_run_does_anyway(world: World) -> None:
    """The flag may be typed or left out; what was read in one pass is not sent again by the next."""
    happen(world, "once")
    assert bridge("init", "--history-days", "1").exit_code == 0
    for _ in range(2):
        assert bridge("run", "--once").exit_code == 0
        assert rows(world, "once") == 3


def test_once_and_every_contradict_each_other(world: World) -> None:
    """Rather than one of them winning in silence."""
    assert refused("run", "--once", "--every", "60").startswith("not done: --once and --every contradict")


class _Stop(BaseException):
    """Ends a loop that has no end."""


async def test_repeated_turns_start_at_even_distances(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn of 20 s and one that failed are followed on the minute, one of 90 s at once; each is reported."""
    connection, started = FakeWorld().restart(), list[timedelta]()
    clock, lasting = connection.clock, iter((20, 90, 20))
    assert isinstance(clock, SimulatedClock)

    async def turn(_: Connection) -> list[Run]:
        started.append(clock.now() - NOON)
        if len(started) == 4:
            raise _Stop
        clock.advance(timedelta(seconds=next(lasting)))
        return [Run(f"run-{len(started)}", RunKind.LIVE, NOON, state=RunState.BUSY, connection="default")]

    monkeypatch.setitem(turns.TURNS, POLL, turn)  # type: ignore[arg-type]
    with pytest.raises(_Stop):
        await repeated([connection], POLL, timedelta(minutes=1))
    assert [moment.total_seconds() for moment in started] == [0, 60, 150, 210]
    assert capsys.readouterr().out.count("busy") == 3


def test_a_refused_key_is_told_with_the_remedy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1; the key is not shown."""
    assert bridge("init").exit_code == 0
    monkeypatch.setenv("COMPLIANCE_ACCESS_KEY", SECRET)
    monkeypatch.setenv("LIVE_SECONDS", "5")
    assert bridge("init", "--history-days", "1").exit_code == 0
    result = bridge("run")
    assert result.exit_code == 1 and "refused" in result.stdout and "make a new one with the scope" in result.stdout
    assert SECRET not in result.output


@pytest.mark.parametrize("command", ["init", "run", "replay"])
@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("COMPLIANCE_ACCESS_KEY", "", "set COMPLIANCE_ACCESS_KEY to a Compliance Access Key"),
        ("COMPLIANCE_ACCESS_KEY", "sk-ant-api03-very-secret", "this is a Claude API key"),
        ("COMPLIANCE_ACCESS_KEY", "very-secret", "must start with sk-ant-api01-"),
        ("COMPLIANCE_API_URL", "http://api.example.com", "COMPLIANCE_API_URL must start with https://"),
        ("COMPLIANCE_API_URL", "https://api.example.com/v1", "without a path"),
        ("INGESTION_ENDPOINT", "", "INGESTION_ENDPOINT and DCR_IMMUTABLE_ID must be set"),
        ("DCR_IMMUTABLE_ID", "my-rule", "the rule's immutableId, not its name"),
        ("STATE_DIR", "", "or STATE_DIR (elsewhere) must be set"),
        ("CONNECTIONS", '[{"name":"a"},{"name":"a"}]', "a name twice"),
        ("CONNECTIONS", "contoso", "CONNECTIONS must be a JSON list"),
        ("CONNECTIONS", f'[{{"name":"a","key_setting":"{SECRET}"}}]', "CONNECTIONS.0.KEY_SETTING"),
        ("LIVE_SECONDS", "soon", "LIVE_SECONDS is not valid"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_sentence(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, setting: str, value: str, says: str
) -> None:
    """Exit code 2; it names the setting and what to do, and nothing was begun."""
    monkeypatch.setenv(setting, value)
    said = refused(command)
    assert said.startswith("cannot start: ") and says in said and "very-secret" not in said
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("name", ["unknown", "[/bold]", "[red]unknown"])
def test_an_unknown_connection_is_refused_with_those_there_are(world: World, name: str) -> None:
    """Also when its name looks like markup to whoever prints it."""
    assert refused("run", "--connection", name) == f"not done: no connection is called {name}; there are: default"


def test_a_pattern_in_a_sentence_is_printed_as_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Square brackets are not markup: the operator must be able to read what a name may look like."""
    monkeypatch.setenv("CONNECTIONS", '[{"name":"Not A Name"}]')
    assert "[a-z0-9]" in refused("init")


def test_words_of_the_service_in_the_table_are_printed_as_they_are(world: World) -> None:
    """Whatever the API says in an error must not break the table it is shown in."""
    assert bridge("init", "--history-days", "1").exit_code == 0
    key = world.api.state.keys[world.key]
    world.api.state.keys[world.key] = replace(key, scopes=frozenset({"read:[/bold]"}))
    result = bridge("run")
    world.api.state.keys[world.key] = key
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert "[/bold]" in result.stdout and "Traceback" not in result.output


def test_a_folder_that_cannot_be_used_is_told(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Exit code 1 and the remedy: nothing is wrong with the settings' form."""
    occupied = tmp_path / "a-file"
    occupied.write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("STATE_DIR", str(occupied))
    said = refused("init", code=1)
    assert said.startswith("stopped: ") and "check that the folder exists and is ours" in said


def test_one_connection_without_a_key_does_not_stop_the_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named with its sentence on stderr; the other begins and runs."""
    connections = [{"name": "good"}, {"name": "other", "key_setting": "SECOND_KEY"}]
    monkeypatch.setenv("CONNECTIONS", json.dumps(connections))
    begun = bridge("init")
    assert begun.exit_code == 0 and "good: initialized" in begun.stdout
    assert "other: connection other is waiting for its key: set SECOND_KEY" in begun.stderr
    assert "cannot start: connection other is waiting" in refused("init", "--connection", "other")


def test_the_table_says_which_connection_a_run_was_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With two connections two lines `live ok` would tell nothing."""
    monkeypatch.setenv("CONNECTIONS", json.dumps([{"name": "contoso"}, {"name": "fabrikam"}]))
    assert bridge("init").exit_code == 0
    result = bridge("run")
    assert result.exit_code == 0 and "contoso" in result.stdout and "fabrikam" in result.stdout


def test_a_wrong_option_is_a_usage_error() -> None:
    """Exit code 2, as of every command line tool."""
    result = bridge("init", "--history-days", "-1")
    assert result.exit_code == 2 and "history-days" in result.output
