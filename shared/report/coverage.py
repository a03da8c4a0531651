"""How much of the period is proved: hours proved of hours asked, day by day, and every gap by its bounds."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.models import Window, hour_start
from shared.report.questions import Table
from shared.workspace.query import kql_moment

GOOD = ("proved", "surplus")
NO_PROOF = "no proof"
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Gap:
    """Hours in a row, `[start, end)`, that are not proved, and why."""

    connection: str
    start: datetime
    end: datetime
    verdict: str


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one connection."""

    connection: str
    day: str
    asked: int
    verdicts: Counter[str]
    rows: int
    dead: int

    @property
    def proved(self) -> int:
        return sum(self.verdicts[verdict] for verdict in GOOD)


@dataclass(frozen=True, slots=True)
class Coverage:
    """`asked` hours of all connections together; `failure` when the workspace did not answer."""

    asked: int
    proved: int
    days: tuple[Day, ...]
    gaps: tuple[Gap, ...]
    failure: str | None = None

    @property
    def complete(self) -> bool:
        return self.failure is None and self.proved == self.asked > 0

    @property
    def sentence(self) -> str:
        """The finding, as on the first page."""
        if self.failure is not None:
            return f"Completeness is not known: {self.failure}"
        proved = f"{self.proved:,} of {self.asked:,} hours are proved"
        if self.complete:
            return f"{proved}: the record of this period is complete."
        return f"{proved}; {len(self.gaps)} {'gap is' if len(self.gaps) == 1 else 'gaps are'} listed below."


def coverage(hours: Table, period: Window, connections: Iterable[str]) -> Coverage:
    """Every whole or part hour of the period must be proved for each connection that is named or found.

    Without any connection nothing is proved of the hours of one.
    """
    found = {(str(row["Connection"]), str(row["Hour"])): row for row in hours.objects()}
    names = sorted({*connections, *(connection for connection, _ in found)}) or ["none"]
    asked = [hour_start(hour) for hour in period.hours()]
    if hours.failure is not None:
        return Coverage(len(asked) * len(names), 0, (), (), hours.failure)
    days: list[Day] = []
    gaps: list[Gap] = []
    for name in names:
        rows = [(at, found.get((name, kql_moment(at)))) for at in asked]
        verdicts = [(at, NO_PROOF if row is None else str(row["Verdict"])) for at, row in rows]
        gaps += _gaps(name, verdicts)
        for day in dict.fromkeys(f"{at:%Y-%m-%d}" for at in asked):
            of_day = [(at, row) for at, row in rows if f"{at:%Y-%m-%d}" == day]
            days.append(
                Day(
                    connection=name,
                    day=day,
                    asked=len(of_day),
                    verdicts=Counter(verdict for at, verdict in verdicts if f"{at:%Y-%m-%d}" == day),
                    rows=sum(int(row["Rows"] or 0) for _, row in of_day if row),
                    dead=sum(int(row["DeadLetters"] or 0) for _, row in of_day if row),
                )
            )
    return Coverage(len(asked) * len(names), sum(day.proved for day in days), tuple(days), tuple(gaps))


def _gaps(connection: str, verdicts: Sequence[tuple[datetime, str]]) -> list[Gap]:
    gaps: list[Gap] = []
    for at, verdict in verdicts:
        if verdict in GOOD:
            continue
        last = gaps[-1] if gaps else None
        if last is not None and last.end == at and last.verdict == verdict:
            gaps[-1] = Gap(connection, last.start, at + HOUR, verdict)
        else:
            gaps.append(Gap(connection, at, at + HOUR, verdict))
    return gaps
