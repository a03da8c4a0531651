"""An operator's orders to the plan: add, pause, resume, cancel. What is impossible is refused in one sentence. Pure."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from shared.errors import ConfigError
from shared.models import Window
from shared.state import plan as plans
from shared.state.plan import Plan, PlannedWindow

OrderedKind = Literal["history", "repair"]

OLDEST = timedelta(days=6 * 365.25 + 7)
"""The feed keeps six years; a week more is no mistake worth refusing."""


def checked_period(start: datetime, end: datetime, now: datetime) -> Window:
    """`[start, end)` when the feed can have anything of it; ConfigError otherwise."""
    if end <= start:
        raise ConfigError("the period ends before it begins: give an earlier --from or a later --to")
    if end > now:
        raise ConfigError(f"the period ends in the future: it is {_told(now)} now (UTC)")
    if start < now - OLDEST:
        raise ConfigError(f"the feed keeps six years: --from must not lie before {now - OLDEST:%Y-%m-%d}")
    return Window(start, end)


def with_period(plan: Plan, kind: OrderedKind, period: Window, *, limit: int) -> Plan:
    """The plan with `period` in windows of a day. ConfigError when a waiting history or repair overlaps it."""
    for known in plan.windows:
        overlaps = known.open.gte < period.lt and period.gte < known.open.lt
        if known.state == "waiting" and known.kind in ("history", "repair") and overlaps:
            raise ConfigError(
                f"nothing was added: window {known.id} ({known.kind}, {_told(known.open.gte)} to "
                f"{_told(known.open.lt)}) is waiting for a part of that period; cancel it first, or add the rest"
            )
    if kind == "history":
        return plans.with_history(plan, period.gte, period.lt, limit=limit)
    lt = period.lt
    while lt > period.gte:
        gte = max(period.gte, lt - plans.DAY)
        plan = plans.added(plan, kind, Window(gte, lt), limit=limit)
        lt = gte
    return plan


def paused(plan: Plan, window_id: int | None, *, pause: bool) -> Plan:
    """The plan, or one of its windows, paused or resumed. ConfigError for a window that is unknown or has ended."""
    if window_id is None:
        return msgspec.structs.replace(plan, paused=pause)
    return _with(plan, msgspec.structs.replace(_waiting(plan, window_id), paused=pause))


def cancelled(plan: Plan, window_id: int) -> Plan:
    """The plan with this window cancelled; what it has carried stays. ConfigError as above."""
    return _with(plan, msgspec.structs.replace(_waiting(plan, window_id), state="cancelled"))


def _waiting(plan: Plan, window_id: int) -> PlannedWindow:
    for window in plan.windows:
        if window.id == window_id:
            if window.state != "waiting":
                raise ConfigError(f"window {window_id} is {window.state} already: nothing was changed")
            return window
    raise ConfigError(f"no window of the plan has the id {window_id}: `plan list` shows them")


def _with(plan: Plan, window: PlannedWindow) -> Plan:
    # Not plans.changed: that one lets what an operator said before stand, and this is the operator.
    return msgspec.structs.replace(
        plan, windows=tuple(window if known.id == window.id else known for known in plan.windows)
    )


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
