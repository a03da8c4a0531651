"""What is deployed: the app runs from what .funcignore leaves, and nothing that pretends goes along."""

import shutil
import subprocess
import sys
from pathlib import Path

import pathspec
import pytest

from tests.triggers.worker import ROOT

INDEX = """
import sys
import function_app
print(*sorted(f.get_function_name() for f in function_app.app.get_functions()))
strangers = {"sandbox", "bench", "tests", "duckdb", "starlette", "uvicorn", "typer", "pytest"} & sys.modules.keys()
print(*sorted(strangers))
print(function_app.__file__)
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files a deployment would carry."""
    target = tmp_path_factory.mktemp("package")
    patterns = (ROOT / ".funcignore").read_text(encoding="utf-8").splitlines()
    ignored = pathspec.PathSpec.from_lines("gitignore", patterns)

    def left_out(folder: str, names: list[str]) -> set[str]:
        inside = Path(folder).relative_to(ROOT)
        return {
            name
            for name in names
            if ignored.match_file(f"{(inside / name).as_posix()}{'/' if (Path(folder) / name).is_dir() else ''}")
        }

    shutil.copytree(ROOT, target, dirs_exist_ok=True, ignore=left_out)
    return target


def test_only_what_runs_is_deployed(package: Path) -> None:
    """Three files and one folder; with it the tables, whose columns the code reads at run time."""
    assert {path.name for path in package.iterdir()} == {"function_app.py", "host.json", "requirements.txt", "shared"}
    assert (package / "shared" / "tables" / "ClaudeActivity_CL.json").is_file()
    assert list(package.rglob("*.pyc")) == []


def test_the_app_is_indexed_from_the_package_alone(package: Path) -> None:
    """All functions, from these files, without the sandbox and without what only tests or the command line need."""
    child = subprocess.run(
        [sys.executable, "-B", "-c", INDEX], cwd=package, capture_output=True, text=True, check=True, timeout=60
    )
    names, strangers, file = child.stdout.splitlines()
    assert names == "compliance_report health plan poll_activities prove_daily start_backfill work_plan"
    assert strangers == ""
    assert Path(file).parent == package
