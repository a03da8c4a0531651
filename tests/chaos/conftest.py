"""Seeds: drawn anew for every session, or set by CHAOS_SEED; the session's end and every failure name the one used."""

import random
import secrets
from typing import Any

import pytest
from pydantic_settings import BaseSettings

pytest_plugins = ["tests.azurite"]
SEED = pytest.StashKey[int]()


class ChaosSettings(BaseSettings):
    """CHAOS_SEED repeats a session."""

    chaos_seed: int | None = None


@pytest.fixture(scope="session")
def chaos_seed(pytestconfig: pytest.Config) -> int:
    """The session's seed; under xdist each worker draws its own."""
    given = ChaosSettings().chaos_seed
    pytestconfig.stash[SEED] = secrets.randbelow(1_000_000) if given is None else given
    return pytestconfig.stash[SEED]


@pytest.fixture
def chance(chaos_seed: int, request: pytest.FixtureRequest) -> random.Random:
    """The test's own luck."""
    how = f"CHAOS_SEED={chaos_seed} python -m pytest {request.node.nodeid}"
    request.node.add_report_section("setup", "seed", f"repeat with: {how}")
    return random.Random(f"{chaos_seed}/{request.node.name}")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if SEED in config.stash:
        terminalreporter.write_line(f"chaos: CHAOS_SEED={config.stash[SEED]}")
