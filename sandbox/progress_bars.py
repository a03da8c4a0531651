"""Progress on a terminal: a bar per phase; plain lines, few of them, where there is no terminal."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Bars:
    """`tell(phase, done, total, words)` as often as one likes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = console.is_terminal
        self._progress = Progress(
            TextColumn("{task.description:<8}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[words]}"),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._quarters: dict[str, int] = {}

    def tell(self, phase: str, done: int, total: int, words: str) -> None:
        if self._live:
            if phase not in self._tasks:
                self._tasks[phase] = self._progress.add_task(phase, total=total, words=words)
            self._progress.update(self._tasks[phase], completed=done, total=total, words=words)
            return
        quarter = 4 * done // max(total, 1)
        if self._quarters.get(phase) != quarter:
            self._quarters[phase] = quarter
            self._console.print(f"{phase:<8} {done}/{total}  {words}", highlight=False)

    def stop(self) -> None:
        """End the bars, so that what is printed next stands below them."""
        if self._live:
            self._progress.stop()

    def __enter__(self) -> Self:
        if self._live:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
