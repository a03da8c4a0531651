"""Seeds: drawn anew for every session, or set by CHAOS_SEED; a failure shows the one that repeats it."""

import random
import secrets

import pytest
from pydantic_settings import BaseSettings

pytest_plugins = ["tests.azurite"]


class ChaosSettings(BaseSettings):
    """CHAOS_SEED repeats a session."""

    chaos_seed: int | None = None


@pytest.fixture(scope="session")
def chaos_seed() -> int:
    """The session's seed (under xdist each worker draws its own)."""
    given = ChaosSettings().chaos_seed
    return secrets.randbelow(1_000_000) if given is None else given


@pytest.fixture
def chance(chaos_seed: int, request: pytest.FixtureRequest) -> random.Random:
    """The test's own luck; pytest shows the line with a failure (with -s, always)."""
    print(f"repeat with CHAOS_SEED={chaos_seed} {request.node.nodeid}")
    return random.Random(f"{chaos_seed}/{request.node.name}")
