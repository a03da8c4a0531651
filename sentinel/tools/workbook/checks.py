"""What can be said about a workbook without showing it: its source, its bound queries, and the JSON made of it."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sentinel.tools.check.bind import Bound, bind
from sentinel.tools.load import content
from sentinel.tools.load.problems import Problem
from sentinel.tools.workbook.model import FOLDER, TILE_COLUMNS, Page, Tile, Workbook, mentions, query_files
from sentinel.tools.workbook.scope import Scope, local

NUMBERS = frozenset({"int", "long", "real", "decimal"})
VISUALIZATIONS = frozenset({"tiles", "table", "categoricalbar", "timechart"})
_END = datetime(2026, 11, 20, 12, tzinfo=UTC)
SAMPLE = Scope(_END - timedelta(days=30), _END, picked="a")
PLACEHOLDER = re.compile(r"\{([A-Z]\w*)(?::\w+)?\}")
_RESOURCE = re.compile(r"/subscriptions/|resourceGroups/[^\"{]", re.IGNORECASE)


def bound(book: Workbook) -> dict[str, Bound]:
    """Every query of the workbook, bound: `tab/tile`, `drill/name` and `choice/name`."""
    texts = {f"{page.slug}/{tile}": query for page in book.pages for tile, query in page.queries.items()}
    texts |= {f"drill/{name}": query for name, query in book.drills.items()}
    texts |= {f"choice/{name}": query for name, query in book.options.items()}
    return bind({name: local(query, SAMPLE, book.shared) for name, query in texts.items()}, keep=True)


def problems(book: Workbook, queries: dict[str, Bound]) -> list[Problem]:
    """Everything that is wrong with a workbook's source."""
    return sorted({*_head(book), *_files(book), *_queries(book, queries)})


def _head(book: Workbook) -> Iterator[Problem]:
    file, head = book.file, book.head
    for kind, names in (
        ("tab", head.tabs),
        ("parameter", [one.name for one in head.parameters]),
        ("drill", [one.name for one in head.drills]),
    ):
        for name, times in Counter(names).items():
            if times > 1:
                yield file.problem(f"{kind} {name} is named twice", f"{kind}s")
    for index, drill in enumerate(head.drills):
        if drill.parameter is not None and drill.parameter not in {one.name for one in head.parameters}:
            yield file.problem(f"there is no parameter {drill.parameter}", "drills", index)
        if drill.tab is not None and drill.tab not in head.tabs:
            yield file.problem(f"there is no tab {drill.tab}", "drills", index)


def _files(book: Workbook) -> Iterator[Problem]:
    folder = FOLDER / book.slug
    used = query_files(book) | {folder / "shared" / f"{name}.kql" for name in book.shared}
    for path in sorted(folder.rglob("*.kql")):
        if path not in used:
            yield Problem(path, 0, "no tile uses this query")
    every = "\n".join(
        [*book.drills.values(), *book.shared.values(), *(q for p in book.pages for q in p.queries.values())]
    )
    for name in book.shared:
        if not mentions(every, name):
            yield Problem(folder / "shared" / f"{name}.kql", 0, "no query builds on this expression")


def _queries(book: Workbook, queries: dict[str, Bound]) -> Iterator[Problem]:
    for name, query in queries.items():
        place = _path(book, name)
        for said in query.complaints:
            yield Problem(place, 0, f"{said.message} (line {said.line} of the composed query)")
        for table in sorted(query.tables):
            yield Problem(place, 0, f"queries read functions, never a table: {table}")
    for page in book.pages:
        for index, tile in enumerate(page.file.value.tiles):
            for reason in _tile(book, page, tile, queries.get(f"{page.slug}/{tile.id}")):
                yield page.file.problem(f"{tile.id}: {reason}", "tiles", index)
        for name, times in Counter(tile.id for tile in page.tiles).items():
            if times > 1:
                yield page.file.problem(f"{name}: this tile's id is used twice", "tiles")


def _tile(book: Workbook, page: Page, tile: Tile, query: Bound | None) -> Iterator[str]:
    known = content.neighbor_tables()
    for table in tile.needs:
        alias = table.removeprefix("Watchlist ")
        if table not in known and alias not in content.watchlists():
            yield f"needs {table}, which is no neighbor's table and no watchlist"
    if query is None:
        return
    for column in [*tile.columns, *(link.column for link in tile.drill)]:
        if column not in query.columns:
            yield f"the query has no column {column}"
    for link in tile.drill:
        if link.to not in book.drills:
            yield f"there is no drill {link.to}"
    source = page.queries[tile.id] + "".join(
        text for name, text in book.shared.items() if name in page.queries[tile.id]
    )
    if tile.span == "period" and not mentions(source, "From") and "ClaudeTuning" not in source:
        yield "the query does not bound EventTime by From; say span: all if it means to"
    types = list(query.columns.values())
    if tile.kind == "tiles" and tuple(query.columns) != TILE_COLUMNS:
        yield f"tiles answer {', '.join(TILE_COLUMNS)}"
    if tile.kind == "bars" and not (types and types[0] == "string" and NUMBERS & set(types[1:])):
        yield "bars answer a text and at least one number"
    if tile.kind == "timechart" and not ("datetime" in types and NUMBERS & set(types)):
        yield "a time chart answers a datetime and at least one number"
    if tile.kind in ("bars", "timechart") and tile.unit is None:
        yield "a chart says its unit"


def _path(book: Workbook, name: str) -> Any:
    tab, _, tile = name.partition("/")
    folder = FOLDER / book.slug
    if tab in ("drill", "choice") or tile == "coverage":
        return folder / "workbook.yaml"
    return folder / tab / f"{tile}.kql"


def json_problems(document: dict[str, Any]) -> list[str]:
    """What is wrong with compiled JSON, whoever made it: names, parameters, visualizations, foreign ids."""
    items = steps(document)
    names = Counter(item["name"] for item in items)
    found = [f"the step name {name} is used {times} times" for name, times in names.items() if times > 1]
    defined = set(_defined(items))
    for item in items:
        asked = set(PLACEHOLDER.findall(str(item["content"].get("query", "")) + str(item["content"].get("title", ""))))
        shown = item.get("conditionalVisibility")
        asked |= {shown["parameterName"]} if shown else set()
        given = item["content"].get("timeContextFromParameter")
        asked |= {given} if given else set()
        found += [f"{item['name']}: no parameter {name} is defined" for name in sorted(asked - defined)]
        if item["type"] == 3 and item["content"]["visualization"] not in VISUALIZATIONS:
            found.append(f"{item['name']}: {item['content']['visualization']} is no visualization of ours")
        if item["type"] == 3 and not item["content"]["noDataMessage"]:
            found.append(f"{item['name']}: it does not say why it may be empty")
    if document.get("version") != "Notebook/1.0" or document.get("fallbackResourceIds") != []:
        found.append("version and fallbackResourceIds are those of a template")
    if _RESOURCE.search(str(document)):
        found.append("a template names no subscription and no resource group")
    return found


def steps(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Every item of compiled JSON, those within groups, too."""
    return list(_walk(document["items"]))


def _walk(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in items:
        yield item
        yield from _walk(item["content"].get("items", []))


def _defined(items: list[dict[str, Any]]) -> Iterator[str]:
    for item in items:
        yield from (one["name"] for one in item["content"].get("parameters", []))
        yield from (one["parameterName"] for one in item["content"].get("exportedParameters", []))
