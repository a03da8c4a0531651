"""Options of a test session, the same for all workers: seed, amount of tests, meaning of a skip.

The quick form is the default. It leaves out tests marked `long`, runs a seeded sample of those marked `sampled(n)`, and
tries few mutants and examples. `--all` runs everything, and so does naming a single test (`file.py::test`).
"""

import secrets
from collections import defaultdict
from typing import Any

import hypothesis
import pytest
from pydantic_settings import BaseSettings, SettingsConfigDict

SEED = pytest.StashKey[int]()
QUICK_MUTANTS = 10
QUICK_EXAMPLES = 25
ALL_EXAMPLES = 100
"""Hypothesis' own default; tests that need another number ask examples() for it."""


class SessionSettings(BaseSettings):
    """CHAOS_SEED repeats a session; CI=true makes every skip a failure."""

    model_config = SettingsConfigDict(env_ignore_empty=True)

    chaos_seed: int | None = None
    ci: str = ""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Not in a conftest.py, because options must be registered before collection."""
    parser.addoption("--all", action="store_true", help="run everything: long tests, all mutants, no samples")
    parser.addoption("--mutants", type=int, help="try every N-th mutant of each detection, by CHAOS_SEED")
    in_ci = SessionSettings().ci == "true"
    parser.addoption("--no-skips", action="store_true", default=in_ci, help="a skip fails the session; on when CI=true")


def pytest_configure(config: pytest.Config) -> None:
    """A worker of xdist gets the seed from its controller."""
    given = getattr(config, "workerinput", {}).get("chaos_seed", SessionSettings().chaos_seed)
    config.stash[SEED] = secrets.randbelow(1_000_000) if given is None else given
    config.addinivalue_line("markers", "long: left out of the quick form")
    config.addinivalue_line("markers", "sampled(n): the quick form runs every n-th case of the test, by CHAOS_SEED")
    # Examples must not fail on a busy machine: no deadline, and no health check of generation time.
    slow_is_fine = [hypothesis.HealthCheck.too_slow]
    patient = hypothesis.settings(deadline=None, suppress_health_check=slow_is_fine, print_blob=True)
    hypothesis.settings.register_profile("all", patient)
    hypothesis.settings.register_profile("quick", patient, max_examples=QUICK_EXAMPLES)
    hypothesis.settings.load_profile("all" if runs_all(config) else "quick")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Called by xdist, where it is used, for each worker before it starts."""
    node.workerinput["chaos_seed"] = node.config.stash[SEED]


def runs_all(config: pytest.Config) -> bool:
    """Whether all tests run."""
    return bool(config.getoption("--all")) or any("::" in name for name in config.args)


def examples(count: int) -> int:
    """For `settings(max_examples=...)`: `count`, or the quick form's share of it."""
    return max(1, count * hypothesis.settings().max_examples // ALL_EXAMPLES)


def share_of_mutants(config: pytest.Config) -> tuple[int, int]:
    """The seed, and N of "every N-th mutant"."""
    given = config.getoption("--mutants")
    return config.stash[SEED], given or (1 if runs_all(config) else QUICK_MUTANTS)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests in a quick session. Every worker has the same seed, so all of them collect the same."""
    if runs_all(config):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    cases: dict[tuple[str, int], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if (sampled := item.get_closest_marker("sampled")) and item not in left_out:
            cases[item.nodeid.partition("[")[0], sampled.args[0]].append(item)
    for (_, every), alike in cases.items():
        first = config.stash[SEED] % min(every, len(alike))
        left_out += [item for number, item in enumerate(alike) if number % every != first]
    gone = set(left_out)
    items[:] = [item for item in items if item not in gone]
    config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Any:
    """With --no-skips a skipped test fails the session; the output names each and what it requires."""
    found = _skipped(session.config)
    if found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    return (yield)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the seed, and the tests that must not have been skipped."""
    terminalreporter.write_line(f"CHAOS_SEED={config.stash[SEED]} repeats this session's samples and chances")
    for report in _skipped(config):
        terminalreporter.write_line(f"FAILED, because it was skipped: {report.nodeid}: {report.longrepr[-1]}", red=True)


def _skipped(config: pytest.Config) -> list[Any]:
    """The reports of skipped tests and modules, where they fail the session; none on a worker of xdist."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not config.getoption("--no-skips"):
        return []
    return list(reporter.stats.get("skipped", ()))
