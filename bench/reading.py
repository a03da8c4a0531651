"""What one child process found out, and how it holds still while it does."""

import os
import resource
import sys
from dataclasses import dataclass, field
from pathlib import Path

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """`value` in the measurement's unit; `facts` stand beside it, by name with the unit in it."""

    value: float
    facts: dict[str, float] = field(default_factory=dict)


def on_one_core() -> None:
    """Pin this process to one core, where the system can; a scheduler that moves it about costs a tenth."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def on_the_other_cores() -> None:
    """Leave the core of `on_one_core` to what is measured, if there is another."""
    if hasattr(os, "sched_setaffinity"):
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores - {max(cores)} or cores)


def peak_megabytes() -> float:
    """The most memory this program has held. `ru_maxrss` is the last resort: a child's begins with its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        (kilobytes,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(kilobytes) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT / 1e6
