"""What a check is given and what it says."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from shared.runs.connection import Connection

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


@dataclass(frozen=True, slots=True)
class Reply:
    """Whatever the API answered to one GET: no retries, no judgement. `body` is None when it is no JSON.

    `date` is the API's clock, `at` ours half-way between question and answer; `limit` and `remaining` are the
    request budget's headers, where given.
    """

    status: int
    body: Any
    at: datetime
    date: datetime | None = None
    request_id: str = ""
    limit: int | None = None
    remaining: int | None = None


class Api(Protocol):
    """The Compliance API with the connection's key."""

    async def get(self, path: str, parameters: Sequence[tuple[str, str]]) -> Reply:
        """One GET; SourceBusy when nothing answers."""
        ...


class Probe(Protocol):
    """A sink that can be asked whether it would take rows."""

    async def probe(self, *, deadline: datetime) -> None:
        """Raises SinkRefused or SinkBusy."""
        ...


@dataclass(frozen=True, slots=True)
class Patient:
    """One connection, and the doors to what the bridge depends on.

    `key` gives the key that is in force; `token` obtains a token for the ingestion audience. Both raise a
    BridgeError that says what is wrong.
    """

    connection: Connection
    api: Api
    sink: Probe
    key: Callable[[], Awaitable[str]]
    token: Callable[[], Awaitable[None]]
