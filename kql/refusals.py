"""Explains to its author why a query failed."""

import re
from collections.abc import Iterable
from typing import Any

import duckdb
from duckdb_kql import KqlError, KqlSyntaxError, KqlUnsupportedError

_NO_TABLE = re.compile(r"Table with name (\S+) does not exist")
_NO_COLUMN = re.compile(r'Referenced (?:column|table) "([^"]+)" not found')
_NO_FILE = re.compile(r'Cannot access file "([^"]+)"')  # DuckDB reads the name of an unknown table as a file name
_TRANSLATOR_HINT = re.compile(
    "no DuckDB mapping|not implemented in this wave"
)  # hints meant for the translator's developers


class KqlRefused(Exception):
    """The local engine rejected the query: it has an error, or it uses a part of KQL that is not supported here.

    `message` is for people; `line` and `column` (both from 1) are the position, if known.
    """

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        self.message, self.line, self.column = message, line, column
        super().__init__(message if line is None else f"line {line}, column {column}: {message}")


def refusal(error: Exception, kql: str, names: Iterable[str]) -> KqlRefused:
    """Explain an error of the translator or of DuckDB for `kql`; `names` are the tables and functions that exist."""
    if isinstance(error, KqlSyntaxError):
        first = error.diagnostics[0] if error.diagnostics else None
        text = first.message if first else str(error)
        return _at(f"not valid KQL: {text}", first.span if first else None)
    if isinstance(error, KqlUnsupportedError):
        internal = error.hint is None or _TRANSLATOR_HINT.match(error.hint) is not None
        hint = "" if internal else f" ({error.hint})"
        return _at(f"the local engine does not support {error.construct}{hint}", error.span)
    if isinstance(error, KqlError):
        unknown = re.match(r"schema error for '([^']*)' \(unknown table", str(error))
        return _unknown(unknown[1], kql, names) if unknown else KqlRefused(str(error))
    if isinstance(error, duckdb.CatalogException) and (unknown := _NO_TABLE.search(str(error))):
        return _unknown(unknown[1], kql, names)
    if isinstance(error, duckdb.PermissionException) and (unknown := _NO_FILE.search(str(error))):
        return _unknown(unknown[1], kql, names)
    if isinstance(error, duckdb.BinderException) and (unknown := _NO_COLUMN.search(str(error))):
        name = unknown[1]
        if name == "_IngestedAt":
            return _found("ingestion_time() needs the rows of a table: use it before project or summarize", kql, name)
        return _found(f"no column {name!r} at this point of the query", kql, name)
    return KqlRefused(f"DuckDB cannot run the translated query: {str(error).splitlines()[0]}")


def _unknown(name: str, kql: str, names: Iterable[str]) -> KqlRefused:
    return _found(f"no table or function {name!r}; available: {', '.join(sorted(names)) or 'none'}", kql, name)


def _found(message: str, kql: str, name: str) -> KqlRefused:
    """Point at the first mention of `name`; a name inside a saved function has no position in this text."""
    place = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", kql)
    if place is None:
        return KqlRefused(message)
    before = kql[: place.start()]
    return KqlRefused(message, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _at(message: str, span: Any) -> KqlRefused:
    return KqlRefused(message) if span is None else KqlRefused(message, span.line, span.column + 1)
