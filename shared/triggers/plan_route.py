"""Bodies of requests about the plan, parsed into commands."""

from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from shared.errors import InvalidCommand
from shared.rows.times import moment
from shared.runs.plan_commands import OLDEST, Action, AddedKind, Command

T = TypeVar("T")

LONGEST_DAYS = OLDEST.days
BODY_LIMIT_BYTES = 10_000


class Backfill(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """`{"days": 90}` or `{"from": "2026-09-01", "to": "2026-10-01"}`; without `connection` for all of them."""

    connection: str | None = None
    days: int | None = None
    start: str | None = None
    to: str | None = None

    def command(self, now: datetime) -> Command:
        """Raises InvalidCommand."""
        if self.days is None:
            return Command("add", kind="history", start=_moment(self.start), end=_moment(self.to))
        if self.start is not None or self.to is not None:
            raise InvalidCommand("give either days, or from and to")
        if not 1 <= self.days <= LONGEST_DAYS:
            raise InvalidCommand(f"days must be between 1 and {LONGEST_DAYS}")
        return Command("add", kind="history", start=now - timedelta(days=self.days), end=now)


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """One change of the plan. `window` names one by its id; without it pause and resume mean the whole plan."""

    action: Action
    connection: str | None = None
    window: int | None = None
    kind: AddedKind = "repair"
    start: str | None = None
    to: str | None = None

    def command(self, now: datetime) -> Command:
        """Raises InvalidCommand."""
        return Command(self.action, self.window, self.kind, _moment(self.start), _moment(self.to))


def parsed(body: bytes, kind: type[T]) -> T:
    """The body of a request. Raises InvalidCommand."""
    if len(body) > BODY_LIMIT_BYTES:
        raise InvalidCommand(f"the body is longer than {BODY_LIMIT_BYTES} bytes")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as wrong:
        raise InvalidCommand(f"the body is not what is expected: {wrong}") from None


def _moment(text: str | None) -> datetime | None:
    return None if text is None else moment(text)
