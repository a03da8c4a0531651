"""Everything that is proved about one rule or hunt: checked, bound, executed, mutation-checked."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sentinel.tools.check import checks
from sentinel.tools.check.bind import Bound, bind
from sentinel.tools.load.content import File
from sentinel.tools.load.problems import Problem
from sentinel.tools.prove import execute
from sentinel.tools.prove.mutate import mutants


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. `tests` counts tests and laws that ran, `mutants` those made; `problems` empty means proved."""

    slug: str
    executed: bool
    tests: int
    mutants: int
    problems: tuple[Problem, ...]


def bound_queries(files: Iterable[File[Any]]) -> dict[str, Bound]:
    """The queries of `files` by slug, bound in one process."""
    return bind({file.slug: file.value.query for file in files}, keep=True)


def judge(file: File[Any], bound: Bound, *, share: tuple[int, int] = (0, 1)) -> Verdict:
    """Check, execute and mutate one file; what is not even bound is not executed.

    `share` is (k, n): of the mutants only every n-th, from the k-th on; the others are neither tried nor missed.
    """
    found = checks.problems(file, bound)
    if found:
        return Verdict(file.slug, False, 0, 0, tuple(found))
    if file.value.execution == "bound-only":
        return Verdict(file.slug, False, 0, 0, ())
    try:
        scenes = execute.scenes(file)
    except ValueError as exc:
        return Verdict(file.slug, False, 0, 0, (file.problem(str(exc), "tests"),))
    outcomes = list(execute.outcomes(file, scenes))
    found = [_failed(file, outcome) for outcome in outcomes if outcome.failure]
    if found:
        return Verdict(file.slug, True, len(outcomes), 0, tuple(found))
    every = mutants(bound)
    made = every[share[0] % share[1] :: share[1]]
    alive, refused = execute.survivors(file, scenes, made)
    left = {mutant.name for mutant in every} - {mutant.name for mutant in made}
    excused = {equivalent.mutant for equivalent in file.value.equivalent_mutants} - left
    found = [
        file.in_query(f"no test notices the mutant `{mutant.name}`", mutant.line)
        for mutant in alive
        if mutant.name not in excused
    ]
    found += [
        file.problem(f"no such surviving mutant: {name}", "equivalentMutants")
        for name in sorted(excused - {mutant.name for mutant in alive})
    ]
    return Verdict(file.slug, True, len(outcomes), len(made) - len(refused), tuple(found))


def _failed(file: File[Any], outcome: execute.Outcome) -> Problem:
    names = [case.name for case in file.value.tests]
    test = outcome.name if outcome.name in names else outcome.name.rpartition(" (")[0]
    return file.problem(f"test {outcome.name!r}: {outcome.failure}", "tests", names.index(test))
