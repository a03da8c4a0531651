"""Live reading's bookkeeping, as pure functions."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import StateUnreadable
from shared.models import Cursor, Position, Window
from shared.state import checkpoint as checkpoints
from shared.state.checkpoint import Checkpoint, OpenWindow
from tests.fakes import NOON, pace

PACE = pace()
MINUTE = timedelta(minutes=1)


def test_nothing_is_opened_before_the_settling_time() -> None:
    """Right after the start there is nothing old enough to be complete."""
    start = checkpoints.begin(NOON)
    assert checkpoints.opened(start, NOON + timedelta(seconds=60), PACE) == start


def test_the_first_window_reaches_back_by_the_wide_overlap_and_the_next_by_the_short_one() -> None:
    """Every ten minutes one window reaches back half an hour; the others three minutes."""
    first = checkpoints.opened(checkpoints.begin(NOON), NOON + 2 * MINUTE, PACE)
    assert first.open is not None
    assert (first.open.gte, first.open.lt) == (NOON - 30 * MINUTE, NOON + MINUTE)
    second = checkpoints.opened(checkpoints.closed(first, first.open.position()), NOON + 3 * MINUTE, PACE)
    assert second.open is not None
    assert (second.open.gte, second.open.lt) == (NOON - 2 * MINUTE, NOON + 2 * MINUTE)
    later = checkpoints.opened(checkpoints.closed(second, second.open.position()), NOON + 12 * MINUTE, PACE)
    assert later.open is not None and later.open.gte == NOON + 2 * MINUTE - 30 * MINUTE


def test_an_open_window_stays_as_it_is() -> None:
    """Bounds, order and cursor are frozen until the window closes, however late the next run comes."""
    position = Position(Window(NOON, NOON + MINUTE), "default", Cursor("c"), 1000, 4, limit=5000)
    checkpoint = Checkpoint(watermark=NOON, open=OpenWindow.at(position))
    assert checkpoints.opened(checkpoint, NOON + timedelta(days=1), PACE) == checkpoint
    assert checkpoint.open is not None and checkpoint.open.position() == position


def test_the_watermark_never_passes_what_the_api_clock_vouches_for() -> None:
    """With a local clock five minutes ahead the watermark follows the API's `Date`, and never goes back."""
    position = Position(Window(NOON, NOON + 10 * MINUTE), trusted=NOON + 5 * MINUTE, limit=5000)
    opened = Checkpoint(watermark=NOON, open=OpenWindow.at(position))
    assert checkpoints.closed(opened, position).watermark == NOON + 5 * MINUTE
    behind = Position(Window(NOON, NOON + 10 * MINUTE), trusted=NOON - MINUTE, limit=5000)
    assert checkpoints.closed(opened, behind).watermark == NOON


def test_three_failures_halve_a_window_and_a_second_becomes_a_gap() -> None:
    """A poisoned second is left to the plan after some runs, and the walk goes on right behind it."""
    checkpoint = Checkpoint(
        watermark=NOON, open=OpenWindow.at(Position(Window(NOON, NOON + timedelta(seconds=4)), limit=5000))
    )
    gaps: list[Window] = []
    runs = 0
    while not gaps:
        checkpoint, gap = checkpoints.failed(checkpoint)
        runs += 1
        if gap is not None:
            gaps.append(gap)
    assert runs == 9
    assert gaps == [Window(NOON, NOON + timedelta(seconds=1))]
    assert checkpoint.watermark == NOON + timedelta(seconds=1) and checkpoint.gaps == 1
    assert checkpoint.open is not None
    assert checkpoint.open.position().window == Window(NOON + timedelta(seconds=1), NOON + timedelta(seconds=4))


def test_what_follows_a_half_is_read_next_and_no_overlap_reaches_over_a_gap() -> None:
    """Otherwise the overlap would meet the same second again, and the walk would never come past it."""
    until = NOON + timedelta(seconds=8)
    checkpoint = Checkpoint(watermark=NOON, open=OpenWindow.at(Position(Window(NOON, until), limit=5000), failures=2))
    checkpoint, _gap = checkpoints.failed(checkpoint)
    assert checkpoint.open is not None and checkpoint.open.lt == NOON + timedelta(seconds=4)
    checkpoint = checkpoints.closed(checkpoint, checkpoint.open.position())
    assert checkpoint.open is not None and checkpoint.open.position().window == Window(
        NOON + timedelta(seconds=4), until
    )
    checkpoint = checkpoints.closed(checkpoint, checkpoint.open.position())
    assert checkpoint.open is None and checkpoint.watermark == until
    behind_gap = Checkpoint(watermark=NOON, after_gap=NOON)
    opened = checkpoints.opened(behind_gap, NOON + 5 * MINUTE, PACE)
    assert opened.open is not None and opened.open.gte == NOON


def test_progress_forgets_earlier_failures() -> None:
    """Two bad runs, a good page, two bad runs: nothing is halved."""
    window = Window(NOON, NOON + MINUTE)
    checkpoint = Checkpoint(watermark=NOON, open=OpenWindow.at(Position(window, limit=5000)))
    for _ in range(2):
        checkpoint, _gap = checkpoints.failed(checkpoint)
    checkpoint = checkpoints.moved(checkpoint, Position(window, cursor=Cursor("c"), pages=1, limit=5000))
    for _ in range(2):
        checkpoint, _gap = checkpoints.failed(checkpoint)
    assert checkpoint.open is not None and checkpoint.open.position().window == window


moments = st.timedeltas(timedelta(days=-2000), timedelta(days=2000)).map(lambda apart: NOON + apart)


@given(
    watermark=moments,
    gte=moments,
    span=st.timedeltas(timedelta(microseconds=1), timedelta(days=30)),
    cursor=st.one_of(st.none(), st.text(max_size=30)),
    order=st.sampled_from(["asc", "desc", "default"]),
    failures=st.integers(0, 5),
)
def test_a_checkpoint_survives_its_json(
    watermark: datetime, gte: datetime, span: timedelta, cursor: str | None, order: str, failures: int
) -> None:
    """What is stored is what is read, to the microsecond."""
    opened = OpenWindow(gte=gte, lt=gte + span, cursor=cursor, order=order, failures=failures, limit=5000)  # type: ignore[arg-type]
    checkpoint = Checkpoint(watermark=watermark, open=opened, wide_at=gte, gaps=2)
    assert checkpoints.parse(checkpoints.dump(checkpoint)) == checkpoint


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"watermark": "yesterday"}', b"\x00" * 40, b'{"open": null}'])
def test_a_damaged_checkpoint_is_refused_with_the_remedy(data: bytes) -> None:
    """It is never taken for a first run."""
    with pytest.raises(StateUnreadable, match="claude-bridge init --force"):
        checkpoints.parse(data)


def test_a_checkpoint_of_a_later_release_is_left_alone() -> None:
    """An older release does not guess at a newer format."""
    newer = checkpoints.dump(Checkpoint(watermark=NOON, format=2))
    with pytest.raises(StateUnreadable, match="newer release"):
        checkpoints.parse(newer)
