"""The parent's side of `worker.py`: gives the bridge a life, and takes it by SIGKILL."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tests.chaos.worker import Life

ROOT = Path(__file__).parents[2]


class Nursery:
    """One life at a time; what the lives log (warnings and worse) is in the file `log`."""

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
        self._orders: IO[str] = self._process.stdin
        self._words: IO[str] = self._process.stdout
        self._hear("ready")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
        self._orders.close()
        self._words.close()
        self._process.wait()
        self._log.close()

    @property
    def log(self) -> str:
        return self._path.read_text(encoding="utf-8", errors="replace")

    def give(self, life: Life) -> None:
        """Begin a life; returns when its bridge is built and at work."""
        self._orders.write(json.dumps(asdict(life)) + "\n")
        self._orders.flush()
        self._pid = int(self._hear("working"))

    def take(self) -> None:
        """Kill it, at whatever it does."""
        assert self._pid is not None
        os.kill(self._pid, signal.SIGKILL)
        self._pid = None
        assert self._hear("ended") == str(-signal.SIGKILL), self.log[-2000:]

    def _hear(self, word: str) -> str:
        line = self._words.readline()
        said, _, rest = line.strip().partition(" ")
        if said != word:
            self._pid = None
            raise AssertionError(f"instead of {word!r} the process said {line!r}: {self.log[-2000:]}")
        return rest
