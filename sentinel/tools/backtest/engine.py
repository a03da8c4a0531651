"""What every rule would have said over days that are past: each run of its schedule, without an alert.

A rule is run as Sentinel would have run it: every `queryFrequency`, over `queryPeriod`, knowing only what had arrived
by then. Runs in which nothing new had arrived are skipped: a rule answers to news (the law `once` in laws.py), unless
it asks for the time itself.

Other products' tables are read, too; one that is missing counts as empty. Watchlists are those of today. History
(IsBackfill) counts as if the bridge had been there: it arrives a minute after it happened.
"""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kql import LocalWorkspace, QueryAnswer
from kql.parsers import definition
from sentinel.tools.backtest.reading import JOIN, Source, activities, neighbors, nobody_listens
from sentinel.tools.check.bind import Bound, Node
from sentinel.tools.check.names import named_types
from sentinel.tools.load import content, spans
from sentinel.tools.load.content import File
from sentinel.tools.load.models import Rule
from sentinel.tools.prove.stage import GET_WATCHLIST, LOCAL_WATCHLIST, watchlist_table
from shared.clock import SimulatedClock
from shared.streams.activity import catalogue
from shared.tables import ACTIVITY

ARRIVES_AFTER = timedelta(minutes=1)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TRIED = (DAY, timedelta(hours=4), timedelta(minutes=30))
"""What runs are tried by: each a whole number of the next, and of every rule's frequency that is shorter."""

# The moment of a run is a row, not a part of the query: translating a query takes longer than answering it.
_RUN = "LookbackRun"
AT = f"toscalar({_RUN} | summarize arg_max(Turn, At) | project At)"
_SINCE = f"toscalar({_RUN} | summarize arg_max(Turn, Since) | project Since)"
_ACTIVITIES, _RUNS = "LookbackActivity", "LookbackHealth"
_KNOWN_BY_THEN = f"where IngestedAt <= {AT} | where TimeGenerated >= {_SINCE}"
_QUOTED = re.compile(r"[\"']([a-z0-9_]+)[\"']")
_NAME = re.compile(r"\bClaude\w+")
_RAW = re.compile(rf"\b{ACTIVITY}\b")


@dataclass(frozen=True, slots=True)
class Fired:
    """One run of a rule that answered: when it ran, and its rows, one alert each."""

    moment: datetime
    rows: list[dict[str, Any]]


