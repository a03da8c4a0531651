"""Questions in KQL to the workspace behind a connection, where one is set up."""

from typing import Any, Protocol, runtime_checkable

from shared.connection import Connection


@runtime_checkable
class Asks(Protocol):
    """A workspace that answers queries."""

    async def rows(self, kql: str) -> list[list[Any]]:
        """The rows of the answer's first table; raises SinkRefused or SinkBusy."""
        ...


def workspace_of(connection: Connection) -> Asks | None:
    """The connection's workspace; None when WORKSPACE_ID is not set."""
    return connection.workspace if isinstance(connection.workspace, Asks) else None


def quoted(text: str) -> str:
    """A KQL string literal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
