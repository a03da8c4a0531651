"""The live walk of one connection: from the watermark to a minute ago, once per tick."""

from contextlib import suppress
from datetime import timedelta

from shared.connection import Connection, Reading
from shared.errors import CheckpointMoved, SourceIncoherent, StateMissing
from shared.health import Run
from shared.models import Place
from shared.plan_keeper import PlanKeeper
from shared.progress import checkpoint as checkpoints
from shared.progress import plan as plans
from shared.progress.checkpoint import Checkpoint
from shared.progress.state import Etag, Lease
from shared.pull import walk
from shared.telemetry import event, logger

log = logger(__name__)


async def poll(connection: Connection) -> Run:
    """Carry what is new. Returns the run; its state says how it ended, and no error of the bridge escapes."""
    async with connection.run("live") as run, connection.store.lease(f"lease/{connection.folder}/live") as lease:
        keeper = await Keeper.load(connection, lease)
        try:
            await keeper.keep(checkpoints.opened(keeper.checkpoint, run.started_at, connection.pace))
            if keeper.checkpoint.open is None:
                run.state = "idle"
            else:
                await _read(connection, keeper, run)
        finally:
            # Also of a run that failed: how far behind it is is what an operator wants to know.
            run.watermark, run.gaps = keeper.checkpoint.watermark, keeper.checkpoint.gaps
    return run


async def _read(connection: Connection, keeper: "Keeper", run: Run) -> None:
    """Read the open window, and what follows it where it was halved, until time is up."""
    reading = await connection.feed.reading()
    try:
        while keeper.checkpoint.open is not None and run.state == "ok":
            await _walk(connection, keeper, run, reading, keeper.checkpoint.open.place())
    except SourceIncoherent:
        await _count_failure(connection, keeper)
        raise
    finally:
        run.requests, run.request_ids = reading.receipts.requests, reading.receipts.request_ids


async def _walk(connection: Connection, keeper: "Keeper", run: Run, reading: Reading, place: Place) -> None:
    deadline = run.started_at + connection.limits.live
    run.window = place.window

    async def save(place: Place) -> None:
        await keeper.keep(checkpoints.moved(keeper.checkpoint, place))

    walked = await walk(
        place,
        source=reading,
        carrier=connection.carrier(run, "live", deadline=deadline),
        save=save,
        clock=connection.clock,
        deadline=deadline,
        settle=connection.pace.settle,
    )
    if walked.closed:
        await keeper.keep(checkpoints.closed(keeper.checkpoint, walked.place))
    else:
        run.state = "partial"


async def _count_failure(connection: Connection, keeper: "Keeper") -> None:
    """The window itself cannot be read: count it, halve it in time, and at one second leave it to the plan."""
    following, gap = checkpoints.failed(keeper.checkpoint)
    if gap is not None:
        # The plan first: a crash between the two plans the gap twice, and never forgets it.
        limit = connection.pace.page_limit
        await PlanKeeper(connection).update(lambda plan: plans.added(plan, "repair", gap, limit=limit))
        event(log, "gap.opened", connection=connection.name, gte=gap.gte.isoformat(), lt=gap.lt.isoformat())
    await keeper.keep(following)


FIRST_ROWS_TAKE = timedelta(minutes=20)


async def send_canary(connection: Connection) -> bool | None:
    """Send one health row and wait until a query finds it: an accepted upload is not yet a stored row.

    False when it did not arrive in twenty minutes; None when no workspace is set up for asking. Raises what kept the
    row from being accepted.
    """
    async with connection.run("canary") as run:
        pass
    if run.untold is not None:
        raise run.untold
    if connection.workspace is None:
        return None
    return await connection.workspace.wait_for_run(run.id, until=run.started_at + FIRST_ROWS_TAKE)


class Keeper:
    """The checkpoint in hand, and the tag that the next save must still find."""

    def __init__(self, connection: Connection, lease: Lease, checkpoint: Checkpoint, etag: Etag) -> None:
        self._connection = connection
        self._lease = lease
        self._etag = etag
        self.checkpoint = checkpoint

    @staticmethod
    async def load(connection: Connection, lease: Lease) -> "Keeper":
        saved = await connection.store.read(connection.checkpoint_name)
        if saved is None:
            raise StateMissing(
                f"connection {connection.name} has no checkpoint for this destination: start it with `cli init`, "
                "or restore the state if it was running before"
            )
        return Keeper(connection, lease, checkpoints.parse(saved.data), saved.etag)

    async def keep(self, checkpoint: Checkpoint) -> None:
        """Save, unless nothing changed; CheckpointMoved or LeaseLost when another run was faster."""
        if checkpoint == self.checkpoint:
            return
        self._lease.check()
        data = checkpoints.dump(checkpoint)
        self._etag = await self._connection.store.replace(self._connection.checkpoint_name, data, self._etag)
        self.checkpoint = checkpoint


async def init(connection: Connection, *, force: bool = False) -> bool:
    """Begin a connection: its live walk starts now, its plan is empty. False when it had begun before.

    `force` begins anew over state that cannot be read; the ledger stays, so that nothing is sent twice.
    """
    now = connection.clock.now()
    plan, checkpoint = plans.dump(plans.begin(now)), checkpoints.dump(checkpoints.begin(now))
    if force:
        await connection.store.delete(connection.plan_name)
        await connection.store.delete(connection.checkpoint_name)
    # The plan first: a connection counts as begun when it has a checkpoint, and then it has a plan.
    with suppress(CheckpointMoved):
        await connection.store.create(connection.plan_name, plan)
    try:
        await connection.store.create(connection.checkpoint_name, checkpoint)
    except CheckpointMoved:
        return False
    event(log, "connection.begun", connection=connection.name, watermark=now.isoformat())
    return True
