"""The page opened: the workspace held, the workbook read, and served on 127.0.0.1 until the block ends."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.compliance.server import Served
from sandbox.page.app import Desk, page_app
from sandbox.page.guard import Guard
from sandbox.page.reader import Reader
from sentinel.tools.load import content
from sentinel.tools.workbook import model
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Opened:
    """`address` carries the key once; afterwards the browser holds it as a cookie, and links need none."""

    address: str
    desk: Desk


@contextmanager
def open_page(workspace: Path, clock: Clock, *, port: int = 0) -> Iterator[Opened]:
    """Serve the workbooks over `workspace`, which is only read; `port` 0 takes a free one.

    OSError when the file cannot be held, ContentError when the workbook's source does not fit.
    """
    book = model.read()
    reader = Reader.hold(workspace, clock, content.own_tables(), content.neighbour_tables())
    desk = Desk(reader, book, workspace.name)
    try:
        key = secrets.token_urlsafe(24)
        with Served(Guard(page_app(desk), key=key), port=port) as served:
            yield Opened(f"{served.url}/?key={key}", desk)
    finally:
        desk.close()
