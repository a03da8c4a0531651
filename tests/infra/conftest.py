"""The Bicep compiler for tests: started once, its results cached, its absence reported loudly."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.infra import table_list
from tools.infra.build import BICEP
from tools.infra.cached_compiler import CachedCompiler
from tools.infra.compiler import HOW_TO_GET_IT, CompilerMissing

ROOT = BICEP.parents[1]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say once, at the end, that the templates were not looked at."""
    if any(HOW_TO_GET_IT in str(report.longrepr) for report in terminalreporter.stats.get("skipped", ())):
        terminalreporter.write_line(f"!! The templates were NOT compiled: {HOW_TO_GET_IT}", red=True, bold=True)


class Bicep(CachedCompiler):
    """The cached compiler, and copies of the templates to compile."""

    def __init__(self, scratch: Path) -> None:
        super().__init__()
        self._scratch = scratch
        self._copies = itertools.count()  # a module's fixture is made again when workers share its tests out

    def copy(self, name: str) -> Path:
        """A copy of the templates, and of the tables behind them, to change at will; returns its `bicep` folder.

        Rules, parsers and the like are left out: they are most of the work, and no part of what is changed.
        """
        room = self._scratch / f"{next(self._copies)} {name}"
        shutil.copytree(BICEP, room / "infra" / "bicep", ignore=shutil.ignore_patterns("*.snapshot.json"))
        shutil.copytree(ROOT / "shared" / "tables", room / "shared" / "tables", ignore=shutil.ignore_patterns("*.py*"))
        for content in (room / "infra" / "bicep" / "generated").glob("*.json"):
            if content.name != table_list.LIST:
                content.write_text("[]\n", encoding="utf-8")
        return room / "infra" / "bicep"


@pytest.fixture(scope="session")
def bicep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bicep]:
    try:
        compiler = Bicep(tmp_path_factory.mktemp("bicep"))
    except CompilerMissing as missing:
        pytest.skip(str(missing))
    with compiler:
        yield compiler
