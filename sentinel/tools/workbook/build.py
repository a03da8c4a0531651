"""Compile a workbook's source to the JSON that Sentinel shows, and to the body that Bicep deploys.

`python -m tools content workbook` writes, `--check` compares: workbooks/built/<slug>.json, which people read and
import, and infra/bicep/generated/workbooks.json.
Item types and settings: https://learn.microsoft.com/azure/azure-monitor/visualize/workbooks-overview and the templates
of the Azure-Sentinel repository.
"""

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sentinel.tools.load.problems import ROOT
from sentinel.tools.workbook.model import FOLDER, Drill, Link, Page, Parameter, Tile, Workbook, read, slugs
from sentinel.tools.workbook.scope import LOOKBACKS, deployed
from sentinel.tools.workbook.visual import visual

SCHEMA = "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json"
GENERATED = ROOT.parent / "infra" / "bicep" / "generated" / "workbooks.json"
LOG_ANALYTICS = {"queryType": 0, "resourceType": "microsoft.operationalinsights/workspaces"}
TAB = "Tab"
WHOLE_RETENTION = 0
"""`timeContext.durationMs` of a query that bounds its own time: the workbook then sets no time span."""

_TEXT, _QUERY, _PARAMETERS, _LINKS, _GROUP = 1, 3, 9, 11, 12
_PARAMETER_TYPES = {"text": 1, "until": 1, "choice": 2, "lookback": 4}
_WIDTHS = {"full": "100", "two-thirds": "66", "half": "50", "third": "33"}

Json = dict[str, Any]


def compiled(book: Workbook) -> Json:
    """The whole workbook in the format of Sentinel's gallery and editor."""
    head = book.head
    return {
        "version": "Notebook/1.0",
        "items": [
            _markdown("title", f"## {head.title}\n{head.description.strip()}"),
            _parameters(book),
            _tabs(book),
            *(_group(book, page) for page in book.pages),
        ],
        "fallbackResourceIds": [],
        "fromTemplateId": f"sentinel-{head.title.replace(' ', '')}",
        "$schema": SCHEMA,
    }


def resource(book: Workbook) -> Json:
    """One element of infra/bicep/generated/workbooks.json; the module adds workspace, category, location and tags.

    `workbook` as text is the property `serializedData`. It travels as an object that the template turns into text,
    because neither a literal nor the result of `join` may be longer than 131,072 characters there; `string` of an
    object may.
    """
    return {
        "name": book.head.id,
        "properties": {
            "displayName": book.head.title,
            "description": " ".join(book.head.description.split()),
            "version": "1.0",
        },
        "workbook": compiled(book),
    }


def exported(page: str, tile: str, link: Link) -> str:
    """The parameter that a click in this tile fills: one for each, because the last to be set would win otherwise."""
    words = f"{page}-{tile}-{link.column}".replace("-", " ").title()
    return f"Picked{words.replace(' ', '')}"


def _identity(book: Workbook, *names: str) -> str:
    return str(uuid.uuid5(uuid.UUID(book.head.id), "/".join(names)))


def _markdown(name: str, text: str, **more: Any) -> Json:
    return {"type": _TEXT, "content": {"json": text}, "name": name, **more}


def _parameters(book: Workbook) -> Json:
    parameters = [_parameter(book, one) for one in book.head.parameters]
    parameters.append(
        {
            **_base(_identity(book, TAB), TAB, 1),
            "isHiddenWhenLocked": True,
            "value": book.pages[0].slug,
        }
    )
    content = {"version": "KqlParameterItem/1.0", "parameters": parameters, "style": "pills", **LOG_ANALYTICS}
    return {"type": _PARAMETERS, "content": content, "name": "parameters"}


def _base(identity: str, name: str, type_: int) -> Json:
    return {"id": identity, "version": "KqlParameterItem/1.0", "name": name, "type": type_}


def _parameter(book: Workbook, one: Parameter) -> Json:
    made = _base(_identity(book, one.name), one.name, _PARAMETER_TYPES[one.kind])
    made |= {"label": one.label, "description": one.help, "isRequired": one.kind in ("lookback", "choice")}
    if one.kind == "lookback":
        spans = {name: int(span.total_seconds() * 1000) for name, span in LOOKBACKS.items()}
        # No custom range: it could end in the past, and Sentinel would then hide what was written since.
        selectable = [{"durationMs": span} for span in spans.values()]
        made |= {
            "value": {"durationMs": spans[one.default]},
            "typeSettings": {"selectableValues": selectable, "allowCustom": False},
        }
        return made
    made["value"] = one.default
    if one.kind == "choice":
        query = deployed(book.options[one.name], book.shared)
        made |= {"query": query, "multiSelect": False, "typeSettings": {"additionalResourceOptions": []}}
        made |= {
            "timeContextFromParameter": "TimeRange",
            "timeContext": {"durationMs": WHOLE_RETENTION},
            **LOG_ANALYTICS,
        }
    return made


