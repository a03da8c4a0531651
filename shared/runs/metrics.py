"""OpenTelemetry metrics and a span per run; without an SDK configured by the host they cost nothing and go nowhere.

Names and meanings are documented in docs/operate.md; nothing personal is an attribute, only the connection's name, the
kind and the state.
"""

from opentelemetry import metrics, trace

from shared.runs.run import Run

_meter = metrics.get_meter("claude-sentinel-bridge")
_tracer = trace.get_tracer("claude-sentinel-bridge")

_rows = _meter.create_counter(
    "bridge.rows", unit="{row}", description="Rows by outcome: sent, late, repeated, dead_letters, counted."
)
_bytes = _meter.create_counter("bridge.sent.bytes", unit="By", description="JSON bytes accepted, by activity category.")
_requests = _meter.create_counter("bridge.requests", unit="{request}", description="Requests to the Compliance API.")
_retries = _meter.create_counter("bridge.retries", unit="{retry}", description="Attempts repeated at source and sink.")
_runs = _meter.create_counter("bridge.runs", unit="{run}", description="Runs by kind and state.")
_lag = _meter.create_gauge("bridge.lag", unit="s", description="Seconds from the watermark to the end of the live run.")
_budget = _meter.create_gauge(
    "bridge.budget.remaining", unit="{request}", description="Requests left this minute, for all readers."
)
_seconds = _meter.create_histogram("bridge.run.duration", unit="s", description="How long a run took.")


def record(run: Run, *, seconds: float, lag_seconds: float | None) -> None:
    """Count one finished run."""
    connection = run.connection
    where = {"connection": connection, "stream": run.stream, "kind": run.kind.value}
    counts = run.counts
    outcomes = {
        "sent": counts.sent,
        "late": run.late,
        "repeated": counts.repeated,
        "dead_letter": counts.dead,
        "counted": counts.counted,
    }
    for outcome, count in outcomes.items():
        if count:
            _rows.add(count, {**where, "outcome": outcome})
    for category, size in counts.bytes_by_category.items():
        _bytes.add(size, {"connection": connection, "category": category})
    if run.requests:
        _requests.add(run.requests, where)
    for end, retries in (("source", run.retries), ("sink", counts.upload_retries)):
        if retries:
            _retries.add(retries, {**where, "end": end})
    _runs.add(1, {**where, "state": run.state.value})
    _seconds.record(seconds, {**where, "state": run.state.value})
    if lag_seconds is not None:
        _lag.set(lag_seconds, {"connection": connection})
    if run.budget_remaining is not None:
        _budget.set(run.budget_remaining, {"connection": connection})


def span(run: Run) -> trace.Span:
    """The span of one run; the caller ends it."""
    attributes = {"bridge.connection": run.connection, "bridge.stream": run.stream, "bridge.kind": run.kind.value}
    return _tracer.start_span(f"bridge.{run.kind}", attributes=attributes)
