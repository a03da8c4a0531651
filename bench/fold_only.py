"""The result of bench/fold.py for the 1 kB sample, measured in its own process."""

from datetime import timedelta

from bench import fold
from bench.reading import Reading, on_one_core
from shared import __version__
from shared.streams.activity.fold import RowContext


def ours(count: int) -> Reading:
    """Activities a CPU second through `fold` and the encoder."""
    on_one_core()
    context = RowContext("bench", "0a1b2c3d", __version__, "live", False, fold.START + timedelta(minutes=10))
    sample = fold.activities(count, pad_to=1000)
    fold.seconds(sample[: max(1, count // 20)], context)
    return Reading(count / fold.seconds(sample, context))
