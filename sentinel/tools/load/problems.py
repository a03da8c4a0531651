"""What is wrong with a content file: where, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake. `line` counts from 1; 0 means the whole file."""

    path: Path
    line: int
    reason: str

    def __str__(self) -> str:
        shown = self.path.relative_to(ROOT.parent) if self.path.is_relative_to(ROOT.parent) else self.path
        return f"{shown}:{self.line}: {self.reason}"


class ContentError(Exception):
    """Content cannot be used; `problems` say file, line and reason, and the author acts."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))
