"""Every rule and hunt there is: adding a YAML file adds its test."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from sentinel.tools.check import bind, checks, lock
from sentinel.tools.check.bind import Bound
from sentinel.tools.load import content
from sentinel.tools.prove.verdict import judge

PATHS = [*content.rule_paths(), *content.hunt_paths()]


@pytest.mark.sampled(10)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_is_proved(
    path: Path,
    bound: dict[str, Bound],
    share_of_mutants: tuple[int, int],
    record_property: Callable[[str, object], None],
) -> None:
    """A rule or hunt keeps every check, binds, fires where its tests say, keeps the laws and loses its mutants."""
    file = content.detection(path)
    verdict = judge(file, bound[file.slug], share=share_of_mutants)
    record_property("sentinel", (int(verdict.executed), verdict.tests, verdict.mutants))
    assert not verdict.problems, "\n" + "\n".join(map(str, verdict.problems))


def test_the_functions_bind() -> None:
    """Every saved function has names and types that the language service knows."""
    assert not bind.bind_parsers()


def test_nothing_is_used_twice_and_what_was_released_keeps_its_version() -> None:
    """Ids and names are unique; a released rule changes only with a higher version."""
    files = content.all_detections()
    assert not checks.across(files)
    assert not lock.problems(files, lock.read())


def test_few_are_bound_only() -> None:
    """At most a tenth of all rules and hunts may go without being executed."""
    kinds = Counter(file.value.execution for file in content.all_detections())
    assert kinds["bound-only"] * 10 <= kinds.total()
