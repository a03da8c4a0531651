"""A workspace file opened read-only; the results of two parsers are cached, so that a page of tiles loads quickly."""

import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import duckdb
from duckdb_kql import KqlError, to_sql
from duckdb_kql.stored_functions import ResolvedFunctions
from duckdb_kql.translate import TranslationResult

from kql import KqlRefused, LocalWorkspace, QueryAnswer, parsers, shim
from kql.answer import answer_of
from kql.refusals import refusal
from kql.store import DUCKDB_TYPES
from shared.clock import Clock
from shared.tables import ACTIVITY, HEALTH, Column, Table

HELD = "held"
FIRST_COPIES = "ClaudeActivityFirst"
PROOF = "ClaudeProofKept"
STALE = timedelta(days=1)

# The file cannot change while it is open, so first copies are determined once, by row number, instead of comparing
# 60 columns for each tile. The page's tests compare both functions with their parsers.
_ACTIVITY = f"""function ClaudeActivity(types:dynamic=dynamic([])) {{
{FIRST_COPIES}
| where array_length(types) == 0 or ActivityType in (types)
| extend IngestedAt = ingestion_time()
| extend AccountName = tostring(split(ActorEmail, "@")[0]), AccountUPNSuffix = tostring(split(ActorEmail, "@")[1])
}}"""
_PROOF = f"function ClaudeProof() {{ {PROOF} }}"


