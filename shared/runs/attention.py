"""Who should look at a run, and when. Pure."""

from datetime import timedelta
from typing import Literal

Attention = Literal["page-now", "office-hours", "never"]

SLOW = timedelta(minutes=15)
LATE = timedelta(hours=1)

_BY_STATE: dict[str, Attention] = {
    "ok": "never",
    "idle": "never",
    "partial": "never",
    "busy": "never",  # it mends itself; if it does not, the lag says so
    "drill_failed": "office-hours",
    "lease_lost": "office-hours",
    "waiting": "office-hours",
    "incomplete": "office-hours",
    "repaired": "office-hours",  # the next proof shows whether it helped; if not, that is a gap
    "unreadable": "office-hours",  # after three such runs the window shrinks, and the walk goes on
    "gap": "page-now",
    "refused": "page-now",
    "state_missing": "page-now",
    "state_unreadable": "page-now",
    "store_failed": "page-now",
    "defect": "page-now",
}


def attention(state: str, *, lag: timedelta | None = None, set_aside: int = 0) -> Attention:
    """`lag` is the live walk's; a state nobody listed is looked at at once."""
    found: list[Attention] = [_BY_STATE.get(state, "page-now")]
    if lag is not None and lag > SLOW:
        found.append("page-now" if lag > LATE else "office-hours")
    if set_aside:
        found.append("office-hours")
    return "page-now" if "page-now" in found else "office-hours" if "office-hours" in found else "never"
