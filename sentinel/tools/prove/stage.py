"""The local workspace on which one test's world after another is set up, and queries are asked as of NOW."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from kql import LocalWorkspace, QueryAnswer
from sentinel.tools.load import content
from sentinel.tools.prove.cases import NOW, Sent
from shared.clock import SimulatedClock
from shared.tables import ACTIVITY, HEALTH, Table

# One table for all watchlists: its rows have the columns of every list, and a list's function takes its own.
LOCAL_WATCHLIST = "LocalWatchlist"
GET_WATCHLIST = f"function _GetWatchlist(alias:string) {{ {LOCAL_WATCHLIST} | where WatchlistAlias == alias }}"

# The parser's answer to a world, kept: removing copies from 60 columns takes the local engine 60 ms, and a rule, its
# laws and its mutants ask for it again and again.
_SEEN = "ClaudeActivitySeen"
_OWN = frozenset({ACTIVITY, HEALTH})  # what the parser reads
WORLDS_KEPT = 100
_PARSER_ANSWERS = (
    f"function ClaudeActivity(types:dynamic=dynamic([])) "
    f"{{ {_SEEN} | where array_length(types) == 0 or ActivityType in (types) }}"
)


Groups = dict[str, list[tuple[dict[str, Any], datetime]]]  # rows by table, each with its moment of ingestion


class Stage:
    """Two workspaces: `_parsing` carries out the parser ClaudeActivity, `_asking` everything else on its answer.

    For one world after another; not for several threads.
    """

    def __init__(self) -> None:
        clock, own = SimulatedClock(NOW), content.own_tables()
        self._answers: dict[str, list[dict[str, Any]]] = {}
        self._parsing = LocalWorkspace.create(None, clock, [own[ACTIVITY], own[HEALTH]])
        columns = self._parsing.query("ClaudeActivity | take 0", now=NOW).columns
        seen = content.plain_table(_SEEN, dict(columns))
        tables = [*own.values(), *content.neighbor_tables().values(), watchlist_table(), seen]
        self._asking = LocalWorkspace.create(None, clock, tables, given=(GET_WATCHLIST, _PARSER_ANSWERS))

    def set(self, sent: Iterable[Sent], lists: Sequence[Mapping[str, str]], period: timedelta) -> None:
        """Empty the workspace and fill it with what a query that looks back `period` sees."""
        self._asking.clear()
        groups = _grouped(sent, period)
        for table, rows in groups.items():
            _store(self._asking, table, rows)
        self._asking.store(LOCAL_WATCHLIST, lists, ingested_at=NOW)
        self._asking.store(_SEEN, self._parsed(groups), ingested_at=NOW)

    def _parsed(self, groups: Groups) -> list[dict[str, Any]]:
        """What ClaudeActivity answers; a rule's mutants ask in the worlds its tests have asked in before."""
        own = {table: rows for table, rows in sorted(groups.items()) if table in _OWN}
        if not own:
            return []
        key = json.dumps(own, default=str)
        if key not in self._answers:
            if len(self._answers) > WORLDS_KEPT:
                self._answers.clear()
            self._parsing.clear()
            for table, rows in own.items():
                _store(self._parsing, table, rows)
            self._answers[key] = self._parsing.query("ClaudeActivity", now=NOW).objects()
        return self._answers[key]

    def parsed(self, query: str) -> QueryAnswer:
        """The answer to a query about activities alone, with the parser itself carried out, as of NOW."""
        return self._parsing.query(query, now=NOW)

    def ask(self, query: str) -> QueryAnswer:
        """The answer as of NOW; KqlRefused when the local engine does not carry the query out."""
        return self._asking.query(query, now=NOW)


@cache
def stage() -> Stage:
    """The stage of this process: making one takes a second."""
    return Stage()


def _store(workspace: LocalWorkspace, table: str, rows: Sequence[tuple[dict[str, Any], datetime]]) -> None:
    workspace.store(table, [row for row, _ in rows], ingested_at=[moment for _, moment in rows])


def _grouped(sent: Iterable[Sent], period: timedelta) -> Groups:
    """Rows by table. Sentinel bounds every table a rule reads by its query period."""
    groups: Groups = defaultdict(list)
    for one in sent:
        row = one.row()
        if datetime.fromisoformat(row["TimeGenerated"]) >= NOW - period:
            groups[one.table].append((row, NOW + one.ingested))
    return groups


def watchlist_table() -> Table:
    """Where a local workspace keeps the rows of all watchlists, for GET_WATCHLIST to pick from."""
    names = {column.name for file in content.watchlists().values() for column in file.value.columns}
    return content.plain_table(
        LOCAL_WATCHLIST, dict.fromkeys(("WatchlistAlias", "SearchKey", *sorted(names)), "string")
    )
