"""The workspace: a DuckDB file with one table per Log Analytics table, written in bulk, queried in KQL."""

import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import msgspec
from duckdb_kql import KqlError, to_sql
from duckdb_kql.stored_functions import ResolvedFunctions
from duckdb_kql.translate import TranslationResult

from kql import parsers as parser_files
from kql import shim
from kql.answer import QueryAnswer, answer_of
from kql.refusals import KqlRefused, refusal
from shared.clock import Clock
from shared.tables import ColumnType, Table

DUCKDB_TYPES: Mapping[ColumnType, str] = {
    "string": "VARCHAR",
    "long": "BIGINT",
    "int": "INTEGER",
    "real": "DOUBLE",
    "boolean": "BOOLEAN",
    "dynamic": "JSON",
    "datetime": "TIMESTAMP",
}

_encode_lines = msgspec.json.Encoder().encode_lines
_umask = threading.Lock()


class LocalWorkspace:
    """A Log Analytics workspace; safe to use from many threads. Build it with `create`."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        staging: Path,
        clock: Clock,
        tables: Mapping[str, Table],
        functions: ResolvedFunctions,
    ) -> None:
        self._connection = connection
        self._staging = staging
        self._clean = weakref.finalize(self, shutil.rmtree, staging, ignore_errors=True)  # also when never closed
        self.clock = clock
        self.tables = dict(tables)
        self._functions = functions
        self._catalog = connection.execute("SELECT current_database()").fetchall()[0][0]
        self._writing = threading.Lock()
        self._inserts = {name: _insert(table) for name, table in tables.items()}
        self._names = {name: frozenset(table.names) for name, table in tables.items()}
        self._filled = set(tables)  # tables that may have rows; an existing file may contain some
        # Translation takes ten times as long as a small query, and tests repeat queries over different rows.
        self._translate = lru_cache(maxsize=64)(self._translated)
        # The translator's schema includes the hidden column; otherwise operators that list columns would drop it.
        self._schema = {name: _column_names(connection, name) for name in tables}

    @staticmethod
    def create(
        path: Path | None,
        clock: Clock,
        tables: Iterable[Table],
        *,
        parsers: Path = parser_files.FOLDER,
        given: Sequence[str] = (),
    ) -> "LocalWorkspace":
        """Open the workspace at `path` (None: in memory), creating the file, tables and columns that are missing.

        The file, its write-ahead log and staged rows are readable by their owner only. `parsers` is the folder of
        saved functions; `given` are additions to them, or replacements of the same name, each written as Kusto's
        `function Name(...) {...}`.
        ValueError names a parser file that is not KQL.
        """
        shim.install()
        by_name = {table.name: table for table in tables}
        functions = parser_files.load(parsers, given)
        if path is not None and path.exists():
            path.chmod(0o600)
        staging = Path(tempfile.mkdtemp(prefix="workspace-"))
        with _private_files():
            connection = duckdb.connect(
                ":memory:" if path is None else str(path),
                config={"temp_directory": str(staging), "python_enable_replacements": "false"},
            )
            connection.execute("SET TimeZone='UTC'")
            # A KQL name becomes a quoted SQL name, and DuckDB would read a file of that name: restrict its access to
            # the staging folder.
            connection.execute(f"SET allowed_directories=[{_text(str(staging))}]")
            connection.execute("SET enable_external_access=false")
            for table in by_name.values():
                _make(connection, table)
        return LocalWorkspace(connection, staging, clock, by_name, functions)

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of the saved functions."""
        return tuple(sorted(self._functions[None]))

    def store(
        self, table: str, rows: Sequence[Mapping[str, Any]], *, ingested_at: datetime | Sequence[datetime]
    ) -> int:
        """Append `rows` (JSON-like values; datetimes aware or ISO 8601) and return their number. All or nothing.

        `ingested_at` is one time for all rows, or one per row.
        KeyError for an unknown table, ValueError for an undeclared column or a value of the wrong type.
        """
        declared = self._names[table]
        for row in rows:
            if not row.keys() <= declared:
                raise ValueError(f"{table} has no column {', '.join(sorted(row.keys() - declared))}")
        if not rows:
            return 0
        if isinstance(ingested_at, datetime):
            body = _encode_lines(rows)
        else:
            moments = zip(rows, ingested_at, strict=True)
            body = _encode_lines([{**row, shim.INGESTED_AT: moment} for row, moment in moments])
            ingested_at = ingested_at[0]
        # Through a file: DuckDB's JSON reader is nearly twice as fast with a file as with a parameter (56,000 against
        # 33,000 rows of 60 columns a second on two cores), and pyarrow is not available to pass columns.
        with self._writing, _private_files():
            staged = self._staging / "rows.json"
            staged.write_bytes(body)
            self._filled.add(table)
            try:
                self._connection.execute(
                    self._inserts[table], [ingested_at.astimezone(UTC).replace(tzinfo=None), str(staged)]
                )
            except duckdb.Error as exc:
                raise ValueError(f"rows do not fit {table}: {exc}") from exc
            finally:
                staged.unlink()
        return len(rows)

    def query(
        self, kql: str, *, timespan: tuple[datetime, datetime] | None = None, now: datetime | None = None
    ) -> QueryAnswer:
        """Answer `kql` as of `now` (default: the clock's). Raises KqlRefused if that fails.

        `timespan` (both ends included) limits `TimeGenerated` of every table read, as in the query API.
        """
        if not kql.strip() or kql.lstrip().startswith("."):
            raise KqlRefused(
                "a query starts with a table, a function, let, print or union; management commands are not supported"
            )
        names = (*self.tables, *self.functions)
        cursor = self._connection.cursor()
        try:
            sql = self._translate(kql, now or self.clock.now())
            if timespan is not None:
                self._bound(cursor, timespan)
            cursor.execute(str(sql), sql.parameters or None)
            return answer_of(cursor.description or [], cursor.fetchall())
        except (KqlError, duckdb.Error) as exc:
            raise refusal(exc, kql, names) from exc
        except RecursionError as exc:
            raise KqlRefused("the query is nested too deeply for the local engine") from exc
        finally:
            cursor.close()

    def clear(self) -> None:
        """Remove every row of every table."""
        with self._writing:
            for name in self._filled:
                self._connection.execute(f"TRUNCATE {_quoted(name)}")
            self._filled.clear()

    def close(self) -> None:
        """Close the file; the workspace cannot be used afterwards."""
        with self._writing, _private_files():  # closing merges the write-ahead log into the file
            self._connection.close()
        self._clean()

    def _translated(self, kql: str, now: datetime) -> TranslationResult:
        return to_sql(kql, schema=self._schema, allow_write=False, query_now=now, functions=self._functions)

    def _bound(self, cursor: duckdb.DuckDBPyConnection, timespan: tuple[datetime, datetime]) -> None:
        """Hide every table, for this cursor only, behind a view of its rows within `timespan`."""
        start, end = (f"TIMESTAMP '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'" for moment in timespan)
        for name, columns in self._schema.items():
            if "TimeGenerated" in columns:
                cursor.execute(
                    f"CREATE TEMP VIEW {_quoted(name)} AS SELECT * FROM {_quoted(self._catalog)}.main.{_quoted(name)} "
                    f'WHERE "TimeGenerated" BETWEEN {start} AND {end}'
                )


