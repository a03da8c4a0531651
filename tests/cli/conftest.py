"""The operator's commands as typed, against a served sandbox: its settings in the environment, state in a folder."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from sandbox.activity import feed_entry
from sandbox.world import RULE_ID, World, open_world
from shared import tables
from shared.cli import app
from shared.clock import SystemClock
from shared.settings import Settings

NOISY = ("azure", "httpx", "httpcore", "msal", "aiohttp", "asyncio")
ADDRESS = "mara.lindqvist@example.com"
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Desk:
    """An operator at work: `run` types a command, `happen` lets activities happen in the served tenant."""

    world: World
    state: Path
    now: datetime

    def run(self, *arguments: str) -> Result:
        result = CliRunner().invoke(app, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    def json(self, *arguments: str, code: int = 0) -> Any:
        result = self.run(*arguments, "--json")
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def refused(self, *arguments: str, code: int = 2) -> str:
        """The one sentence, on stderr alone, with which a command refuses."""
        result = self.run(*arguments)
        assert result.exit_code == code and result.stdout == "", result.output
        (line,) = result.stderr.strip().splitlines()
        return line

    def happen(self, count: int, *, hours_ago: float = 3, name: str = "activity") -> None:
        """`count` activities a second apart within one hour that ended before now."""
        at = (self.now - hours_ago * HOUR).replace(minute=10, second=0, microsecond=0)
        for number in range(count):
            self.world.feed.add(
                feed_entry(
                    {
                        "id": f"{name}_{number:04d}",
                        "type": "claude_chat_created",
                        "created_at": (at + timedelta(seconds=number)).isoformat().replace("+00:00", "Z"),
                        "actor": {
                            "type": "user_actor",
                            "user_id": f"user_{number % 3}",
                            "email_address": ADDRESS,
                            "ip_address": "192.0.2.7",
                            "user_agent": "Mozilla/5.0",
                        },
                        "claude_chat_id": f"claude_chat_{number}",
                    }
                )
            )

    def rows(self, name: str = "activity") -> int:
        """Rows in the workspace, repeats included."""
        (row,) = self.world.workspace.query(f"{tables.ACTIVITY} | where ActivityId startswith '{name}_' | count").rows
        return int(row[0])

    def handle(self, *, days: int = 1) -> None:
        """Begin the connection and have its history read."""
        for arguments in (("init", "--history-days", str(days)), ("run",)):
            result = self.run(*arguments)
            assert result.exit_code == 0, result.output

    @property
    def checkpoint(self) -> Path:
        return self.state / "checkpoint" / "default" / RULE_ID / "activity.json"

    @property
    def ledger(self) -> Path:
        return self.state / "ledger" / "default" / RULE_ID / "activity"

    def files(self) -> dict[str, bytes]:
        """All state, by name."""
        return {str(p.relative_to(self.state)): p.read_bytes() for p in self.state.rglob("*") if p.is_file()}


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quiet: None) -> Iterator[Desk]:
    with at_desk(monkeypatch, tmp_path / "state") as made:
        yield made


@contextmanager
def at_desk(monkeypatch: pytest.MonkeyPatch, state: Path, **options: Any) -> Iterator[Desk]:
    """A desk over a world with these `options`."""
    clock = SystemClock()
    with open_world(clock, **options) as world:
        for name, value in world.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("STATE_DIR", str(state))
        yield Desk(world, state, clock.now())


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting of this machine, a wide terminal, and logging as it was afterwards."""
    for name in (*Settings.model_fields, "azure_client_id", "azure_tenant_id", "azure_client_secret", "second_key"):
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("COLUMNS", "300")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in NOISY}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


Verdicts = Callable[[Any], dict[str, str]]
