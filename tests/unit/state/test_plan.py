"""History, sweeps and repairs as data."""

from datetime import timedelta

import msgspec
import pytest

from shared.errors import StateUnreadable
from shared.models import Window
from shared.runs.status import history_done
from shared.state import plan as plans
from shared.state.plan import Plan
from tests.fakes import NOON

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def spans(plan: Plan, kind: str) -> list[tuple[timedelta, timedelta]]:
    return [(w.open.gte - NOON, w.open.lt - NOON) for w in plan.windows if w.kind == kind]


def test_history_is_planned_by_the_day_newest_first() -> None:
    """Last week is wanted before last year, and the oldest window may be shorter."""
    plan = plans.with_history(plans.begin(NOON), NOON - 2.5 * DAY, NOON, limit=5000)
    assert spans(plan, "history") == [(-DAY, 0 * DAY), (-2 * DAY, -DAY), (-2.5 * DAY, -2 * DAY)]


def test_planning_the_same_history_twice_adds_nothing() -> None:
    """`init --history-days 30` can be repeated without reading everything again."""
    plan = plans.with_history(plans.begin(NOON), NOON - 3 * DAY, NOON, limit=5000)
    assert plans.with_history(plan, NOON - 3 * DAY, NOON, limit=5000) == plan


def test_every_hour_is_swept_at_each_age_once() -> None:
    """Over four days, each event hour is planned at 1, 6, 26 and 50 hours of age, never twice, never too early."""
    plan = plans.begin(NOON)
    for tick in range(1, 96 * 4):
        now = NOON + tick * HOUR / 4
        before = len(plan.windows)
        plan = plans.with_due(plan, now, now - timedelta(minutes=2), limit=5000)
        for window in plan.windows[before:]:
            if window.kind == "sweep":
                assert window.open.lt <= now - HOUR
            plan = plans.changed(plan, msgspec.structs.replace(window, state="done"))
    seen: dict[timedelta, int] = {}
    for gte, lt in spans(plan, "sweep"):
        at = gte
        while at < lt:
            seen[at] = seen.get(at, 0) + 1
            at += HOUR
    assert {hour: count for hour, count in seen.items() if hour < 40 * HOUR} == {n * HOUR: 4 for n in range(40)}


def test_a_sweep_never_passes_the_watermark() -> None:
    """While live reading is behind, hours it has not read are not called late."""
    plan = plans.with_due(plans.begin(NOON), NOON + 10 * HOUR, NOON + 2 * HOUR, limit=5000)
    assert max(lt for _, lt in spans(plan, "sweep")) == 2 * HOUR


def test_hours_missed_while_off_are_swept_in_larger_windows() -> None:
    """After two days off the backlog is windows of six hours, and one reading serves every age that is due."""
    now = NOON + 2 * DAY
    plan = plans.with_due(plans.begin(NOON), now, now, limit=5000)
    assert all(lt - gte <= 6 * HOUR for gte, lt in spans(plan, "sweep"))
    assert len(spans(plan, "sweep")) == 8 + 1


def test_access_transparency_is_read_daily_over_eight_days() -> None:
    """The two types that may surface days later have a reading of their own."""
    plan = plans.begin(NOON)
    for hour in range(1, 49):
        now = NOON + hour * HOUR
        plan = plans.with_due(plan, now, now, limit=5000)
    windows = [w for w in plan.windows if w.kind == "transparency"]
    assert len(windows) == 2
    assert windows[0].open.types == ("anthropic_access", "cmek_preserve")
    assert windows[0].open.lt - windows[0].open.gte == 8 * DAY


def test_repairs_come_first_then_sweeps_then_history() -> None:
    """What is known to be missing is fetched before what is merely old."""
    plan = plans.with_history(plans.begin(NOON), NOON - DAY, NOON, limit=5000)
    plan = plans.added(plan, "sweep", Window(NOON, NOON + HOUR), limit=5000)
    plan = plans.added(plan, "repair", Window(NOON, NOON + HOUR / 60), limit=5000)
    assert [w.kind for w in plans.ready(plan, NOON, 10)] == ["repair", "sweep", "history"]
    assert [w.kind for w in plans.ready(plan, NOON, 1)] == ["repair"]


