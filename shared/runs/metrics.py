"""OpenTelemetry metrics and a span per run; without an SDK configured by the host they cost nothing and go nowhere.

Names and meanings are documented in docs/operate.md; nothing personal is an attribute, only the connection's name, the
walk and the state.
"""

from opentelemetry import metrics, trace

from shared.runs.health_rows import Run

_meter = metrics.get_meter("claude-sentinel-bridge")
_tracer = trace.get_tracer("claude-sentinel-bridge")

_rows = _meter.create_counter(
    "bridge.rows", unit="{row}", description="Rows by outcome: sent, late, repeated, set_aside, counted."
)
_bytes = _meter.create_counter("bridge.sent.bytes", unit="By", description="JSON bytes accepted, by activity category.")
_requests = _meter.create_counter("bridge.requests", unit="{request}", description="Requests to the Compliance API.")
_runs = _meter.create_counter("bridge.runs", unit="{run}", description="Runs by walk and state.")
_lag = _meter.create_gauge("bridge.lag", unit="s", description="Seconds from the watermark to the end of the live run.")
_budget = _meter.create_gauge(
    "bridge.budget.remaining", unit="{request}", description="Requests left this minute, for all readers."
)
_seconds = _meter.create_histogram("bridge.run.duration", unit="s", description="How long a run took.")


def record(run: Run, connection: str, *, seconds: float, lag_seconds: float | None) -> None:
    """Count one finished run."""
    where = {"connection": connection, "walk": run.walk}
    tally = run.tally
    outcomes = {
        "sent": tally.sent,
        "late": run.late,
        "repeated": tally.repeated,
        "set_aside": tally.aside,
        "counted": tally.counted,
    }
    for outcome, count in outcomes.items():
        if count:
            _rows.add(count, {**where, "outcome": outcome})
    for category, size in tally.bytes_by_category.items():
        _bytes.add(size, {"connection": connection, "category": category})
    if run.requests:
        _requests.add(run.requests, where)
    _runs.add(1, {**where, "state": run.state})
    _seconds.record(seconds, {**where, "state": run.state})
    if lag_seconds is not None:
        _lag.set(lag_seconds, {"connection": connection})
    if run.budget_remaining is not None:
        _budget.set(run.budget_remaining, {"connection": connection})


def span(connection: str, walk: str) -> trace.Span:
    """The span of one run; the caller ends it."""
    return _tracer.start_span(f"bridge.{walk}", attributes={"bridge.connection": connection, "bridge.walk": walk})
