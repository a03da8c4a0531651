"""Parent side of `worker.py`: starts a bridge process and kills it with SIGKILL."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tests.chaos.worker import ProcessConfig

ROOT = Path(__file__).parents[2]


class BridgeProcess:
    """One bridge process at a time; their warnings and errors are in the file `log`."""

    def __init__(self, log: Path) -> None:
        self._path = log
        self._pid: int | None = None

    def __enter__(self) -> Self:
        self._log = self._path.open("wb")
        command = [sys.executable, "-m", "tests.chaos.worker"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._input: IO[str] = self._process.stdin
        self._output: IO[str] = self._process.stdout
        self._expect("ready")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
        self._input.close()
        self._output.close()
        self._process.wait()
        self._log.close()

    @property
    def log(self) -> str:
        return self._path.read_text(encoding="utf-8", errors="replace")

    def start(self, config: ProcessConfig) -> None:
        """Start a process; returns when its bridge is built and running."""
        self._input.write(json.dumps(asdict(config)) + "\n")
        self._input.flush()
        self._pid = int(self._expect("working"))

    def kill(self) -> None:
        """Kill the process."""
        assert self._pid is not None
        os.kill(self._pid, signal.SIGKILL)
        self._pid = None
        assert self._expect("ended") == str(-signal.SIGKILL), self.log[-2000:]

    def _expect(self, word: str) -> str:
        line = self._output.readline()
        said, _, rest = line.strip().partition(" ")
        if said != word:
            self._pid = None
            raise AssertionError(f"instead of {word!r} the process said {line!r}: {self.log[-2000:]}")
        return rest
