"""The Bicep compiler for tests: started once, asked once about the same text, its absence said loudly."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from infra.tools.build import BICEP
from infra.tools.compiler import HOW_TO_GET_IT, BicepRefused, Compiled, Compiler, CompilerMissing, Diagnostic, find

ROOT = BICEP.parents[1]
CACHE = ROOT / "build" / "bicep"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say once, at the end, that the templates were not looked at."""
    if any(HOW_TO_GET_IT in str(report.longrepr) for report in terminalreporter.stats.get("skipped", ())):
        terminalreporter.write_line(f"!! The templates were NOT compiled: {HOW_TO_GET_IT}", red=True, bold=True)


@dataclass
class Bicep:
    """Answers of the compiler about a folder of templates, kept under `build/` by the text of all its files.

    `asked` counts the questions that reached the compiler.
    """

    scratch: Path
    asked: int = 0
    _compiler: Compiler | None = field(default=None, repr=False)

    def compile(self, path: Path) -> Compiled:
        def ask() -> dict[str, Any]:
            return asdict(self.compiler.compile(path))

        kept = self._kept("compile", path, ask)
        return Compiled(tuple(Diagnostic(**one) for one in kept["diagnostics"]), kept["json_text"])

    def snapshot(self, path: Path) -> dict[str, Any]:
        """What the parameter file would create. Raises BicepRefused."""

        def ask() -> dict[str, Any]:
            try:
                return {"snapshot": self.compiler.snapshot(path)}
            except BicepRefused as refused:
                return {"refused": str(refused)}

        kept = self._kept("snapshot", path, ask)
        if "refused" in kept:
            raise BicepRefused(kept["refused"])
        made: dict[str, Any] = kept["snapshot"]
        return made

    def copy(self, name: str) -> Path:
        """A copy of the templates, and of the tables they load, to break at will; returns its `bicep` folder."""
        room = self.scratch / name
        shutil.copytree(BICEP, room / "infra" / "bicep")
        shutil.copytree(ROOT / "shared" / "tables", room / "shared" / "tables", ignore=shutil.ignore_patterns("*.py*"))
        return room / "infra" / "bicep"

    @property
    def compiler(self) -> Compiler:
        if self._compiler is None:
            self._compiler = Compiler(find())
        return self._compiler

    def close(self) -> None:
        if self._compiler is not None:
            self._compiler.close()

    def _kept(self, question: str, path: Path, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        entry = CACHE / f"{_digest(question, path)}.json"
        if entry.is_file():
            kept: dict[str, Any] = json.loads(entry.read_text(encoding="utf-8"))
            return kept
        self.asked += 1
        answer = ask()
        entry.parent.mkdir(parents=True, exist_ok=True)
        draft = entry.with_suffix(f".{hashlib.sha256(str(self.scratch).encode()).hexdigest()[:8]}")
        draft.write_text(json.dumps(answer), encoding="utf-8")
        draft.replace(entry)
        return answer


def _digest(question: str, path: Path) -> str:
    """Of the question, the compiler, and every file that the answer could depend on; not of where they lie."""
    bicep = next(parent for parent in path.parents if parent.name == "bicep")
    found = hashlib.sha256(f"{question} {path.relative_to(bicep)} {find()} {find().stat().st_size}".encode())
    tables = bicep.parents[1] / "shared" / "tables"
    for folder in (bicep, tables):
        for file in sorted(folder.rglob("*")):
            ours = file.suffix in (".bicep", ".json", ".kql") and not file.name.endswith(".snapshot.json")
            if ours or file == path:
                found.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()[:32]


@pytest.fixture(scope="session")
def bicep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bicep]:
    try:
        find()
    except CompilerMissing as missing:
        pytest.skip(str(missing))
    answers = Bicep(tmp_path_factory.mktemp("bicep"))
    yield answers
    answers.close()
