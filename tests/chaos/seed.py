"""The session's seed, drawn once or CHAOS_SEED: every worker uses it; failures and the session's end name it."""

import secrets
from typing import Any

import pytest
from pydantic_settings import BaseSettings

SEED = pytest.StashKey[int]()


class ChaosSettings(BaseSettings):
    """CHAOS_SEED repeats a session."""

    chaos_seed: int | None = None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Here and not in tests/sentinel: options are only known to what is loaded before tests are looked for."""
    parser.addoption("--mutants", type=int, default=1, help="try every N-th mutant of each detection, by CHAOS_SEED")


def pytest_configure(config: pytest.Config) -> None:
    """A worker of xdist is told the seed that its controller drew."""
    given = getattr(config, "workerinput", {}).get("chaos_seed", ChaosSettings().chaos_seed)
    config.stash[SEED] = secrets.randbelow(1_000_000) if given is None else given


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Called by xdist, where it is used, for each worker before it starts."""
    node.workerinput["chaos_seed"] = node.config.stash[SEED]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """At the end of every session with a chaos test in it, failed or not."""
    reports = (each for kind in ("passed", "failed", "error") for each in terminalreporter.stats.get(kind, ()))
    if any(each.nodeid.startswith("tests/chaos/") for each in reports):
        terminalreporter.write_line(f"chaos: CHAOS_SEED={config.stash[SEED]} repeats this session")
