"""The Activity Feed: windows of `created_at`, one row an activity."""

from shared.streams import Stream, StreamKind
from shared.tables import ACTIVITY

STREAM = Stream(name="activity", table=ACTIVITY, kind=StreamKind.WINDOW)
