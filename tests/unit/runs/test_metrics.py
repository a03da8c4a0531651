"""What monitoring sees of a run: named metrics, a span, and nobody's data."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from opentelemetry import metrics as otel
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from shared.runs import live
from shared.runs.run import RunState, attention
from tests.fakes import FakeWorld, Happening

reader = InMemoryMetricReader()
otel.set_meter_provider(MeterProvider([reader]))


def points() -> dict[str, list[tuple[dict[str, Any], Any]]]:
    """Metric name to (attributes, value) pairs, collected now."""
    data = reader.get_metrics_data()
    found: dict[str, list[tuple[dict[str, Any], Any]]] = {}
    for resource in data.resource_metrics if data else []:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    value = getattr(point, "value", None)
                    found.setdefault(metric.name, []).append((dict(point.attributes or {}), value))
    return found


async def test_a_run_is_counted_under_the_documented_names() -> None:
    """Rows by outcome, bytes by category, requests, runs by state, lag and budget; no id and no address in them."""
    world = FakeWorld([Happening(n, n, n) for n in range(5)])
    connection = replace(world.restart(), name="measured")  # other tests' runs are counted under their own name
    await live.init(connection)
    world.clock.advance(timedelta(minutes=5))
    await live.poll(connection)
    seen = {name: [pair for pair in pairs if pair[0]["connection"] == "measured"] for name, pairs in points().items()}
    assert ({"connection": "measured", "stream": "activity", "kind": "live", "outcome": "sent"}, 5) in seen[
        "bridge.rows"
    ]
    assert ({"connection": "measured", "stream": "activity", "kind": "live", "state": "ok"}, 1) in seen["bridge.runs"]
    assert any(attributes["category"] == "auth" for attributes, _ in seen["bridge.sent.bytes"])
    assert seen["bridge.lag"][-1][1] == 60
    assert seen["bridge.budget.remaining"][-1][1] == 500
    assert {"bridge.requests", "bridge.run.duration"} <= seen.keys()
    assert "activity_" not in str(seen)
    assert Counter(name.split(".")[0] for name in seen) == {"bridge": len(seen)}


@pytest.mark.parametrize(
    ("state", "lag_minutes", "dead", "expected"),
    [
        ("ok", 1, 0, "never"),
        ("busy", 5, 0, "never"),
        ("busy", 16, 0, "office-hours"),
        ("busy", 61, 0, "page-now"),
        ("ok", 1, 3, "office-hours"),
        ("refused", None, 0, "page-now"),
        ("store_failed", 1, 0, "page-now"),
        ("incomplete", None, 0, "office-hours"),
    ],
)
def test_who_should_look_follows_state_lag_and_set_aside(
    state: str, lag_minutes: int | None, dead: int, expected: str
) -> None:
    """An outage that mends itself wakes nobody until the lag says that it does not."""
    lag = None if lag_minutes is None else timedelta(minutes=lag_minutes)
    assert attention(RunState(state), lag=lag, dead_letters=dead) == expected
