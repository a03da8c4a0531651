"""All queries bound once per worker, and the counts at the end."""

import pytest

from sentinel.tools.check.bind import Bound
from sentinel.tools.load import content
from sentinel.tools.load.problems import ContentError
from sentinel.tools.prove.verdict import bound_queries
from tests import session


@pytest.fixture(scope="session")
def bound() -> dict[str, Bound]:
    """Every rule and hunt that can be read, bound; a file that cannot be read fails its own test."""
    files = []
    for path in [*content.rule_paths(), *content.hunt_paths()]:
        try:
            files.append(content.detection(path))
        except ContentError:
            continue
    return bound_queries(files)


@pytest.fixture(scope="session")
def share_of_mutants(request: pytest.FixtureRequest) -> tuple[int, int]:
    """`--mutants N` tries every N-th mutant, another N-th with another CHAOS_SEED; few in the quick form, else all."""
    return session.share_of_mutants(request.config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many rules and hunts were bound, executed and mutation-checked, over all workers."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    counts = [value for report in reports for name, value in report.user_properties if name == "sentinel"]
    if counts:
        executed, tests, mutants = (sum(column) for column in zip(*counts, strict=True))
        terminalreporter.write_line(
            f"sentinel: {len(counts)} rules and hunts bound, {executed} executed "
            f"({tests} tests and laws), {mutants} mutants killed or excused"
        )
