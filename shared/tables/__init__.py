"""Every column once: the JSON files beside this module are read by the function, Bicep, the sandbox and the docs."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

HERE = Path(__file__).parent

ColumnType = Literal["string", "int", "long", "real", "boolean", "dynamic", "datetime"]
Sensitivity = Literal["none", "internal", "pseudonymous", "personal", "security", "content-name", "as source"]

ACTIVITY = "ClaudeActivity_CL"
HEALTH = "ClaudeBridgeHealth_CL"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `sources` are the API fields it is made of, `since` the table version that brought it."""

    name: str
    type: ColumnType
    meaning: str
    sources: tuple[str, ...]
    sensitivity: Sensitivity
    since: int


@dataclass(frozen=True, slots=True)
class Table:
    """One Log Analytics table and the DCR stream that feeds it; columns are only ever added."""

    name: str
    stream: str
    version: int
    meaning: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


@cache
def load(name: str) -> Table:
    """The table called `name`; KeyError when there is no such file."""
    path = HERE / f"{name}.json"
    if not path.is_file():
        raise KeyError(f"no table {name}; there are: {', '.join(table_names())}")
    raw = json.loads(path.read_text(encoding="utf-8"))
    columns = tuple(Column(**{**column, "sources": tuple(column["sources"])}) for column in raw["columns"])
    return Table(raw["name"], raw["stream"], raw["version"], raw["meaning"], columns)


def table_names() -> tuple[str, ...]:
    """Names of all tables, sorted."""
    return tuple(sorted(path.stem for path in HERE.glob("*.json")))
