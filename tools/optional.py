"""Tools that tests and builds use besides Python packages: where each is installed, and how to get a missing one.

`python -m tools doctor` prints the list; tests use it for their skip reasons.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tools.infra import compiler

ROOT = Path(__file__).parents[1]
NODE_MAJOR = 20
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True)
class OptionalTool:
    """`find` returns the installed path or version, or None; `required` is false if no test needs it."""

    name: str
    used_for: str
    how_to_get: str
    find: Callable[[], str | None]
    required: bool = True


def node() -> str | None:
    """Path of Node.js, if the version is new enough."""
    found = shutil.which("node")
    if found is None:
        return None
    output = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    major = output.strip().removeprefix("v").partition(".")[0]
    return found if major.isdigit() and int(major) >= NODE_MAJOR else None


def browser() -> str | None:
    """Path of a Chromium browser."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def bicep() -> str | None:
    """Path of the Bicep compiler."""
    try:
        return str(compiler.find())
    except compiler.CompilerMissing:
        return None


def _npm_package(name: str) -> Callable[[], str | None]:
    folder = ROOT / "node_modules" / name
    return lambda: str(folder) if (folder / "package.json").is_file() else None


def _worker() -> str | None:
    try:
        return version("azure-functions-runtime")
    except PackageNotFoundError:
        return None


def _python(name: str) -> Callable[[], str | None]:
    running = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return lambda: sys.executable if name == running else shutil.which(name)


OPTIONAL = (
    OptionalTool(
        "node", "KQL checks, storage emulator, browser tests", f"install Node.js {NODE_MAJOR} or newer, and npm", node
    ),
    OptionalTool(
        "@kusto/language-service-next",
        "checking names and types in every query",
        "run make tools",
        _npm_package("@kusto/language-service-next"),
    ),
    OptionalTool("azurite", "tests against Blob storage", "run make tools", _npm_package("azurite")),
    OptionalTool(
        "playwright-core", "browser tests of the sandbox page", "run make tools", _npm_package("playwright-core")
    ),
    OptionalTool("echarts", "comparing the vendored chart library", "run make tools", _npm_package("echarts")),
    OptionalTool("chromium", "browser tests and the printed report", "apt-get install chromium", browser),
    OptionalTool(
        "openssl",
        "verifying a report's seal without Python",
        "apt-get install openssl",
        lambda: shutil.which("openssl"),
    ),
    OptionalTool("bicep", "compiling the templates", compiler.HOW_TO_GET_IT.partition(": ")[2], bicep),
    OptionalTool("azure-functions-runtime", "tests with the Functions worker's indexing", "run make tools", _worker),
    *(
        OptionalTool(name, "a version the app can be deployed with", "any Python distribution", _python(name), False)
        for name in ("python3.11", "python3.12", "python3.13")
    ),
)


def missing(*names: str) -> str:
    """Which of these are missing and how to get each, in one sentence; empty if none is missing."""
    known = {tool.name: tool for tool in OPTIONAL}
    return "; ".join(f"{name} is missing: {known[name].how_to_get}" for name in names if known[name].find() is None)


def table() -> Iterator[tuple[OptionalTool, str | None]]:
    """Each tool, with its path or version."""
    for tool in OPTIONAL:
        yield tool, tool.find()
