"""A cache of compiler results under build/, keyed by the content of every file a result depends on."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from tools.infra.compiler import HERE, BicepRefused, Compiled, Compiler, Diagnostic, Target, find

CACHE = Path(__file__).parents[2] / "build" / "bicep"


class CachedCompiler:
    """A compiler behind its cache; the compiler starts at the first cache miss.

    `misses` counts them.
    """

    def __init__(self, program: Path | None = None, cache: Path = CACHE) -> None:
        """Raises CompilerMissing without a compiler, even if results are cached: they belong to one compiler."""
        self.misses = 0
        self._program = program or find()
        self._cache = cache
        self._compiler: Compiler | None = None

    def __enter__(self) -> "CachedCompiler":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._compiler is not None:
            self._compiler.close()
            self._compiler = None

    @property
    def compiler(self) -> Compiler:
        if self._compiler is None:
            self._compiler = Compiler(self._program)
        return self._compiler

    def compile(self, path: Path) -> Compiled:
        """As Compiler.compile."""
        kept = self._kept(f"compile {path.name}", path, lambda: asdict(self.compiler.compile(path)))
        return Compiled(tuple(Diagnostic(**one) for one in kept["diagnostics"]), kept["json_text"])

    def snapshot(self, path: Path, target: Target = HERE) -> dict[str, Any]:
        """As Compiler.snapshot; errors are cached too. Raises BicepRefused."""

        def ask() -> dict[str, Any]:
            try:
                return {"snapshot": self.compiler.snapshot(path, target)}
            except BicepRefused as refused:
                return {"refused": str(refused)}

        kept = self._kept(f"snapshot {path.name} {target}", path, ask)
        if "refused" in kept:
            raise BicepRefused(kept["refused"])
        made: dict[str, Any] = kept["snapshot"]
        return made

    def _kept(self, question: str, path: Path, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        entry = self._cache / f"{self._digest(question, path)}.json"
        if entry.is_file():
            kept: dict[str, Any] = json.loads(entry.read_text(encoding="utf-8"))
            return kept
        self.misses += 1
        answer = ask()
        entry.parent.mkdir(parents=True, exist_ok=True)
        draft = entry.with_suffix(f".{hashlib.sha256(str(path).encode()).hexdigest()[:8]}")
        draft.write_text(json.dumps(answer), encoding="utf-8")
        draft.replace(entry)
        return answer

    def _digest(self, question: str, path: Path) -> str:
        """Of the request, the compiler, and every file the result could depend on; independent of their folder."""
        bicep = next(parent for parent in path.parents if (parent / "bicepconfig.json").is_file())
        program = f"{self._program} {self._program.stat().st_size}"
        found = hashlib.sha256(f"{question} {path.relative_to(bicep)} {program}".encode())
        for file in sorted(bicep.rglob("*")):
            ours = file.suffix in (".bicep", ".json", ".kql") and not file.name.endswith(".snapshot.json")
            if ours or file == path:
                found.update(str(file.relative_to(bicep)).encode() + b"\0" + file.read_bytes() + b"\0")
        return found.hexdigest()[:32]
