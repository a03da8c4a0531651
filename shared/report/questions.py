"""What the report asks: one `.kql` file a question, with its title and a sentence for the reader, in order."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared.models import Window
from shared.workspace.kql import kql_moment

FOLDER = Path(__file__).parent / "queries"
ORDER = (
    "scope",
    "hours",
    "changes",
    "exceptions",
    "privileged",
    "privileged-changes",
    "exports",
    "provider",
    "state",
    "drills",
)
_HEADER = re.compile(r"^// (title|about|empty|split): (.+)$")
_FIELDS = ("title", "about", "empty", "split")


@dataclass(frozen=True, slots=True)
class Question:
    """One table of the report. `splits`: its rows are moments of the period in order, so it can be asked in pieces."""

    name: str
    title: str
    about: str
    empty: str
    splits: bool
    kql: str

    def asked(self, period: Window, *, names: bool) -> str:
        """The whole query, as it is sent and as the manifest keeps it."""
        return (
            f"let PeriodStart = datetime({kql_moment(period.gte)});\n"
            f"let PeriodEnd = datetime({kql_moment(period.lt)});\n"
            f"let Names = {'true' if names else 'false'};\n{self.kql}"
        )


@cache
def questions() -> tuple[Question, ...]:
    """Every question, in the report's order."""
    return tuple(parse(name, (FOLDER / f"{name}.kql").read_text(encoding="utf-8")) for name in ORDER)


def parse(name: str, text: str) -> Question:
    """One file: four comment lines, then the query. Raises ValueError when a line is missing."""
    lines = text.splitlines()
    found = {match[1]: match[2] for line in lines[: len(_FIELDS)] if (match := _HEADER.match(line))}
    if tuple(found) != _FIELDS:
        raise ValueError(f"{name}.kql must begin with comment lines for {', '.join(_FIELDS)}")
    kql = "\n".join(lines[len(_FIELDS) :]).strip() + "\n"
    return Question(name, found["title"], found["about"], found["empty"], found["split"] == "yes", kql)