def _tabs(book: Workbook) -> Json:
    links = [
        {
            "id": _identity(book, TAB, page.slug),
            "cellValue": TAB,
            "linkTarget": "parameter",
            "linkLabel": page.file.value.title,
            "subTarget": page.slug,
            "style": "link",
        }
        for page in book.pages
    ]
    return {"type": _LINKS, "content": {"version": "LinkItem/1.0", "style": "tabs", "links": links}, "name": "tabs"}


def _group(book: Workbook, page: Page) -> Json:
    items = [_markdown(f"{page.slug}-question", f"### {page.file.value.title}\n{page.file.value.question}")]
    for tile in page.tiles:
        items.append(_tile(book, page, tile))
        items += [_drilled(book, page, tile, link) for link in tile.drill]
    content = {"version": "NotebookGroup/1.0", "groupType": "editable", "items": items}
    shown = {"parameterName": TAB, "comparison": "isEqualTo", "value": page.slug}
    return {"type": _GROUP, "content": content, "conditionalVisibility": shown, "name": page.slug}


def _tile(book: Workbook, page: Page, tile: Tile) -> Json:
    name, width = f"{page.slug}-{tile.id}", _WIDTHS[tile.width]
    if tile.text is not None:
        return _markdown(name, f"#### {tile.title}\n{tile.text.strip()}", customWidth=width)
    exports = [
        {"fieldName": link.column, "parameterName": exported(page.slug, tile.id, link), "parameterType": 1}
        for link in tile.drill
    ]
    more = {"exportedParameters": exports, "exportMultipleValues": False} if exports else {}
    return _query(
        name,
        deployed(page.queries[tile.id], book.shared),
        tile.title if tile.note is None else f"{tile.title} ({tile.note.rstrip('.')})",
        f"Choose a person above. {tile.empty}" if tile.asks else tile.empty or "",
        {**_time(tile.span), **visual(tile, page.queries[tile.id]), **more},
        customWidth=width,
    )


def _drilled(book: Workbook, page: Page, tile: Tile, link: Link) -> Json:
    """The rows behind a picked value, shown below its tile once something is picked."""
    drill: Drill = book.drill(link.to)
    parameter = exported(page.slug, tile.id, link)
    return _query(
        f"{page.slug}-{tile.id}-{link.column.lower()}-rows",
        deployed(book.drills[drill.name], book.shared, picked_from=parameter),
        f"{drill.title}: {{{parameter}}}",
        "No row in this period.",
        {**_time("period"), "visualization": "table", "gridSettings": {"rowLimit": 500, "filter": True}},
        conditionalVisibility={"parameterName": parameter, "comparison": "isNotEqualTo", "value": ""},
    )


def _query(name: str, query: str, title: str, empty: str, settings: Mapping[str, Any], **more: Any) -> Json:
    content = {
        "version": "KqlItem/1.0",
        "query": query,
        "size": 0,
        "title": title,
        "noDataMessage": empty,
        **LOG_ANALYTICS,
        **settings,
    }
    return {"type": _QUERY, "content": content, **more, "name": name}


def _time(span: str) -> Json:
    if span == "all":
        return {"timeContext": {"durationMs": WHOLE_RETENTION}}
    return {"timeContextFromParameter": "TimeRange", "timeContext": {"durationMs": WHOLE_RETENTION}}


def _texts() -> dict[Path, str]:
    """Every generated file with what belongs in it."""
    books = [read(slug) for slug in slugs()]
    built = {FOLDER / "built" / f"{book.slug}.json": _pretty(compiled(book)) for book in books}
    return {**built, GENERATED: _pretty([resource(book) for book in books])}


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def stale() -> list[Path]:
    """Generated files that differ from their source."""
    return [path for path, text in _texts().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def write() -> list[Path]:
    """Write what differs; the paths written."""
    written = []
    for path, text in _texts().items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written
