"""The proof that the whole chain works today: one marked read of our own must come back as a row."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.errors import SourceRefused
from shared.models import Hour, Page, Position, Window, prefix_of
from shared.runs import live
from shared.runs.connection import Connection, Reading
from shared.runs.paging import read_window
from shared.runs.run import Run, RunKind, RunState
from shared.streams.activity.rows import event_hour, identity
from shared.tables import ACTIVITY
from shared.workspace.query import quoted

LONGEST = timedelta(minutes=15)
PAUSE_SECONDS = 15.0
MARGIN = timedelta(minutes=2)
OWN_READ = "compliance_api_accessed"


@dataclass(frozen=True, slots=True)
class Step:
    """What was reached, `after` the marked read."""

    what: str
    after: timedelta


@dataclass(slots=True)
class SelfTest:
    """`arrived` when the row was found; otherwise `remedy` says where the chain is broken and what to do."""

    request_id: str = ""
    steps: list[Step] = field(default_factory=list)
    arrived: bool = False
    remedy: str = ""


@dataclass(slots=True)
class _Own:
    """The activity of the marked read, once the feed shows it."""

    request_id: str
    hour: Hour | None = None
    prefix: bytes = b""

    async def handle(self, page: Page) -> None:
        """Look for it in a page of the feed."""
        for item in page.items:
            if isinstance(item, dict) and item.get("request_id") == self.request_id:
                self.hour, self.prefix = event_hour(item), prefix_of(identity(item))


async def selftest(
    connection: Connection, marked: Reading, tell: Callable[[Step], None] = lambda _: None
) -> tuple[Run, SelfTest]:
    """Read one activity through `marked`, then poll as the timer does until that read's own row has arrived.

    Arrived means: found in the workspace; without one, accepted by the ingestion endpoint and in the ledger. `tell`
    hears each step. Ends after 15 minutes, or at once when a live run fails in a way that waiting does not fix.
    """
    done = SelfTest()
    async with connection.run(RunKind.SELFTEST) as run:
        reading = await connection.feed.reading()
        try:
            await _SelfTest(connection, marked, reading, run.started_at, done, tell).carry_out()
            run.state = RunState.OK if done.arrived else RunState.SELFTEST_FAILED
        finally:
            receipts = (marked.receipts, reading.receipts)
            run.requests = sum(each.requests for each in receipts)
            run.request_ids = [id for each in receipts for id in each.request_ids]
    return run, done


@dataclass(slots=True)
class _SelfTest:
    connection: Connection
    marked: Reading
    reading: Reading
    started_at: datetime
    done: SelfTest
    tell: Callable[[Step], None]

    async def carry_out(self) -> None:
        until = self.started_at + LONGEST
        window = Window(self.started_at - MARGIN, self.started_at)
        page = await self.marked.page(Position(window, order="default", limit=1), deadline=until)
        if not page.request_id:
            raise SourceRefused("the Compliance API's answer names no request id: nothing to look for")
        self.done.request_id = page.request_id
        own = _Own(page.request_id)
        self._reached(f"one activity was read, request {page.request_id}")
        while not await self._further(own):
            if self.connection.clock.now() + timedelta(seconds=PAUSE_SECONDS) >= until:
                self.done.remedy = self._remedy(own)
                return
            await self.connection.clock.sleep(PAUSE_SECONDS)

    async def _further(self, own: _Own) -> bool:
        """One look, one live run, one look again; True when there is nothing more to wait for."""
        if own.hour is None:
            await self._look(own)
        polled = await live.poll(self.connection)
        if polled.state.permanent:
            self.done.remedy = f"the live run ended as {polled.state}: {polled.error}"
            return True
        if own.hour is None:
            return False
        known = await self.connection.ledger.hour(own.hour)
        if own.prefix in known.counted.prefixes:
            self._reached("it was counted: MINIMIZE lets no row of this category leave")
            self.done.arrived = True
        elif own.prefix in known.dead.prefixes - known.sent.prefixes:
            self.done.remedy = "its row is a dead letter: `status` shows the reason, `replay` sends it again"
            return True
        elif own.prefix in known.sent.prefixes:
            self._reached("the ingestion endpoint accepted its row")
            self.done.arrived = await self._stored()
        return self.done.arrived

    async def _look(self, own: _Own) -> None:
        now = self.connection.clock.now()

        async def save(_: Position) -> None:
            """A look that is interrupted is repeated."""

        await read_window(
            Position(Window(self.started_at - MARGIN, now + MARGIN), limit=1000, activity_types=(OWN_READ,)),
            source=self.reading,
            handler=own,
            save=save,
            clock=self.connection.clock,
            deadline=now + LONGEST,
            settle=self.connection.pace.settle,
        )
        if own.hour is not None:
            self._reached("the feed shows that read as an activity")

    async def _stored(self) -> bool:
        workspace = self.connection.workspace
        if workspace is None:
            self._reached("no workspace is configured: whether the row was stored was not asked")
            return True
        found = await workspace.rows(
            f"{ACTIVITY} | where ConnectionName == {quoted(self.connection.name)} "
            f"and RequestId == {quoted(self.done.request_id)} | count"
        )
        if not found or int(found[0][0]) == 0:
            return False
        self._reached("the workspace shows the row")
        return True

    def _remedy(self, own: _Own) -> str:
        what = [step.what for step in self.done.steps]
        if own.hour is None:
            return "the feed does not show our own read: is the Compliance API still recording? `doctor` asks it"
        if not any(step.startswith("the ingestion endpoint") for step in what):
            return "the feed shows the read and no live run delivered it: `status` shows the lag, run `doctor`"
        return (
            "the row was accepted and is not stored: compare the DCR's stream and the table with this release "
            "(`doctor`), then `prove --repair`"
        )

    def _reached(self, what: str) -> None:
        if any(step.what == what for step in self.done.steps):
            return
        step = Step(what, self.connection.clock.now() - self.started_at)
        self.done.steps.append(step)
        self.tell(step)
