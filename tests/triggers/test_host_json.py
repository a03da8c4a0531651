"""host.json: only keys the host knows, each with its reason, and limits that fit our own."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from shared.runs.turns import PROOF_ENDS_SECONDS, PROOF_STARTS
from shared.settings import Settings
from tests.triggers.worker import ROOT

HOST = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "host-json.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \| (.+) \|$", re.MULTILINE)

# From Microsoft's host.json reference for version 2.0 and later.
TOP = {
    *("version", "aggregator", "applicationInsights", "concurrency", "customHandler", "extensionBundle", "extensions"),
    *("functions", "functionTimeout", "healthMonitor", "logging", "managedDependency", "retry", "singleton"),
    *("telemetryMode", "watchDirectories", "watchFiles"),
}
HTTP = {"routePrefix", "maxOutstandingRequests", "maxConcurrentRequests", "dynamicThrottlesEnabled", "hsts"}
LEVELS = {"Trace", "Debug", "Information", "Warning", "Error", "Critical", "None"}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every key that holds a value, with dots between the names."""
    if not isinstance(value, dict):
        yield path, value
        return
    for name, inner in value.items():
        yield from leaves(inner, f"{path}.{name}" if path else name)


def test_the_host_knows_every_key() -> None:
    """A misspelt key is ignored in silence."""
    assert HOST.keys() <= TOP
    assert HOST["version"] == "2.0"
    assert HOST["telemetryMode"] in ("OpenTelemetry", "ApplicationInsights")
    assert HOST["logging"].keys() <= {"fileLoggingMode", "logLevel", "console", "OpenTelemetry"}
    assert set(HOST["logging"]["logLevel"].values()) <= LEVELS
    assert HOST["extensions"].keys() == {"http"} and HOST["extensions"]["http"].keys() <= HTTP
    assert HOST["extensions"]["http"]["maxConcurrentRequests"] <= HOST["extensions"]["http"]["maxOutstandingRequests"]


def test_every_key_has_its_reason() -> None:
    """The page has a row for each key with its value and at least a sentence, and none for keys that are gone."""
    told = {key: (value, reason) for key, value, reason in ROW.findall(PAGE)}
    values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in leaves(HOST)}
    assert {key: value for key, (value, _) in told.items()} == values
    assert [key for key, (_, reason) in told.items() if len(reason.split()) < 8] == []


@pytest.mark.parametrize("setting", ["live_seconds", "plan_seconds"])
def test_every_run_ends_before_the_host_would_end_it(setting: str) -> None:
    """The defaults leave at least ten minutes; so does the proof, whose last day may begin late."""
    hours, minutes, seconds = map(int, HOST["functionTimeout"].split(":"))
    limit = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    margin = timedelta(minutes=10)
    assert timedelta(seconds=Settings.model_fields[setting].default) + margin <= limit
    assert max(timedelta(seconds=PROOF_ENDS_SECONDS), PROOF_STARTS) + margin <= limit


def test_listing_the_functions_loads_no_sdk_and_no_signing() -> None:
    """What the host does at every cold start; clients, settings' consumers and the report load with the first use."""
    late = ("azure.identity", "azure.storage", "azure.monitor", "azure.keyvault", "httpx", "jinja2", "shared.report")
    script = f"import sys, function_app; print([name for name in {late} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
