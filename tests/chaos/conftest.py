"""Random generators for the tests of this folder, from the session's seed (tests/session.py)."""

import random

import pytest

from tests.session import SEED


@pytest.fixture
def chaos_seed(pytestconfig: pytest.Config) -> int:
    """The session's seed."""
    return pytestconfig.stash[SEED]


@pytest.fixture
def chance(chaos_seed: int, request: pytest.FixtureRequest) -> random.Random:
    """The test's own random generator."""
    how = f"CHAOS_SEED={chaos_seed} python -m pytest {request.node.nodeid}"
    request.node.add_report_section("setup", "seed", f"repeat with: {how}")
    return random.Random(f"{chaos_seed}/{request.node.name}")
