"""Spans of time as content files write them: 5m, 1h, 2d, 30s."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

_SPAN = re.compile(r"([-+]?)(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse(text: Any) -> timedelta:
    """`-10m`, `5m` or `+1d` as a timedelta. ValueError for anything else."""
    found = _SPAN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{text!r} is no span such as 5m, 1h or -2d")
    span = timedelta(**{_UNITS[found[3]]: int(found[2])})
    return -span if found[1] == "-" else span


def show(span: timedelta) -> str:
    """The shortest spelling: 60 minutes are 1h, 36 hours are 36h."""
    seconds = round(span.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % size == 0 and seconds:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def iso(span: timedelta) -> str:
    """ISO 8601 as ARM expects it: PT5M, PT1H, P1D."""
    short = show(span).upper()
    return f"P{short}" if short.endswith("D") else f"PT{short}"


Span = Annotated[timedelta, BeforeValidator(parse)]