class Past:
    """The activities and health rows of a workspace, each with the moment it was known; asked as of any moment."""

    def __init__(
        self,
        source: Source,
        *,
        types: Iterable[str] | None = None,
        lists: Sequence[dict[str, str]] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        joins: Iterable[str] = (),
        tell: Callable[[str, int], None] = nobody_listens,
    ) -> None:
        """Read `source` through its own parser: only `types`, and only what happened in `[since, until)`, where given.

        `lists` are watchlist rows; `joins` name the functions over other products' tables that are read, too, for
        which both moments must be given. `tell` hears the rows of each portion. Everything is kept in memory, and
        gone with `close`.
        """
        joins = sorted(joins)
        self._news: dict[str, set[datetime]] = defaultdict(set)
        self._turn = 0
        activity, health = (source.query(f"{name} | take 0").columns for name in ("ClaudeActivity", "ClaudeHealth"))
        run = content.plain_table(_RUN, {"Turn": "long", "At": "datetime", "Since": "datetime"})
        tables = [*content.own_tables().values(), *content.neighbor_tables().values(), watchlist_table(), run]
        tables += [content.plain_table(_ACTIVITIES, dict(activity)), content.plain_table(_RUNS, dict(health))]
        self._workspace = LocalWorkspace.create(
            None, SimulatedClock(datetime(2000, 1, 1, tzinfo=UTC)), tables, given=_functions(joins)
        )
        self._store(LOCAL_WATCHLIST, lists)
        for portion in activities(source, types, since, until):
            self._take(_ACTIVITIES, portion)
            tell(ACTIVITY, len(portion))
        self._take(_RUNS, source.query("ClaudeHealth").objects())
        for join in joins:
            assert since is not None and until is not None, "other products' tables are never read whole"
            for portion in neighbors(source, join, since, until):
                self._take_neighbors(join, portion)
                tell(join.removeprefix(JOIN), len(portion))

    def close(self) -> None:
        self._workspace.close()

    def fired(self, file: File[Rule], bound: Bound, start: datetime, end: datetime) -> Iterator[Fired]:
        """Every run of a rule in `(start, end]` that answered. KqlRefused when the local engine cannot run it.

        Runs are tried together: where one run that takes a whole day for new finds nothing, none of them does; where it
        finds something, shorter stretches are tried. A rule that asks for the time is not tried but run.
        """
        rule = file.value
        query, every = as_of(bound, AT), self.moments(rule, bound, start, end)
        tried = () if asks_the_time(bound) else tuple(width for width in TRIED if width > 2 * rule.query_frequency)
        wide = {width: as_of(bound, AT, instead={rule.query_frequency: width}) for width in tried}
        for moment in self._promising(wide, rule.query_period, every, start):
            rows = self.ask(query, moment, rule.query_period).objects()
            if rows:
                yield Fired(moment, rows)

    def _promising(
        self, wide: Mapping[timedelta, str], period: timedelta, moments: list[datetime], start: datetime
    ) -> Iterator[datetime]:
        """The moments that no wider run rules out. `wide` has the query by what it takes for new, the widest first."""
        if not wide or len(moments) < 2:
            yield from moments
            return
        (width, query), *narrower = wide.items()
        for group in _grouped(moments, start, width):
            until = start + width * -((start - group[-1]) // width)
            if len(group) == 1 or self.ask(query, until, period + width).rows:
                yield from self._promising(dict(narrower), period, group, start)

    def ask(self, query: str, moment: datetime, period: timedelta) -> QueryAnswer:
        """The answer to an `as_of` query in one run."""
        self._turn += 1
        self._store(_RUN, [{"Turn": self._turn, "At": moment, "Since": moment - period}])
        return self._workspace.query(query)

    def moments(self, rule: Rule, bound: Bound, start: datetime, end: datetime) -> list[datetime]:
        """The runs of the schedule in `(start, end]` that can answer, in order."""
        step = rule.query_frequency
        every = [start + step * number for number in range(1, (end - start) // step + 1)]
        news = sorted(set[datetime]().union(*(self._news[name] for name in self._sources(bound))))
        if asks_the_time(bound):  # silence is an answer, but not to nothing at all
            return [at for at in every if bisect_right(news, at) > bisect_left(news, at - rule.query_period)]
        wanted = {start + step * -((start - at) // step) for at in news if start < at <= end}
        return [at for at in every if at in wanted]

    def has(self, join: str) -> bool:
        """Whether a function over another product's table showed any row."""
        return bool(self._news[join])

    def _sources(self, bound: Bound) -> Iterable[str]:
        """What a query reads: activity types, all of them when it names none, the bridge's runs, other products."""
        types = {name for name in self._news if name != _RUNS and not name.startswith(JOIN)}
        every = types if "ClaudeActivity" in bound.functions else ()
        return [*(_types(bound) or every), *([_RUNS] if "ClaudeHealth" in bound.functions else []), *joins_of(bound)]

    def _take(self, table: str, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if row.get("IsBackfill"):
                arrived = row["EventTime"] + ARRIVES_AFTER
                row |= {"IsBackfill": False, "TimeGenerated": row["EventTime"], "IngestedAt": arrived}
            self._news[row.get("ActivityType", table)].add(_minute_after(row["IngestedAt"]))
        self._store(table, rows)

    def _take_neighbors(self, join: str, rows: list[dict[str, Any]]) -> None:
        moments = [row.pop("IngestedAt") for row in rows]
        self._news[join].update(map(_minute_after, moments))
        self._workspace.store(join.removeprefix(JOIN), rows, ingested_at=moments)

    def _store(self, table: str, rows: Sequence[dict[str, Any]]) -> None:
        self._workspace.store(table, rows, ingested_at=self._workspace.clock.now())


def types_read(bounds: Iterable[Bound]) -> set[str] | None:
    """The activity types these queries and the functions they call name; None when a query reads all of them.

    ClaudePeople then contains only the people seen in these.
    """
    found: set[str] = set()
    for bound in bounds:
        types = _types(bound)
        if "ClaudeActivity" in bound.functions and not types:
            return None
        found |= types
    return found


def joins_of(bound: Bound) -> list[str]:
    """The functions over other products' tables that a query calls, by itself or through others."""
    parsers, found = content.parsers(), set[str]()
    waiting = [*bound.functions & parsers.keys()]
    while waiting:
        found.add(name := waiting.pop())
        waiting += ({*_NAME.findall(parsers[name].body)} & parsers.keys()) - found
    return sorted(name for name in found if name.startswith(JOIN))


def _types(bound: Bound) -> set[str]:
    """Types that a query names itself, or in the saved functions it calls."""
    known = catalogue.load().types.keys()
    functions = bound.functions
    called = [parser for name, parser in content.parsers().items() if name in functions]
    return named_types(bound).keys() | {text for parser in called for text in _QUOTED.findall(parser.body)} & known


def asks_the_time(bound: Bound) -> bool:
    """Whether a query can answer although nothing new arrived: it looks at `now()`, as silence and delays need."""
    return any(node.name == "now" for node in _times(bound))


def as_of(bound: Bound, moment: str, *, instead: Mapping[timedelta, timedelta] | None = None) -> str:
    """The query with its `now()` and `ago(span)` taken at `moment`, a KQL expression; `instead` replaces spans.

    What its functions ask of the time stays: an exception of today's watchlists is asked today.
    """
    text, end = [], 0
    for node in _times(bound):
        text += [bound.text[end : node.start], f"({moment}{_minus(bound, node, instead or {})})"]
        end = node.end
    return "".join([*text, bound.text[end:]])


def _minus(bound: Bound, node: Node, instead: Mapping[timedelta, timedelta]) -> str:
    """What an `ago` takes off the moment, and nothing for `now`."""
    if node.name == "now":
        return ""
    written = bound.part(node)[len("ago") :].strip()[1:-1]
    span = spans.parse(written) if re.fullmatch(r"\d+[smhd]", written) else None
    return f" - {written if span is None or span not in instead else spans.show(instead[span])}"


def _times(bound: Bound) -> list[Node]:
    calls = [node for node in bound.tree.of_kind("FunctionCallExpression") if node.name in ("now", "ago")]
    return sorted(calls, key=lambda node: node.start)


def _functions(joins: Iterable[str]) -> list[str]:
    """The saved functions that read activities, runs or other products, over what was known by a run."""
    given = [
        GET_WATCHLIST,
        "function ClaudeActivity(types:dynamic=dynamic([])) "
        f"{{ {_ACTIVITIES} | where array_length(types) == 0 or ActivityType in (types) | {_KNOWN_BY_THEN} }}",
        f"function ClaudeHealth() {{ {_RUNS} | {_KNOWN_BY_THEN} }}",
    ]
    others = [parser for parser in content.parsers().values() if parser.name not in ("ClaudeActivity", "ClaudeHealth")]
    raw = [parser for parser in others if _RAW.search(parser.body) and "ingestion_time" not in parser.body]
    over_others = [
        definition(content.parsers()[name].path).rstrip().removesuffix("}") + f"| {_KNOWN_BY_THEN}\n}}"
        for name in joins
    ]
    return [*given, *over_others, *(_RAW.sub("ClaudeActivity", definition(parser.path)) for parser in raw)]


def _grouped(moments: Iterable[datetime], start: datetime, width: timedelta) -> Iterator[list[datetime]]:
    """The moments of each stretch of `width` since `start`, its end included."""
    groups: dict[int, list[datetime]] = defaultdict(list)
    for moment in moments:
        groups[-((start - moment) // width)].append(moment)
    yield from groups.values()


def _minute_after(moment: datetime) -> datetime:
    whole = moment.replace(second=0, microsecond=0)
    return whole if whole == moment else whole + MINUTE
