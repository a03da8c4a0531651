"""What must hold for every rule, whatever it detects: its firing tests are re-run with varied data.

late        the bridge learns of everything six hours after it happened: the rule fires all the same
once        the same query, one run later and with nothing new: silence
doubled     every activity is delivered a second time, hours after the first: nothing changes
backfill    history an operator asked for: silence
muted       every Subject of the answer stands in the watchlist ClaudeTuning for this rule: silence
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sentinel.tools.load.content import File
from sentinel.tools.load.models import Law, Rule
from sentinel.tools.prove.cases import Sent
from shared.tables import ACTIVITY

LATENESS = timedelta(hours=6)


Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Retold:
    """A firing test replayed another way, and whether the rule fires; with `same_rows`, as many rows as before."""

    law: Law
    sent: list[Sent]
    fires: bool
    same_rows: bool = False
    lists: list[dict[str, str]] = field(default_factory=list)


def _late(rule: Rule, sent: Sequence[Sent]) -> Retold:
    return Retold("late", [one.moved(created=-LATENESS) for one in sent], True)


def _once(rule: Rule, sent: Sequence[Sent]) -> Retold:
    step = -rule.query_frequency
    return Retold("once", [one.moved(created=step, ingested=step) for one in sent], False)


def _doubled(rule: Rule, sent: Sequence[Sent]) -> Retold:
    # The first copies stay where they are; the second ones are the newest rows there can be.
    copies = [replace(one, ingested=timedelta(0)) for one in sent if one.table == ACTIVITY]
    return Retold("doubled", [*sent, *copies], True, same_rows=True)


def _backfill(rule: Rule, sent: Sequence[Sent]) -> Retold:
    return Retold("backfill", [replace(one, backfill=True) if one.table == ACTIVITY else one for one in sent], False)


_LAWS: Mapping[Law, Callable[[Rule, Sequence[Sent]], Retold]] = {
    "late": _late,
    "once": _once,
    "doubled": _doubled,
    "backfill": _backfill,
}


def retellings(file: File[Rule], sent: Sequence[Sent], answer: Rows, *, late: bool) -> Iterator[Retold]:
    """The firing world `sent`, which got `answer`, replayed in every way that the rule is not exempt from."""
    rule = file.value
    activities = any(one.table == ACTIVITY for one in sent)
    for law, tell in _LAWS.items():
        if law in rule.exempt or (law == "late" and not late) or (law in ("doubled", "backfill") and not activities):
            continue
        yield tell(rule, sent)
    if "muted" not in rule.exempt:
        subjects = sorted({str(row.get("Subject")) for row in answer})
        lists = [
            {
                "WatchlistAlias": "ClaudeTuning",
                "SearchKey": file.slug,
                "Rule": file.slug,
                "Entity": subject,
                "Until": "",
            }
            for subject in subjects
        ]
        yield Retold("muted", list(sent), False, lists=lists)
