"""JSON for the page: the workbook without its queries, and query results."""

import math
from datetime import datetime, timedelta
from typing import Any

from kql import QueryAnswer
from kql.answer import datetime_text, timespan_text
from sentinel.tools.workbook.model import Page, Tile, Workbook
from sentinel.tools.workbook.scope import LOOKBACKS


def workbook(book: Workbook) -> dict[str, Any]:
    """Tabs, tiles, parameters and drill-downs, in the order of the source."""
    head = book.head
    return {
        "title": head.title,
        "description": head.description,
        "lookbacks": list(LOOKBACKS),
        "parameters": [one.model_dump(exclude={"options"}) | {"choices": bool(one.options)} for one in head.parameters],
        "drills": [one.model_dump(exclude={"query"}) for one in head.drills],
        "tabs": [_page(page) for page in book.pages],
    }


def _page(page: Page) -> dict[str, Any]:
    tab = page.file.value
    return {"slug": page.slug, "title": tab.title, "question": tab.question, "tiles": [_tile(t) for t in page.tiles]}


def _tile(tile: Tile) -> dict[str, Any]:
    return tile.model_dump(exclude={"query"})


def answer(found: QueryAnswer, most_rows: int, seconds: float, kql: str) -> dict[str, Any]:
    """A query result fetched with one row more than `most_rows`, so that `more` is known."""
    return {
        "columns": [{"name": name, "type": type_} for name, type_ in found.columns],
        "rows": [[_plain(value) for value in row] for row in found.rows[:most_rows]],
        "more": len(found.rows) > most_rows,
        "seconds": round(seconds, 3),
        "kql": kql,
    }


def _plain(value: Any) -> Any:
    """A JSON value; NaN and the infinities, which JSON lacks, become null."""
    if isinstance(value, datetime):
        return datetime_text(value)
    if isinstance(value, timedelta):
        return timespan_text(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
