"""The house keeps its shape: who may import whom, who reads the environment, who knows the host."""

import ast
import configparser
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT / ".importlinter"
SHARED = sorted((ROOT / "shared").rglob("*.py"))


def contracts() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(CONTRACTS, encoding="utf-8")
    return parser


def test_every_import_contract_is_kept() -> None:
    """import-linter finds no import against the layers, none of an SDK in the journey, none out of the library."""
    # In a process of its own: it configures logging for itself, and would switch off every logger of ours.
    command = [str(Path(sys.executable).parent / "lint-imports"), "--config", str(CONTRACTS), "--no-cache"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout
    kept = len([name for name in contracts().sections() if ":contract:" in name])
    assert f"{kept} kept, 0 broken" in said.stdout


def test_every_module_has_its_place_in_the_layers() -> None:
    """A module that no layer names would be free to import whatever it likes."""
    named = contracts()["importlinter:contract:layers"]["layers"].replace("|", " ").split()
    layers = {name.strip("()") for name in named}
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in SHARED}
    packages = {"shared", "shared.progress"}  # only hold others
    homeless = {
        module
        for module in modules - packages
        if not any(module == layer or module.startswith(f"{layer}.") for layer in layers)
    }
    assert homeless == set(), f"name them in {CONTRACTS.name}: {sorted(homeless)}"


def attributes(path: Path) -> Iterator[str]:
    """Dotted names used in a module, `os.environ` and the like, with what `from os import environ` would hide."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def users(*names: str) -> set[str]:
    """Modules of shared/ that use one of these names or something below it."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in SHARED
        if any(used == name or used.startswith(f"{name}.") for used in attributes(path) for name in names)
    }


def test_only_settings_reads_the_environment() -> None:
    """Every other part is given what it needs."""
    assert users("os.environ", "os.getenv", "os.environb", "os.putenv", "os.unsetenv") == {"shared/settings.py"}


def test_only_the_clock_reads_the_wall_clock_or_sleeps() -> None:
    """So that every run can be simulated."""
    reads = ("datetime.now", "datetime.utcnow", "date.today", "time.time", "time.sleep", "asyncio.sleep")
    assert users(*reads) == {"shared/clock.py"}


def test_only_the_triggers_know_the_functions_host() -> None:
    """The same code runs by hand, in tests and in the sandbox."""
    assert {user for user in users("azure.functions") if not user.startswith("shared/triggers/")} == set()


def test_only_wiring_takes_an_identity() -> None:
    """Credentials are made in one place and handed on."""
    assert users("azure.identity", "azure.identity.aio") == {"shared/wiring.py"}


def imports(path: Path) -> set[str]:
    """Dotted modules that a file imports; of `from a import b` both `a` and `a.b`, since b may be a module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


TESTS = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): imports(path)
    for path in sorted((ROOT / "tests").rglob("*.py"))
}


def reached(module: str) -> set[str]:
    """What a module below tests/ imports, itself or through other modules below tests/."""
    found: set[str] = set()
    todo = [module]
    while todo:
        for name in TESTS.get(todo.pop(), set()) - found:
            found.add(name)
            todo.append(name)
    return found


def test_unit_tests_do_not_import_the_sandbox() -> None:
    """A unit test gives a function its input; what needs a served world is a journey."""
    using = {
        module
        for module in TESTS
        if module.startswith("tests.unit.") and any(name.partition(".")[0] == "sandbox" for name in reached(module))
    }
    assert using == set()


def test_no_test_module_imports_another() -> None:
    """What several modules share has a module of its own: tests/fakes.py, tests/worlds.py."""
    shared_tests = {
        f"{module} imports {name}"
        for module, names in TESTS.items()
        for name in names & TESTS.keys()
        if name.rsplit(".", 1)[-1].startswith("test_")
    }
    assert shared_tests == set()
