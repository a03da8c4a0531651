"""What can go wrong, drawn once; a class says what happened and so who acts, a message ends with what to do.

BridgeError
├── ConfigError        a setting is missing or wrong            does not start           operator
│   └── InvalidCommand an operator's command that cannot   is not carried out       whoever gave it
│                      be carried out
├── SourceRefused      400 (after every fallback), 401, 403;    stops, run fails         operator: key, scope
│                      404 of the feed
├── NotAvailable       this API family is not open to this key  one health row, the      operator, if it is meant
│                      or organization (403, 404, some 400)     other sources go on      to be open
├── ItemGone           404 for one object that a list named     a tombstone, goes on     nobody
├── SourceBusy         429, 5xx, time-outs, cut bodies          stops, next run resumes  nobody, unless it lasts
├── SourceIncoherent   this window cannot be read: a page that  stops, counts a failure  nobody, unless it lasts
│                      contradicts itself or is too large, a
│                      cursor that comes again, a final 500
├── SinkRefused        401, 403, 404, or a schema fault         stops, run fails         operator: role, DCR, table
├── SinkBusy           429, 5xx, time-outs at the endpoint      stops, next run resumes  nobody, unless it lasts
├── RowTooLarge        one row fits no upload                   a dead letter, goes on  developer
├── BudgetSpent        too few requests left this minute        waits for a later run    nobody
├── CheckpointMoved    another run advanced the state           stops quietly            nobody
├── LeaseHeld          another run is at work                   does not start           nobody
├── StateMissing       no checkpoint where one must be          stops, run fails         operator: claude-bridge init
├── StateUnreadable    checkpoint or plan cannot be read        stops, run fails         operator: restore or init
└── StoreFailed        disk full, storage unreachable           stops, next run resumes  operator, if it lasts
"""


class BridgeError(Exception):
    """Root of everything the bridge raises on purpose."""


class ConfigError(BridgeError):
    """A setting is missing or wrong; the message names it and the remedy."""


class InvalidCommand(ConfigError):
    """An operator asked for what cannot be done; the message is one sentence for whoever asked."""


class SourceRefused(BridgeError):
    """The Compliance API says no for good: key, scope or request."""


class BadRequest(SourceRefused):
    """A 400: asked again without cursor, without order and with smaller pages before the run gives up.

    `code` is the API's `error.details.error_code`, or empty.
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class NotAvailable(BridgeError):
    """This API family is not available to this key or organization; the other sources are not concerned."""


class ItemGone(BridgeError):
    """One object is gone, aged out or hidden from this key, since its list was read."""


class Busy(BridgeError):
    """Worth another try, not before `after` seconds when the other side said so."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class SourceBusy(Busy):
    """The Compliance API cannot answer now; nothing was lost and the next run resumes.

    `about_page`: the answer began and could not be read: a smaller window may help where an attempt does not.
    """

    def __init__(self, message: str, *, after: float | None = None, about_page: bool = False) -> None:
        super().__init__(message, after=after)
        self.about_page = about_page


class SourceIncoherent(BridgeError):
    """This window or list cannot be read as it is asked for: a cursor repeated or missing, a huge body, a final 500."""


class SinkRefused(BridgeError):
    """The ingestion endpoint says no for good: role, rule, stream or schema."""


class SinkBusy(Busy):
    """The ingestion endpoint cannot take rows now; nothing was lost and the next run resumes."""


class RowTooLarge(BridgeError):
    """One row fits no upload; it becomes a dead letter."""


class BudgetSpent(BridgeError):
    """The shared request budget is under this reader's reserve."""


class CheckpointMoved(BridgeError):
    """Another run saved the state first."""


class LeaseHeld(BridgeError):
    """Another run holds the lease."""


class LeaseLost(CheckpointMoved):
    """The lease ran out while the run was at work."""


class StateMissing(BridgeError):
    """No state where a run expects it; only `claude-bridge init` starts a connection."""


class StateUnreadable(BridgeError):
    """State exists and cannot be understood."""


class StoreFailed(BridgeError):
    """The state store cannot be written or reached."""
