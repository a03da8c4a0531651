"""What a table's file says of its deployment: what is refused, and that its readers are those that read it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared import tables

ROOT = Path(__file__).parents[2]
PARSERS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "sentinel" / "parsers").glob("*.kql")}


def file(folder: Path, **said: Any) -> Path:
    """A table's file in `folder`; None takes a field out."""
    raw = json.loads((tables.HERE / f"{tables.HEALTH}.json").read_text(encoding="utf-8")) | said
    path = folder / f"{tables.HEALTH}.json"
    path.write_text(json.dumps({key: value for key, value in raw.items() if value is not None}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"retentionDays": None}, "missing or unknown: retentionDays"),
        ({"retention": 90}, "missing or unknown: retention"),
        ({"name": "Other_CL"}, "name must be the file's"),
        ({"stream": "Custom-Other_CL"}, "stream must be Custom- and the name"),
        ({"version": 0}, "version must be a whole number of at least 1"),
        ({"plan": "Basic"}, "plan must be one of Analytics, Auxiliary"),
        ({"retentionDays": 3}, "retentionDays must be 4 to 730"),
        ({"retentionDays": "730"}, "retentionDays must be 4 to 730"),
        ({"totalRetentionDays": 90}, "totalRetentionDays must be retentionDays to 730, or one of 1095"),
        ({"totalRetentionDays": 1000}, "totalRetentionDays must be retentionDays to 730, or one of 1095"),
        ({"protected": "yes"}, "protected must be true or false"),
        ({"readers": ["rules", "everybody"]}, "readers must be of bridge, parsers, rules, alerts, each once"),
        ({"readers": ["rules", "rules"]}, "readers must be of bridge, parsers, rules, alerts, each once"),
        ({"plan": "Auxiliary", "readers": []}, "retentionDays must be 30 with the plan Auxiliary"),
        ({"plan": "Auxiliary", "retentionDays": 30, "readers": ["bridge"]}, "readers need the plan Analytics"),
    ],
)
def test_a_table_that_cannot_be_deployed_is_refused(tmp_path: Path, said: dict[str, Any], sentence: str) -> None:
    """The file is named, with what is wrong in it."""
    with pytest.raises(ValueError, match=rf"^{tables.HEALTH}.json: ") as refused:
        tables.read(file(tmp_path, **said))
    assert sentence in str(refused.value)


def test_a_table_for_the_lake_is_taken(tmp_path: Path) -> None:
    """Nobody reads it, and its archive may last twelve years; without one it lasts as long as it can be queried."""
    lake = tables.read(file(tmp_path, plan="Auxiliary", retentionDays=30, totalRetentionDays=4383, readers=[]))
    assert (lake.plan, lake.retention_days, lake.total_retention_days, lake.readers) == ("Auxiliary", 30, 4383, ())
    assert tables.load(tables.HEALTH).total_retention_days == 730


def reading(text: str, table: str) -> bool:
    """Whether a query names the table, or a parser that does, directly or through others."""
    known, front = set[str](), {name for name in PARSERS if re.search(rf"\b{name}\b", _code(text))}
    while front:
        known |= front
        called = " ".join(_code(PARSERS[name]) for name in front)
        front = {name for name in PARSERS if re.search(rf"\b{name}\b", called)} - known
    return any(re.search(rf"\b{table}\b", _code(one)) for one in (text, *(PARSERS[name] for name in known)))


def _code(text: str) -> str:
    return re.sub(r"//.*", "", text)


@pytest.mark.parametrize("name", tables.table_names())
def test_readers_are_those_that_read(name: str) -> None:
    """Parsers, rules and alerts are among a table's readers exactly where one of them asks for it."""
    rules = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / "sentinel" / "rules").glob("*.yaml")]
    alerts = [path.read_text(encoding="utf-8") for path in (ROOT / "infra" / "bicep" / "alerts").glob("*.kql")]
    found = {
        "parsers": any(re.search(rf"\b{name}\b", _code(text)) for text in PARSERS.values()),
        "rules": any(reading(rule["query"], name) for rule in rules),
        "alerts": any(reading(text, name) for text in alerts),
    }
    assert {reader for reader, reads in found.items() if reads} == set(tables.load(name).readers) - {"bridge"}