def test_pause_rest_and_cancellation_are_obeyed() -> None:
    """A paused plan or window and a resting one are not ready; a cancellation survives a late save."""
    plan = plans.added(plans.begin(NOON), "repair", Window(NOON, NOON + HOUR), limit=5000)
    window = plan.windows[0]
    assert plans.ready(msgspec.structs.replace(plan, paused=True), NOON, 9) == []
    for change in ({"paused": True}, {"not_before": NOON + HOUR}, {"state": "cancelled"}):
        stopped = msgspec.structs.replace(plan, windows=(msgspec.structs.replace(window, **change),))
        assert plans.ready(stopped, NOON, 9) == []
    cancelled = msgspec.structs.replace(plan, windows=(msgspec.structs.replace(window, state="cancelled"),))
    late = plans.changed(cancelled, msgspec.structs.replace(window, read=5))
    assert late.windows[0].state == "cancelled"


def test_finished_windows_are_kept_for_a_while_and_unfinished_for_ever() -> None:
    """The plan stays small: the newest hundred finished windows, and every one that is not."""
    plan = plans.begin(NOON)
    for n in range(150):
        plan = plans.added(plan, "sweep", Window(NOON + n * HOUR, NOON + (n + 1) * HOUR), limit=5000)
    done = [msgspec.structs.replace(w, state="done") for w in plan.windows]
    plan = msgspec.structs.replace(plan, windows=(plan.windows[0], *done[1:]))
    kept = plans.tidied(plan).windows
    assert len(kept) == 101 and kept[0].state == "waiting" and kept[-1].id == 150


def test_finished_history_is_kept_while_some_of_it_waits() -> None:
    """Of a year of history every day is listed until the last is read, so that its share can be told; then a hundred
    are kept."""
    plan = plans.with_history(plans.begin(NOON), NOON - 365 * DAY, NOON, limit=5000)
    done = [msgspec.structs.replace(w, state="done") for w in plan.windows]
    some_wait = plans.tidied(msgspec.structs.replace(plan, windows=(*done[:200], *plan.windows[200:])))
    assert history_done(some_wait.windows) == pytest.approx(200 / 365)
    assert len(plans.tidied(msgspec.structs.replace(plan, windows=tuple(done))).windows) == 100


def test_a_plan_survives_its_json_and_damage_is_refused() -> None:
    """What is stored is what is read; anything else is StateUnreadable, not an empty plan."""
    plan = plans.with_due(
        plans.with_history(plans.begin(NOON), NOON - DAY, NOON, limit=5000), NOON + DAY, NOON + DAY, limit=5000
    )
    assert plans.parse(plans.dump(plan)) == plan
    for data in (b"", b"{", b"[]", b'{"windows": 3}'):
        with pytest.raises(StateUnreadable, match="claude-bridge init --force"):
            plans.parse(data)
    with pytest.raises(StateUnreadable, match="newer release"):
        plans.parse(plans.dump(msgspec.structs.replace(plan, format=2)))


def test_a_window_keeps_its_number_for_ever() -> None:
    """Numbers are not reused after tidying: an operator's `cancel 7` means one window only."""
    plan = plans.added(plans.begin(NOON), "repair", Window(NOON, NOON + HOUR), limit=5000)
    plan = msgspec.structs.replace(plan, windows=())
    assert plans.added(plan, "repair", Window(NOON, NOON + HOUR), limit=5000).windows[0].id == 2


def test_sweeps_reach_back_into_young_history() -> None:
    """An activity of the hour before `init`, indexed two days later, is found although live reading never saw it."""
    plan = plans.with_history(plans.begin(NOON), NOON - 30 * DAY, NOON, limit=5000)
    later = NOON + 3 * DAY
    starts = [gte for gte, _ in spans(plans.with_due(plan, later, later, limit=5000), "sweep")]
    assert min(starts) == -50 * HOUR
    recent = plans.with_history(plans.begin(NOON), NOON - 10 * HOUR, NOON, limit=5000)
    assert min(gte for gte, _ in spans(plans.with_due(recent, later, later, limit=5000), "sweep")) == -10 * HOUR


def test_history_long_past_brings_no_sweeps_with_it() -> None:
    """Sweeps look for what is indexed late, up to two days; a month of last year is read once."""
    begun = plans.begin(NOON)
    plan = plans.with_history(begun, NOON - 400 * DAY, NOON - 370 * DAY, now=NOON, limit=5000)
    assert plan.swept == begun.swept
