"""The golden pairs beside this module: an activity, why it is there, and the row it must become.

    python -m tests.unit.streams.golden_pairs

writes every row anew from its activity; read the diff as you would read code.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.streams.activity.fold import RowContext, fold

FOLDER = Path(__file__).with_name("golden")
CARRIAGE = RowContext("contoso", "run-0001", "0.1.0", "live", False, datetime(2026, 10, 5, 9, 20, tzinfo=UTC))


def read(path: Path) -> dict[str, Any]:
    """{"why": text, "activity": object, "row": object}."""
    pair: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return pair


def paths() -> list[Path]:
    return sorted(FOLDER.glob("*.json"))


def rewrite() -> None:
    for path in paths():
        pair = read(path)
        row = fold(pair["activity"], CARRIAGE).row
        text = json.dumps({**pair, "row": dict(sorted(row.items()))}, indent=2, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    rewrite()
