"""How long a fresh process takes to import the function app: what a cold start adds to the platform's own time.

    python -m bench.cold_import [processes]

prints besides which packages the time goes to. The app is copied to a folder without compiled bytecode first: a
deployment carries none of ours and its file system is read-only, so that every cold start compiles our modules; the
packages it depends on are compiled when they are installed.
"""

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.reading import Reading

ROOT = Path(__file__).parents[1]
TIMED = "import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|\s+(\S+)")


@dataclass(frozen=True, slots=True)
class Imports:
    """The `-X importtime` output of one process: each module's own microseconds, in order of completion."""

    own: dict[str, int]

    @property
    def seconds(self) -> float:
        return sum(self.own.values()) / 1e6

    def by_package(self) -> Counter[str]:
        """Microseconds by top-level package; Azure's packages by their first three names."""
        sums: Counter[str] = Counter()
        for module, micros in self.own.items():
            parts = module.split(".")
            sums[".".join(parts[:3] if parts[0] == "azure" else parts[:1])] += micros
        return sums


def ours(count: int) -> Reading:
    """Median seconds of `import function_app` over `count` fresh processes."""
    with app_without_bytecode() as folder:
        seconds = statistics.median(timed("function_app", folder) for _ in range(count))
        imports = profiled("function_app", folder)
    return Reading(
        seconds,
        {
            "compiled_seconds": statistics.median(timed("function_app", ROOT) for _ in range(count)),
            "importtime_seconds": imports.seconds,
            "modules": float(len(imports.own)),
        },
    )


def baseline(count: int) -> Reading:
    """The same of `import azure.functions`, which every function app in Python has to pay."""
    return Reading(statistics.median(timed("azure.functions", ROOT) for _ in range(count)))


@contextmanager
def app_without_bytecode() -> Iterator[Path]:
    """The app's own files as deployed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(ROOT / "function_app.py", folder)
        shutil.copytree(ROOT / "shared", folder / "shared", ignore=shutil.ignore_patterns("__pycache__"))
        yield folder


def timed(module: str, folder: Path) -> float:
    """Seconds of one import in its own process, without interpreter startup."""
    return float(_python(folder, "-c", TIMED.format(module=module)).stdout)


def profiled(module: str, folder: Path) -> Imports:
    """The same import by module; profiling itself costs about a tenth."""
    before = _lines(_python(folder, "-X", "importtime", "-c", "pass").stderr)
    after = _lines(_python(folder, "-X", "importtime", "-c", f"import {module}").stderr)
    return Imports({name: micros for name, micros in after.items() if name not in before})


def _python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-B", *arguments], cwd=folder, capture_output=True, text=True, check=True)


def _lines(output: str) -> dict[str, int]:
    return {name: int(own) for own, _, name in LINE.findall(output)}


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    reading, other = ours(count), baseline(count)
    print(f"import function_app: {reading.value:.3f} s (median of {count}; azure.functions alone {other.value:.3f} s)")
    for name, value in reading.facts.items():
        print(f"  {name}: {value:,.3f}")
    with app_without_bytecode() as folder:
        for package, micros in profiled("function_app", folder).by_package().most_common(15):
            print(f"  {micros / 1000:8.1f} ms  {package}")


if __name__ == "__main__":
    main()