class Reader(LocalWorkspace):
    """A read-only `LocalWorkspace` over a file. Create it with `Reader.open_file`."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        staging: Path,
        clock: Clock,
        tables: Mapping[str, Table],
        neighbors: Mapping[str, Table],
    ) -> None:
        every = {**tables, **neighbors}
        for table in every.values():
            _show(connection, table)
        _show_first_copies(connection, tables[ACTIVITY])
        every[FIRST_COPIES] = _with_own_read(tables[ACTIVITY])
        functions = parsers.load(parsers.FOLDER, (parsers.NO_WATCHLISTS, _ACTIVITY))
        super().__init__(connection, staging, clock, every, functions)
        self._see(connection)
        self._proved = threading.Lock()
        self._keeps_proof = False

    @staticmethod
    def open_file(path: Path, clock: Clock, tables: Mapping[str, Table], neighbors: Mapping[str, Table]) -> "Reader":
        """Open the workspace file at `path` for reading; tables that it lacks are empty.

        Raises OSError if another process is writing it, or it is not a workspace.
        """
        shim.install()
        staging = Path(tempfile.mkdtemp(prefix="page-"))
        connection = duckdb.connect(
            ":memory:", config={"temp_directory": str(staging), "python_enable_replacements": "false"}
        )
        try:
            connection.execute("SET TimeZone='UTC'")
            quoted = str(path).replace("'", "''")
            connection.execute(f"ATTACH '{quoted}' AS {HELD} (READ_ONLY)")
            connection.execute("SET enable_external_access=false")
            return Reader(connection, staging, clock, tables, neighbors)
        except duckdb.Error as wrong:
            connection.close()
            shutil.rmtree(staging, ignore_errors=True)
            busy = "lock" in str(wrong).lower()
            raise OSError("another process is using it" if busy else "it is not a workspace file") from wrong

    @property
    def present(self) -> frozenset[str]:
        """Tables that have a row."""
        cursor = self._connection.cursor()
        try:
            return frozenset(
                name
                for name in self.tables
                if name != FIRST_COPIES and cursor.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchall()
            )
        finally:
            cursor.close()

    def newest(self) -> datetime | None:
        """TimeGenerated of the newest row; None if the workspace is empty."""
        answer = super().query(f"union {ACTIVITY}, {HEALTH} | summarize Newest = max(TimeGenerated)")
        moment = answer.rows[0][0]
        return moment if isinstance(moment, datetime) else None

    def as_of(self) -> datetime:
        """The page's current time: the clock's, or the newest row's if that is more than a day away."""
        now, newest = self.clock.now(), self.newest()
        return now if newest is None or abs(now - newest) < STALE else newest

    def cache_proof(self, now: datetime) -> None:
        """Run ClaudeProof once and store the result; a million rows take a second or two, and every tab uses it."""
        with self._proved:
            if self._keeps_proof:
                return
            cursor = self._connection.cursor()
            try:
                sql = self._translate("ClaudeProof", now)
                cursor.execute(f'CREATE TABLE "{PROOF}" AS {sql}', sql.parameters or None)
            finally:
                cursor.close()
            kept = _table(PROOF, {"Hour": "datetime"})
            self.tables = {**self.tables, PROOF: kept}
            self._functions = parsers.load(parsers.FOLDER, (parsers.NO_WATCHLISTS, _ACTIVITY, _PROOF))
            self._see(self._connection)
            self._translate.cache_clear()
            self._keeps_proof = True

    def asking(self, kql: str, now: datetime) -> "Asking":
        """A query that another thread can cancel."""
        return Asking(self, self._connection.cursor(), kql, lambda: self._translate(kql, now))

    def rule_query(self, kql: str, now: datetime, start: datetime, end: datetime) -> "Asking":
        """A rule's query, unchanged, as if everything from `start` to `end` had just been ingested.

        A rule queries what was ingested since its last run and skips history; this shows what it would have found.
        """

        def translate() -> TranslationResult:
            functions = _arrived_now(now, start, end)
            return to_sql(kql, schema=self._schema, allow_write=False, query_now=now, functions=functions)

        return Asking(self, self._connection.cursor(), kql, translate)

    def _see(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Set the translator's columns: those of the views, not of the file's tables of the same names."""
        found = connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = current_database() "
            "ORDER BY table_name, column_index"
        ).fetchall()
        self._schema = {name: [column for table, column in found if table == name] for name in self.tables}


class Asking:
    """One running query: `answer` in one thread, `stop` from any other."""

    def __init__(
        self,
        reader: Reader,
        cursor: duckdb.DuckDBPyConnection,
        kql: str,
        translate: Callable[[], TranslationResult],
    ) -> None:
        self._reader, self._cursor, self._kql, self._translate = reader, cursor, kql, translate

    def answer(self, most_rows: int) -> QueryAnswer:
        """At most `most_rows` rows. KqlRefused if it cannot run, or was stopped."""
        kql, reader = self._kql, self._reader
        if not kql.strip() or kql.lstrip().startswith("."):
            raise KqlRefused("a query starts with a table, a function, let, print or union")
        try:
            sql = self._translate()
            self._cursor.execute(str(sql), sql.parameters or None)
            return answer_of(self._cursor.description or [], self._cursor.fetchmany(most_rows))
        except (KqlError, duckdb.Error) as exc:
            raise refusal(exc, kql, (*reader.tables, *reader.functions)) from exc
        except RecursionError as exc:
            raise KqlRefused("the query is nested too deeply for the local engine") from exc
        finally:
            self._cursor.close()

    def stop(self) -> None:
        """Cancel: `answer` raises KqlRefused soon."""
        self._cursor.interrupt()


@lru_cache(maxsize=4)
def _arrived_now(now: datetime, start: datetime, end: datetime) -> ResolvedFunctions:
    """The saved functions, with `now` as ingestion time of the activities and health rows of a period."""
    between = f"| where EventTime between ({_moment(start)} .. {_moment(end)})"
    given = (
        parsers.NO_WATCHLISTS,
        f"{_ACTIVITY.removesuffix('}')}{between} | extend IngestedAt = {_moment(now)}, IsBackfill = false }}",
        f"function ClaudeHealth() {{ {HEALTH} {between} | extend IngestedAt = {_moment(now)} }}",
    )
    return parsers.load(parsers.FOLDER, given)


def _table(name: str, columns: Mapping[str, str]) -> Table:
    return Table(name, "", 1, "", tuple(Column(column, type_, "", (), "none", 1) for column, type_ in columns.items()))  # type: ignore[arg-type]


def _with_own_read(table: Table) -> Table:
    own = Column("IsOwnRead", "boolean", "", (), "none", 1)
    return Table(FIRST_COPIES, "", 1, "", (*table.columns, own))


def _show(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """A view of the file's table with every column of this release; empty if the file has no such table."""
    connection.execute(f'CREATE VIEW "{table.name}" AS {_selected(connection, table)}')


def _selected(connection: duckdb.DuckDBPyConnection, table: Table) -> str:
    """SELECT of the file's table; columns and tables missing from an older file are empty."""
    held = {
        name
        for (name,) in connection.execute(
            "SELECT column_name FROM duckdb_columns() WHERE database_name = ? AND table_name = ?", [HELD, table.name]
        ).fetchall()
    }
    columns = [(column.name, DUCKDB_TYPES[column.type]) for column in table.columns] + [(shim.INGESTED_AT, "TIMESTAMP")]
    shown = ", ".join(
        f'"{name}"' if name in held else f'CAST({_missing(type_)} AS {type_}) AS "{name}"' for name, type_ in columns
    )
    return f"SELECT {shown} FROM {_held(table)}" if held else f"SELECT {shown} FROM (SELECT 1) WHERE false"


def _held(table: Table) -> str:
    return f'{HELD}.main."{table.name}"'


def _moment(moment: datetime) -> str:
    return f"datetime({moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ})"


def _missing(type_: str) -> str:
    return "''" if type_ == "VARCHAR" else "NULL"


def _show_first_copies(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """The view FIRST_COPIES: rows of `table` without later copies; IsOwnRead marks the bridge's own reads."""
    source, selected = _held(table), _selected(connection, table)
    if source in selected:
        twice = f'SELECT "ActivityId" FROM {source} GROUP BY 1 HAVING count(*) > 1'
        connection.execute(
            f'CREATE TABLE "_LaterCopies" AS SELECT row FROM (SELECT rowid AS row, row_number() OVER '
            f'(PARTITION BY "ActivityId" ORDER BY "{shim.INGESTED_AT}", rowid) AS copy '
            f'FROM {source} WHERE "ActivityId" IN ({twice})) WHERE copy > 1'
        )
        selected += ' WHERE rowid NOT IN (SELECT row FROM "_LaterCopies")'
    connection.execute(
        f'CREATE TABLE "_OwnRequests" AS SELECT DISTINCT unnest(CAST("RequestIds" AS VARCHAR[])) AS id FROM "{HEALTH}" '
        """WHERE json_type("RequestIds") = 'ARRAY'"""
    )
    connection.execute(
        f'CREATE VIEW "{FIRST_COPIES}" AS SELECT *, "ActivityType" = \'compliance_api_accessed\' AND '
        f'"RequestId" IN (SELECT id FROM "_OwnRequests") AS "IsOwnRead" FROM ({selected})'
    )
