"""Progress: a bar per phase on a terminal, otherwise a plain line per quarter."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Bars:
    """Call `update(phase, done, total, text)` as often as needed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = console.is_terminal
        self._progress = Progress(
            TextColumn("{task.description:<8}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[text]}"),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._quarters: dict[str, int] = {}

    def update(self, phase: str, done: int, total: int, text: str) -> None:
        if self._live:
            if phase not in self._tasks:
                self._tasks[phase] = self._progress.add_task(phase, total=total, text=text)
            self._progress.update(self._tasks[phase], completed=done, total=total, text=text)
            return
        quarter = 4 * done // max(total, 1)
        if self._quarters.get(phase) != quarter:
            self._quarters[phase] = quarter
            self._console.print(f"{phase:<8} {done}/{total}  {text}", highlight=False)

    def stop(self) -> None:
        """Stop the bars, so that later output appears below them."""
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