@contextmanager
def _private_files() -> Iterator[None]:
    """Files created in this context, including DuckDB's own, have mode 0600 or narrower.

    The mask is per process: another thread's new file may become narrower, never wider.
    """
    with _umask:
        before = os.umask(0o077)
        try:
            yield
        finally:
            os.umask(before)


def _make(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    # A Kusto string is never null: a missing one is empty, and queries compare with "".
    columns = [
        f"{_quoted(column.name)} {DUCKDB_TYPES[column.type]}" + (" DEFAULT ''" if column.type == "string" else "")
        for column in table.columns
    ]
    hidden = f"{_quoted(shim.INGESTED_AT)} TIMESTAMP"
    connection.execute(f"CREATE TABLE IF NOT EXISTS {_quoted(table.name)} ({', '.join([*columns, hidden])})")
    for column in columns:
        connection.execute(f"ALTER TABLE {_quoted(table.name)} ADD COLUMN IF NOT EXISTS {column}")


def _insert(table: Table) -> str:
    """INSERT of one staged file of newline-delimited JSON; parameters: the ingestion time, the file."""
    # Read as TIMESTAMPTZ: a plain TIMESTAMP would drop the offset of `10:00+02:00` instead of applying it.
    types = {column.name: DUCKDB_TYPES[column.type].replace("TIMESTAMP", "TIMESTAMPTZ") for column in table.columns}
    read = {shim.INGESTED_AT: "TIMESTAMPTZ", **types}
    spec = ", ".join(f"{_text(name)}: {_text(type_)}" for name, type_ in read.items())
    names = ", ".join(map(_quoted, types))
    values = ", ".join(
        f"coalesce({_quoted(name)}, '')" if type_ == "VARCHAR" else _quoted(name) for name, type_ in types.items()
    )
    return (
        f"INSERT INTO {_quoted(table.name)} ({_quoted(shim.INGESTED_AT)}, {names}) "
        f"SELECT coalesce({_quoted(shim.INGESTED_AT)}, CAST(? AS TIMESTAMP)), {values} "
        f"FROM read_json(?, format='newline_delimited', columns={{{spec}}})"
    )


def _column_names(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    rows = connection.execute(
        "SELECT column_name FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index", [table]
    ).fetchall()
    return [str(name) for (name,) in rows]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
