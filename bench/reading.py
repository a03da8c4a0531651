"""The result of one child process, and its CPU pinning."""

import os
import resource
import sys
from dataclasses import dataclass, field
from pathlib import Path

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """`value` in the measurement's unit, and further `facts`, whose names include the unit."""

    value: float
    facts: dict[str, float] = field(default_factory=dict)


def on_one_core() -> None:
    """Pin this process to one core, where supported; migration between cores costs a tenth."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def on_the_other_cores() -> None:
    """Leave the core of `on_one_core` to the measured process, if there is another."""
    if hasattr(os, "sched_setaffinity"):
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores - {max(cores)} or cores)


def peak_megabytes() -> float:
    """Peak memory of this process. `ru_maxrss` is the fallback: in a child it starts at the parent's value."""
    status = Path("/proc/self/status")
    if status.exists():
        (kilobytes,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(kilobytes) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT / 1e6
