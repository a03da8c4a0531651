"""The shape of a workbook's source: `workbook.yaml` names the tabs, and a tab is a folder of `tab.yaml` and queries."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sentinel.tools.load import content
from sentinel.tools.load.models import Model, Text
from sentinel.tools.load.problems import ROOT, ContentError, Problem

FOLDER = ROOT / "workbooks"

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
QueryFile = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.kql$")]
Kind = Literal["tiles", "table", "bars", "timechart", "text"]
Width = Literal["full", "two-thirds", "half", "third"]
Format = Literal["badge", "bar", "bytes", "count", "days", "hours", "percent", "text"]
ParameterKind = Literal["lookback", "until", "choice", "text"]

TILE_COLUMNS = ("Name", "Value", "Unit", "Note")
"""What a query of `kind: tiles` answers: one row is one number."""


class Parameter(Model):
    """A parameter of the whole workbook. `lookback` and `until` bound EventTime; the others are texts, `*` for all."""

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]*$")]
    label: Text
    kind: ParameterKind
    default: str = "*"
    help: Text
    options: QueryFile | None = None


class Drill(Model):
    """What a click on a value opens: rows about it, and the parameter of the workbook that it can become."""

    name: Slug
    title: Text
    query: QueryFile
    parameter: str | None = None
    tab: Slug | None = None


class Link(Model):
    """A column whose values open a drill-down."""

    column: Text
    to: Slug


class Tile(Model):
    """One tile. `span: all` reads the whole retention, for what is true today because of something long ago.

    `asks` is a parameter without which there is nothing to show; `needs` are tables of other products.
    """

    id: Slug
    title: Text
    kind: Kind
    width: Width = "half"
    query: QueryFile | None = None
    note: Text | None = None
    empty: Text | None = None
    unit: Text | None = None
    span: Literal["period", "all"] = "period"
    asks: Literal["Person"] | None = None
    needs: list[str] = Field(default=[])
    columns: dict[str, Format] = Field(default={})
    drill: list[Link] = Field(default=[])
    text: Text | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "text":
            if self.text is None or self.query is not None:
                raise ValueError("a text tile has text and no query")
        elif self.query is None or self.empty is None:
            raise ValueError("a tile has a query, and says in `empty` why it may have no rows")
        return self


class Tab(Model):
    """One tab."""

    title: Text
    question: Text
    tiles: Annotated[list[Tile], Field(min_length=2)]


class Head(Model):
    """`workbook.yaml`: what all tabs share, and their order."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
    title: Text
    description: Text
    parameters: list[Parameter]
    drills: list[Drill]
    coverage: Tile
    tabs: list[Slug]


@dataclass(frozen=True, slots=True)
class Page:
    """A tab as read: its slug, its folder, what it says, and its tiles with coverage first."""

    slug: str
    file: content.File[Tab]
    tiles: tuple[Tile, ...]
    queries: dict[str, str]
    """Tile id -> text of its query."""


@dataclass(frozen=True, slots=True)
class Workbook:
    """A workbook as read from its folder."""

    slug: str
    file: content.File[Head]
    pages: tuple[Page, ...]
    options: dict[str, str]
    """Parameter name -> text of the query for its choices."""
    drills: dict[str, str]
    """Drill name -> text of its query."""
    shared: dict[str, str]
    """Name -> expression that several queries build on (`shared/<Name>.kql`)."""

    @property
    def head(self) -> Head:
        return self.file.value

    def drill(self, name: str) -> Drill:
        return next(drill for drill in self.head.drills if drill.name == name)


def read(slug: str = "claude") -> Workbook:
    """The workbook in `workbooks/<slug>/`. ContentError says which file is missing or does not fit."""
    folder = FOLDER / slug
    file = content.load(folder / "workbook.yaml", Head)
    head = file.value
    coverage = head.coverage
    pages = []
    for tab in head.tabs:
        tab_file = content.load(folder / tab / "tab.yaml", Tab)
        tiles = (coverage, *tab_file.value.tiles)
        queries = {
            tile.id: _query(folder if tile is coverage else folder / tab, tile.query) for tile in tiles if tile.query
        }
        pages.append(Page(tab, tab_file, tiles, queries))
    options = {one.name: _query(folder, one.options) for one in head.parameters if one.options}
    drills = {drill.name: _query(folder, drill.query) for drill in head.drills}
    shared = {path.stem: path.read_text(encoding="utf-8").strip() for path in sorted((folder / "shared").glob("*.kql"))}
    return Workbook(slug, file, tuple(pages), options, drills, shared)


def slugs() -> list[str]:
    """The workbooks there are."""
    return sorted(path.parent.name for path in FOLDER.glob("*/workbook.yaml"))


def query_files(workbook: Workbook) -> set[Path]:
    """Every query file a workbook names."""
    folder, head = FOLDER / workbook.slug, workbook.head
    shared = [head.coverage.query, *(one.options for one in head.parameters), *(one.query for one in head.drills)]
    own = {
        page.file.path.parent / tile.query for page in workbook.pages for tile in page.file.value.tiles if tile.query
    }
    return {folder / name for name in shared if name} | own


def _query(folder: Path, name: str) -> str:
    path = folder / name
    if not path.is_file():
        raise ContentError([Problem(path, 0, "a tile names this query, and it is not there")])
    return path.read_text(encoding="utf-8").strip()


def mentions(query: str, name: str) -> bool:
    """Whether `name` stands in the query as a name of its own."""
    return re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", _without_comments(query)) is not None


def _without_comments(query: str) -> str:
    return re.sub(r"//[^\n]*", "", query)
