"""What can go wrong, drawn once; a class says what happened and so who acts, a message ends with what to do.

BridgeError
├── ConfigError        a setting is missing or wrong            does not start           operator
├── SourceRefused      400 (after every fallback), 401, 403     stops, run fails         operator: key, scope
├── SourceBusy         429, 5xx, time-outs, cut bodies          stops, next run resumes  nobody, unless it lasts
├── SourceIncoherent   a page contradicts itself or the last    stops, counts a failure  nobody, unless it lasts
├── SinkRefused        401, 403, 404, or a schema fault         stops, run fails         operator: role, DCR, table
├── SinkBusy           429, 5xx, time-outs at the endpoint      stops, next run resumes  nobody, unless it lasts
├── BudgetSpent        too few requests left this minute        waits for a later run    nobody
├── CheckpointMoved    another run advanced the state           stops quietly            nobody
├── LeaseHeld          another run is at work                   does not start           nobody
├── StateMissing       no checkpoint where one must be          stops, run fails         operator: cli init
├── StateUnreadable    checkpoint or plan cannot be read        stops, run fails         operator: restore or init
└── StoreFailed        disk full, storage unreachable           stops, next run resumes  operator, if it lasts
"""


class BridgeError(Exception):
    """Root of everything the bridge raises on purpose."""


class ConfigError(BridgeError):
    """A setting is missing or wrong; the message names it and the remedy."""


class SourceRefused(BridgeError):
    """The Compliance API says no for good: key, scope or request."""


class CursorRefused(SourceRefused):
    """A 400 while a cursor was in the request: the walk retries without it before giving up."""


class SourceBusy(BridgeError):
    """The Compliance API cannot answer now; nothing was lost and the next run resumes."""


class SourceIncoherent(BridgeError):
    """A page that contradicts itself: a repeated or missing cursor with `has_more`."""


class SinkRefused(BridgeError):
    """The ingestion endpoint says no for good: role, rule, stream or schema."""


class SinkBusy(BridgeError):
    """The ingestion endpoint cannot take rows now; nothing was lost and the next run resumes."""


class BudgetSpent(BridgeError):
    """The shared request budget is under this reader's reserve."""


class CheckpointMoved(BridgeError):
    """Another run saved the state first."""


class LeaseHeld(BridgeError):
    """Another run holds the lease."""


class LeaseLost(CheckpointMoved):
    """The lease ran out while the run was at work."""


class StateMissing(BridgeError):
    """No state where a run expects it; only `cli init` starts a connection."""


class StateUnreadable(BridgeError):
    """State exists and cannot be understood."""


class StoreFailed(BridgeError):
    """The state store cannot be written or reached."""
