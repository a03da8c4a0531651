"""Microsoft's Bicep compiler, started once and called over JSON-RPC: a call takes a tenth of the time of a start.

It is found by $BICEP, then on PATH; `az bicep install` puts it into ~/.azure/bin. Nothing here connects to Azure: a
snapshot is what a deployment *would* create, computed from template and parameters only.
"""

import json
import os
import shutil
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

HOW_TO_GET_IT = "no Bicep compiler: run `az bicep install` and put ~/.azure/bin on PATH, or set BICEP to the program"

ANSWER_SECONDS = 120


class CompilerMissing(Exception):
    """The compiler is not installed; the message contains how to get it."""


class BicepRefused(Exception):
    """The compiler returned an error; the message is the compiler's."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One diagnostic of compiler or linter; `level` is Error, Warning or Info, `line` counts from 1."""

    file: str
    line: int
    level: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}({self.line}): {self.level} {self.code}: {self.message}"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled template or parameter file: diagnostics, including those of modules, and JSON (empty on error)."""

    diagnostics: tuple[Diagnostic, ...]
    json_text: str


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a deployment; a snapshot's names and ids depend on it."""

    subscription: str = "11111111-1111-1111-1111-111111111111"
    resource_group: str = "rg-claude"
    region: str = "westeurope"
    tenant: str = "22222222-2222-2222-2222-222222222222"


HERE = Target()
"""The target of the golden files."""


def find() -> Path:
    """The compiler's path. Raises CompilerMissing."""
    named = os.environ.get("BICEP", "")  # noqa: TID251  developer tools have no settings
    found = shutil.which(named) if named else shutil.which("bicep")
    if found is None:
        raise CompilerMissing(HOW_TO_GET_IT + (f" (BICEP is {named!r}, which is not a program)" if named else ""))
    return Path(found).resolve()


class Compiler:
    """A running compiler process; a context manager that ends it."""

    def __init__(self, program: Path) -> None:
        self._asked = 0
        self._process = subprocess.Popen(
            [str(program), "jsonrpc", "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> "Compiler":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the compiler's input, which ends it; kill it after 10 seconds otherwise."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        stdout.close()

    def version(self) -> str:
        return str(self._ask("bicep/version", {})["version"])

    def compile(self, path: Path) -> Compiled:
        """Build and lint a `.bicep` or `.bicepparam` file, including its modules."""
        parameters = path.suffix == ".bicepparam"
        answer = self._ask("bicep/compileParams" if parameters else "bicep/compile", _compile_request(path, parameters))
        text = answer.get("parameters") if parameters else answer.get("contents")
        return Compiled(tuple(_diagnostic(one) for one in answer["diagnostics"]), text or "")

    def snapshot(self, path: Path, target: Target = HERE) -> dict[str, Any]:
        """What the deployment of a parameter file would create. Raises BicepRefused if it is not valid."""
        metadata = {
            "tenantId": target.tenant,
            "subscriptionId": target.subscription,
            "resourceGroup": target.resource_group,
            "location": target.region,
            "deploymentName": "claude-bridge",
        }
        answer = self._ask("bicep/getSnapshot", {"path": str(path), "metadata": metadata, "externalInputs": None})
        made: dict[str, Any] = json.loads(answer["snapshot"])
        return made

    def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        self._asked += 1
        body = json.dumps({"jsonrpc": "2.0", "id": self._asked, "method": method, "params": params}).encode()
        stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        stdin.flush()
        watchdog = threading.Timer(ANSWER_SECONDS, self._process.kill)
        watchdog.start()
        try:
            length = 0
            while header := stdout.readline().strip():
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            text = stdout.read(length)
        finally:
            watchdog.cancel()
        if not text:
            raise BicepRefused(f"the compiler exited or did not respond within {ANSWER_SECONDS} s")
        answer = json.loads(text)
        if "error" in answer:
            raise BicepRefused(str(answer["error"].get("message", answer["error"])))
        result: dict[str, Any] = answer["result"]
        return result


def _compile_request(path: Path, parameters: bool) -> dict[str, Any]:
    request: dict[str, Any] = {"path": str(path)}
    if parameters:
        request["parameterOverrides"] = {}
    return request


def _diagnostic(raw: dict[str, Any]) -> Diagnostic:
    return Diagnostic(
        file=Path(raw["source"]).name,
        line=raw["range"]["start"]["line"] + 1,
        level=raw["level"],
        code=raw["code"],
        message=raw["message"],
    )
