"""What a check is given and what it says."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from shared.runs.connection import Connection
from shared.source.client import Reply

Verdict = Literal["pass", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was found, and what to do about it where that is not in order."""

    name: str
    verdict: Verdict
    what: str
    remedy: str = ""


def passed(name: str, what: str) -> Check:
    return Check(name, "pass", what)


def warned(name: str, what: str, remedy: str) -> Check:
    return Check(name, "warn", what, remedy)


def failed(name: str, what: str, remedy: str) -> Check:
    return Check(name, "fail", what, remedy)


class Api(Protocol):
    """The Compliance API with the connection's key."""

    async def key(self) -> str:
        """The key in force; raises a BridgeError that says what is wrong with it."""
        ...

    async def reply(self, path: str, parameters: Sequence[tuple[str, str]] = ()) -> Reply:
        """One GET; SourceBusy when nothing answers."""
        ...


class Probe(Protocol):
    """A sink that can be asked whether it would take rows."""

    async def probe(self, *, deadline: datetime) -> None:
        """Raises SinkRefused or SinkBusy."""
        ...


@dataclass(frozen=True, slots=True)
class Subject:
    """One connection and what it depends on; `token` obtains a token for the ingestion audience."""

    connection: Connection
    api: Api
    sink: Probe
    token: Callable[[], Awaitable[None]]
