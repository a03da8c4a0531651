"""Prints a query result: a table for people, JSON or CSV for programs."""

import csv
import json
import math
from datetime import datetime, timedelta
from typing import Any, Literal, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kql.answer import QueryAnswer, datetime_text, timespan_text

Form = Literal["table", "json", "csv"]

WIDTH = 100  # characters; cells wrap within this width, because a table wider than the terminal is unreadable

_NUMBERS = frozenset({"int", "long", "real", "decimal"})


def print_answer(answer: QueryAnswer, form: Form, out: TextIO) -> None:
    """Write `answer` to `out`; JSON is a list of objects with ISO 8601 datetimes, CSV has a header line."""
    if form == "json":
        json.dump(
            [{name: _plain(value) for name, value in row.items()} for row in answer.objects()],
            out,
            indent=2,
            ensure_ascii=False,
        )
        out.write("\n")
    elif form == "csv":
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(answer.names)
        writer.writerows([[_text(value) for value in row] for row in answer.rows])
    else:
        _print_table(answer, out)


def _print_table(answer: QueryAnswer, out: TextIO) -> None:
    console = Console(file=out, width=WIDTH, highlight=False)
    if not answer.rows:
        console.print("no rows")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name, type_ in answer.columns:
        table.add_column(Text(name), justify="right" if type_ in _NUMBERS else "left", overflow="fold")
    for row in answer.rows:
        # Text, not str: a value such as "[bold]" is data, not markup.
        table.add_row(*(Text(_brief(value)) for value in row))
    console.print(table)


def _brief(value: Any) -> str:
    """For people: times in UTC, to the second. JSON and CSV keep every digit."""
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else _text(value)


def _plain(value: Any) -> Any:
    """The value for JSON; NaN and the infinities become null."""
    if isinstance(value, datetime | timedelta):
        return _text(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return datetime_text(value)
    if isinstance(value, timedelta):
        return timespan_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
