"""Opens a local workspace file by path, for the commands."""

from pathlib import Path

import duckdb

from kql.parsers import NO_WATCHLISTS
from kql.store import LocalWorkspace
from shared import tables
from shared.clock import Clock


def open_file(path: Path, clock: Clock) -> LocalWorkspace:
    """The workspace with every table of this release. Raises OSError if it is in use or not a workspace."""
    every = [tables.load(name) for name in tables.table_names()]
    try:
        return LocalWorkspace.create(path, clock, every, given=(NO_WATCHLISTS,))
    except duckdb.Error as refused:
        raise OSError(
            "another process is using it" if "lock" in str(refused).lower() else "it is not a workspace file"
        ) from refused
