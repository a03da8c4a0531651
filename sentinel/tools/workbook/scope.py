"""What a tile's query may name besides functions: the chosen period, organization, person and workspace.

The same query runs in Sentinel and on the local page; only the `let` lines before it differ, and both are written here.

EventTime bounds the answer, never TimeGenerated alone: a row is filed under the time it was sent when that was late, so
history would fall out of its own month. A row is never filed before it happened, though. Therefore the period starts
`TimeRange` before now, which is also what Sentinel reads, and `Until` may end it earlier: nothing is hidden, and no
more than the chosen stretch is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sentinel.tools.workbook.model import mentions

LOOKBACKS = {
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "180d": timedelta(days=180),
    "365d": timedelta(days=365),
}
ALL = "*"
TEXTS = ("Organization", "Person", "Workspace")
PICKED = "Picked"
_GRAINS = ((timedelta(days=2), "1h"), (timedelta(days=10), "6h"), (timedelta(days=100), "1d"))
COARSEST = "7d"


@dataclass(frozen=True, slots=True)
class Scope:
    """What is chosen on the local page. `start` is inclusive and aware, `end` exclusive."""

    start: datetime
    end: datetime
    organization: str = ALL
    person: str = ALL
    workspace: str = ALL
    picked: str = ""


def chosen(
    now: datetime, *, lookback: str, until: str, organization: str = ALL, person: str = ALL, workspace: str = ALL
) -> Scope:
    """A scope from texts of a form; ValueError says which of them is none of its choices, in words for its reader."""
    if lookback not in LOOKBACKS:
        raise ValueError(f"the period is one of {', '.join(LOOKBACKS)}")
    start, end = now - LOOKBACKS[lookback], now
    if until.strip():
        try:
            end = datetime.fromisoformat(until.strip())
        except ValueError as exc:
            raise ValueError("Until is a date such as 2026-09-30") from exc
        end = end.replace(tzinfo=UTC) if end.tzinfo is None else end
        if not start < end:
            raise ValueError("Until lies before the period begins: look back further")
    return Scope(start, min(end, now), organization or ALL, person or ALL, workspace or ALL)


def local(query: str, scope: Scope, shared: Mapping[str, str]) -> str:
    """The query as the local page runs it; `shared` are the workbook's named expressions."""
    values = {
        "From": _moment(scope.start),
        "To": _moment(scope.end),
        "Grain": _grain(scope.end - scope.start),
        "Organization": _text(scope.organization),
        "Person": _text(scope.person),
        "Workspace": _text(scope.workspace),
        PICKED: _text(scope.picked),
    }
    return _with_lets(query, shared, values)


def deployed(query: str, shared: Mapping[str, str], picked_from: str = "") -> str:
    """The query as the workbook carries it: braces are what Sentinel replaces before it asks.

    `picked_from` is the parameter that a click fills.
    """
    values = {
        "From": "datetime({TimeRange:startISO})",
        "To": 'coalesce(todatetime("{Until:escapejson}"), now())',
        "Grain": "{TimeRange:grain}",
        "Organization": '"{Organization:escapejson}"',
        "Person": '"{Person:escapejson}"',
        "Workspace": '"{Workspace:escapejson}"',
        PICKED: f'"{{{picked_from}:escapejson}}"',
    }
    return _with_lets(query, shared, values)


def _with_lets(query: str, shared: Mapping[str, str], values: Mapping[str, str]) -> str:
    """The query after a `let` for each name it uses, directly or through an expression it builds on."""
    built_on = _built_on(query, shared)
    texts = [query, *(shared[name] for name in built_on)]
    lets = [f"let {name} = {value};" for name, value in values.items() if any(mentions(text, name) for text in texts)]
    expressions = [f"let {name} =\n{shared[name]};" for name in built_on]
    return "\n".join([*lets, *expressions, query])


def _built_on(query: str, shared: Mapping[str, str]) -> list[str]:
    """Names of `shared` that the query needs, each after those it needs itself."""
    found: list[str] = []
    for name in shared:
        if mentions(query, name):
            found += [*_built_on(shared[name], shared), name]
    return list(dict.fromkeys(found))


def _moment(moment: datetime) -> str:
    return f"datetime({moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ})"


def _grain(length: timedelta) -> str:
    return next((grain for most, grain in _GRAINS if length <= most), COARSEST)


def _text(value: str) -> str:
    """A text as KQL writes it; control characters, which no id or address has, become blanks."""
    plain = "".join(character if character.isprintable() else " " for character in value)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
