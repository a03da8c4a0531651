"""Every table once: the JSON files beside this module are read by the function, Bicep, the sandbox and the docs.

Beside its columns a file says how a deployment keeps the table, all of it a default that a customer may change:
`plan`, `retentionDays` (days a row can be queried at full speed), `totalRetentionDays` (days altogether, the rest in
the archive; left out: the same), `protected` (general roles cannot read it; preview) and `readers`, of READERS.
A file is all that a new table needs here; `make build` puts it into the templates.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

HERE = Path(__file__).parent

ColumnType = Literal["string", "int", "long", "real", "boolean", "dynamic", "datetime"]
Sensitivity = Literal["none", "internal", "pseudonymous", "personal", "security", "content-name", "as source"]
Plan = Literal["Analytics", "Auxiliary"]
Reader = Literal["bridge", "parsers", "rules", "alerts"]

READERS: dict[Reader, str] = {
    "bridge": "the app, and operators: proof, rebuild, self-test, doctor, report; they get a role to read it",
    "parsers": "functions of sentinel/parsers, and so hunts, workbooks and reports",
    "rules": "analytics rules of sentinel/rules, through those functions",
    "alerts": "the app's own alerts, infra/bicep/alerts",
}
"""Who queries a table. Each needs the plan Analytics; Auxiliary, the data lake, is for what nobody here reads."""

# https://learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure
INTERACTIVE_DAYS = range(4, 731)
ARCHIVE_DAYS = (1095, 1460, 1826, 2191, 2556, 2922, 3288, 3653, 4018, 4383)
AUXILIARY_DAYS = 30

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
    """One Log Analytics table and the DCR stream that feeds it; columns are only ever added.

    What follows `columns` matters to a deployment; tables that are not deployed (a watchlist, a test's) leave it out.
    """

    name: str
    stream: str
    version: int
    meaning: str
    columns: tuple[Column, ...]
    plan: Plan = "Analytics"
    retention_days: int = 0
    total_retention_days: int = 0
    protected: bool = False
    readers: tuple[Reader, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def overflows(self) -> bool:
        """Whether rows can be cut, the original then kept in the state container as long as the row."""
        return "Handling" in self.names


@cache
def load(name: str) -> Table:
    """The table called `name`; KeyError when there is no such file."""
    path = HERE / f"{name}.json"
    if not path.is_file():
        raise KeyError(f"no table {name}; there are: {', '.join(table_names())}")
    return read(path)


def table_names(folder: Path = HERE) -> tuple[str, ...]:
    """Names of all tables, sorted."""
    return tuple(sorted(path.stem for path in folder.glob("*.json")))


def read(path: Path) -> Table:
    """The table of a file. Raises ValueError, with the file's name, for what cannot be deployed."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    if faults := list(_faults(path.stem, raw)):
        raise ValueError(f"{path.name}: {'; '.join(faults)}")
    return Table(
        name=raw["name"],
        stream=raw["stream"],
        version=raw["version"],
        meaning=raw["meaning"],
        columns=tuple(Column(**{**column, "sources": tuple(column["sources"])}) for column in raw["columns"]),
        plan=raw["plan"],
        retention_days=raw["retentionDays"],
        total_retention_days=raw.get("totalRetentionDays", raw["retentionDays"]),
        protected=raw["protected"],
        readers=tuple(raw["readers"]),
    )


_REQUIRED = frozenset(
    {"name", "stream", "version", "meaning", "columns", "plan", "retentionDays", "protected", "readers"}
)
_OPTIONAL = frozenset({"totalRetentionDays"})


def _faults(name: str, raw: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a file, apart from its columns. A field that is missing or unknown is reported alone."""
    if wrong := sorted(_REQUIRED - raw.keys() | raw.keys() - _REQUIRED - _OPTIONAL):
        yield f"missing or unknown: {', '.join(wrong)}"
        return
    plan, readers, days = raw["plan"], raw["readers"], raw["retentionDays"]
    if raw["name"] != name or not name.endswith("_CL") or raw["stream"] != f"Custom-{name}":
        yield "name must be the file's and end in _CL, stream must be Custom- and the name"
    if type(raw["version"]) is not int or raw["version"] < 1:
        yield "version must be a whole number of at least 1"
    if plan not in get_args(Plan):
        yield f"plan must be one of {', '.join(get_args(Plan))}"
    if type(days) is not int or days not in INTERACTIVE_DAYS:
        yield "retentionDays must be 4 to 730"
    elif plan == "Auxiliary" and days != AUXILIARY_DAYS:
        yield f"retentionDays must be {AUXILIARY_DAYS} with the plan Auxiliary"
    elif (total := raw.get("totalRetentionDays", days)) < days or total not in (*INTERACTIVE_DAYS, *ARCHIVE_DAYS):
        yield f"totalRetentionDays must be retentionDays to 730, or one of {', '.join(map(str, ARCHIVE_DAYS))}"
    if type(raw["protected"]) is not bool:
        yield "protected must be true or false"
    if not set(readers) <= READERS.keys() or len(set(readers)) < len(readers):
        yield f"readers must be of {', '.join(READERS)}, each once"
    if readers and plan != "Analytics":
        yield "readers need the plan Analytics"
