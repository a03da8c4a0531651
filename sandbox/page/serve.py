"""Open the workspace, load the workbook, and serve the page on 127.0.0.1."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.compliance.server import Served
from sandbox.page.app import PageContext, page_app
from sandbox.page.guard import Guard
from sandbox.page.reader import Reader
from sentinel.tools.load import content
from sentinel.tools.workbook import model
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Opened:
    """`address` includes the key; the browser then stores it as a cookie, so that links do not need it."""

    address: str
    context: PageContext


@contextmanager
def open_page(workspace: Path, clock: Clock, *, port: int = 0) -> Iterator[Opened]:
    """Serve the workbooks over `workspace`, read-only, until the block ends; `port` 0 picks a free one.

    OSError if the file cannot be opened, ContentError if the workbook's source is invalid.
    """
    book = model.read()
    reader = Reader.open_file(workspace, clock, content.own_tables(), content.neighbor_tables())
    context = PageContext(reader, book, workspace.name)
    try:
        key = secrets.token_urlsafe(24)
        with Served(Guard(page_app(context), key=key), port=port) as served:
            yield Opened(f"{served.url}/?key={key}", context)
    finally:
        context.close()
