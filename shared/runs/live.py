"""Live reading of one connection: from the watermark to a minute ago, once per tick."""

from contextlib import suppress
from datetime import timedelta

from shared.errors import CheckpointMoved, SourceIncoherent
from shared.logs import event, logger
from shared.models import Position
from shared.runs.connection import Connection, Reading
from shared.runs.paging import read_window
from shared.runs.run import Run, RunKind, RunState
from shared.state import checkpoint as checkpoints
from shared.state import plan as plans
from shared.state.checkpoint import OpenCheckpoint

log = logger(__name__)


async def poll(connection: Connection) -> Run:
    """Carry what is new. Returns the run; its state says how it ended, and no error of the bridge escapes."""
    async with connection.run(RunKind.LIVE) as run, connection.store.lease(f"lease/{connection.prefix}/live") as lease:
        held = await connection.checkpoint_store.held(lease)
        try:
            await held.save(checkpoints.opened(held.checkpoint, run.started_at, connection.pace))
            if held.checkpoint.open is None:
                run.state = RunState.IDLE
            else:
                await _read(connection, held, run)
        finally:
            # Also of a run that failed: how far behind it is is what an operator wants to know.
            run.watermark, run.gaps = held.checkpoint.watermark, held.checkpoint.gaps
    return run


async def _read(connection: Connection, held: OpenCheckpoint, run: Run) -> None:
    """Read the open window, and what follows it where it was halved, until time is up."""
    reading = await connection.feed.reading()
    try:
        while held.checkpoint.open is not None and run.state is RunState.OK:
            await _walk(connection, held, run, reading, held.checkpoint.open.position())
    except SourceIncoherent:
        await _count_failure(connection, held)
        raise
    finally:
        run.note(reading.receipts)


async def _walk(connection: Connection, held: OpenCheckpoint, run: Run, reading: Reading, position: Position) -> None:
    deadline = run.started_at + connection.limits.live
    run.window = position.window

    async def save(position: Position) -> None:
        await held.save(checkpoints.moved(held.checkpoint, position))

    result = await read_window(
        position,
        source=reading,
        handler=connection.pipeline(run, deadline=deadline),
        save=save,
        clock=connection.clock,
        deadline=deadline,
        settle=connection.pace.settle,
    )
    if result.closed:
        await held.save(checkpoints.closed(held.checkpoint, result.position))
    else:
        run.state = RunState.PARTIAL


async def _count_failure(connection: Connection, held: OpenCheckpoint) -> None:
    """The window itself cannot be read: count it, halve it in time, and at one second leave it to the plan."""
    following, gap = checkpoints.failed(held.checkpoint)
    if gap is not None:
        # The plan first: a crash between the two plans the gap twice, and never forgets it.
        limit = connection.pace.page_limit
        await connection.plan_store.update(lambda plan: plans.added(plan, "repair", gap, limit=limit))
        event(log, "gap.opened", connection=connection.name, gte=gap.gte.isoformat(), lt=gap.lt.isoformat())
    await held.save(following)


FIRST_ROWS_TAKE = timedelta(minutes=20)


async def send_canary(connection: Connection) -> bool | None:
    """Send one health row and wait until a query finds it: an accepted upload is not yet a stored row.

    False when it did not arrive in twenty minutes; None when no workspace is set up for asking. Raises what kept the
    row from being accepted.
    """
    async with connection.run(RunKind.CANARY) as run:
        pass
    if run.health_error is not None:
        raise run.health_error
    if connection.workspace is None:
        return None
    return await connection.workspace.wait_for_run(run.id, until=run.started_at + FIRST_ROWS_TAKE)


async def init(connection: Connection, *, force: bool = False) -> bool:
    """Initialize a connection: live reading starts now, its plan is empty. False when it was initialized before.

    `force` starts over on state that cannot be read; the ledger stays, so that nothing is sent twice.
    """
    now = connection.clock.now()
    plan_store, checkpoint_store = connection.plan_store, connection.checkpoint_store
    if force:
        await plan_store.delete()
        await checkpoint_store.delete()
    # The plan first: a connection counts as begun when it has a checkpoint, and then it has a plan.
    with suppress(CheckpointMoved):
        await plan_store.create(plans.begin(now))
    try:
        await checkpoint_store.create(checkpoints.begin(now))
    except CheckpointMoved:
        return False
    event(log, "connection.begun", connection=connection.name, watermark=now.isoformat())
    return True
