"""All content, read from its files and typed; a file that does not fit says where and why."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from sentinel.tools.load.models import Detection, Hunt, Model, Rule, Summary, Watchlist
from sentinel.tools.load.problems import ROOT, ContentError, Problem
from sentinel.tools.load.yaml_lines import Position, read
from shared import tables
from shared.tables import Column, Table

_PARAMETERS = re.compile(r"^// parameters: \((.*)\)$", re.MULTILINE)
_COLUMN_TYPES = {"bool": "boolean", "guid": "string", "double": "real"}
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class File(Generic[M]):
    """One content file: what it says, and on which line it says what."""

    path: Path
    value: M
    lines: dict[Position, int]

    @property
    def slug(self) -> str:
        return self.path.stem

    def problem(self, reason: str, *position: str | int) -> Problem:
        """A problem at `position`, or at the nearest place around it that the file has."""
        while position and position not in self.lines:
            position = position[:-1]
        return Problem(self.path, self.lines.get(position, 1), reason)

    def in_query(self, reason: str, line: int) -> Problem:
        """A problem on a line (from 1) of the block `query: |`."""
        return Problem(self.path, self.lines[("query",)] + line, reason)


@dataclass(frozen=True, slots=True)
class Parser:
    """One saved function: the file's stem is its name; `parameters` are Kusto's, without the brackets."""

    name: str
    path: Path
    parameters: str
    body: str


def load(path: Path, model: type[M]) -> File[M]:
    """The file at `path` as a `model`; ContentError says on which lines it is not one."""
    data, lines = read(path)
    if not isinstance(data, dict):
        raise ContentError([Problem(path, 1, "a content file is a mapping of keys")])
    try:
        return File(path, model.model_validate(data), lines)
    except ValidationError as exc:
        raise ContentError(_problems(path, lines, exc)) from exc


def _problems(path: Path, lines: dict[Position, int], error: ValidationError) -> Iterable[Problem]:
    for mistake in error.errors(include_url=False):
        position: Position = mistake["loc"]
        shown = ".".join(map(str, position))
        while position and position not in lines:
            position = position[:-1]
        yield Problem(path, lines.get(position, 1), f"{shown}: {mistake['msg']}")


def rule_paths() -> list[Path]:
    return sorted((ROOT / "rules").glob("*.yaml"))


def hunt_paths() -> list[Path]:
    return sorted((ROOT / "hunting").glob("*.yaml"))


def rule(path: Path) -> File[Rule]:
    return load(path, Rule)


def hunt(path: Path) -> File[Hunt]:
    return load(path, Hunt)


def detection(path: Path) -> File[Rule] | File[Hunt]:
    """A rule or a hunt, by the folder it lies in."""
    return hunt(path) if path.parent.name == "hunting" else rule(path)


@cache
def watchlists() -> dict[str, File[Watchlist]]:
    """All watchlists by alias."""
    files = [load(path, Watchlist) for path in sorted((ROOT / "watchlists").glob("*.yaml"))]
    return {file.value.alias: file for file in files}


@cache
def summaries() -> dict[str, File[Summary]]:
    """All summary rules by the table they fill."""
    files = [load(path, Summary) for path in sorted((ROOT / "summaries").glob("*.yaml"))]
    return {file.value.table: file for file in files}


@cache
def connectors() -> dict[str, tuple[str, ...]]:
    """Connector id -> the tables it fills (schemas/connectors.json)."""
    raw = json.loads((ROOT / "schemas" / "connectors.json").read_text(encoding="utf-8"))
    return {name: tuple(tables) for name, tables in raw["connectors"].items()}


@cache
def parsers() -> dict[str, Parser]:
    """All saved functions by name."""
    return {path.stem: _parser(path) for path in sorted((ROOT / "parsers").glob("*.kql"))}


def _parser(path: Path) -> Parser:
    text = path.read_text(encoding="utf-8")
    declared = _PARAMETERS.search(text)
    return Parser(path.stem, path, declared[1] if declared else "", text.strip())


@cache
def own_tables() -> dict[str, Table]:
    """The bridge's own tables."""
    return {name: tables.load(name) for name in tables.table_names()}


@cache
def neighbor_tables() -> dict[str, Table]:
    """The tables that others fill and our content reads, with the columns it reads.

    Those of other products (schemas/neighbors.json), and those of our summary rules, which Azure makes and fills.
    """
    raw: dict[str, Any] = json.loads((ROOT / "schemas" / "neighbors.json").read_text(encoding="utf-8"))
    columns = {name: table["columns"] for name, table in raw["tables"].items()}
    columns |= {name: {"TimeGenerated": "datetime", **file.value.columns} for name, file in summaries().items()}
    return {name: plain_table(name, types) for name, types in columns.items()}


def plain_table(name: str, columns: Mapping[str, str]) -> Table:
    """A table that is not the bridge's: columns and their KQL types, and nothing else to say of them."""
    kinds = {column: _COLUMN_TYPES.get(type_, type_) for column, type_ in columns.items()}
    made = (Column(column, kind, "", (), "as source", 1) for column, kind in kinds.items())  # type: ignore[arg-type]
    return Table(name, "", 1, "", tuple(made))


@cache
def techniques() -> dict[str, frozenset[str]]:
    """The techniques Azure-Sentinel's own check accepts, by tactic (schemas/techniques.json)."""
    raw = json.loads((ROOT / "schemas" / "techniques.json").read_text(encoding="utf-8"))
    return {tactic: frozenset(names) for tactic, names in raw["tactics"].items()}


@cache
def entities() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Entity type -> (strong identifiers, all identifiers) (schemas/entities.json)."""
    raw = json.loads((ROOT / "schemas" / "entities.json").read_text(encoding="utf-8"))
    return {
        name: (frozenset(kind["strong"]), frozenset(kind["strong"]) | frozenset(kind["weak"]))
        for name, kind in raw["entities"].items()
    }


def all_detections() -> list[File[Rule] | File[Hunt]]:
    """Every rule and hunt; ContentError collects what is wrong in all of them."""
    found: list[File[Rule] | File[Hunt]] = []
    problems: list[Problem] = []
    for path in [*rule_paths(), *hunt_paths()]:
        try:
            found.append(detection(path))
        except ContentError as exc:
            problems.extend(exc.problems)
    if problems:
        raise ContentError(problems)
    return found


__all__ = ["Detection", "File", "Parser", "all_detections", "detection", "load"]
