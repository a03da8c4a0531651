"""The measurements: size, targets, and the description of the method in the report."""

from dataclasses import dataclass
from typing import Literal

from bench.million import MOST_MEGABYTES, most_requests
from bench.sample import SIZE_BYTES


@dataclass(frozen=True, slots=True)
class Target:
    """The target for the value, or for the fact named `of`; reported only, a miss is not an error."""

    direction: Literal["at least", "at most"]
    limit: float
    of: str = "value"


@dataclass(frozen=True, slots=True)
class Measurement:
    """`module` has `ours(count)` and, when `baseline` says what it is, `baseline(count)`; both return a Reading."""

    name: str
    module: str
    unit: str
    count: int
    method: str
    baseline: str | None = None
    targets: tuple[Target, ...] = ()


_TENANT = f"Activities of the sandbox's seeded tenant (400 people), padded to {SIZE_BYTES} bytes by their user agents. "

MILLION = 1_000_000

MEASUREMENTS = (
    Measurement(
        name="decode_to_gzip",
        module="decode_to_gzip",
        unit="activities/s",
        count=40_000,
        method=_TENANT
        + "Pages of 5,000 in order: read_page, ledger, fold, encode, batches and gzip by the code of shared/runs/, "
        "ledger files on disk, no network. CPU time of one pinned core; the first page is not counted. A page spans "
        "most of a day, as history does, so that each asks the ledger for about 24 hours.",
        baseline="json.loads of the same bodies and the official LogsIngestionClient.upload(list) of each page, with a "
        "transport that discards the request: raw activities, no ledger, no columns, no limits checked.",
        targets=(Target("at least", 60_000),),
    ),
    Measurement(
        name="history_end_to_end",
        module="history_end_to_end",
        unit="activities/s",
        count=200_000,
        method=_TENANT
        + "build() and work_plan() read them as history, a window a day, from the sandbox's API over HTTP and send "
        "them over HTTP to an endpoint that discards them; state in files. The server is another process on the other "
        "core; wall time. No latency and no request budget: both would hide what is measured.",
        baseline="One page after the other with httpx and json(), LogsIngestionClient.upload(list) of each page, "
        "against the same server: no ledger, no columns, no state, no retries.",
    ),
    Measurement(
        name="million",
        module="million",
        unit="activities/s",
        count=MILLION,
        method="build() and work_plan() read a million activities of a kilobyte, even over ten days, as ten windows at "
        "once, from an API that generates its pages on request, and send them to an endpoint that discards them; state "
        "in files, wall time. Peak memory is the bridge's own process.",
        targets=(
            Target("at most", MOST_MEGABYTES, of="peak_megabytes"),
            Target("at most", most_requests(MILLION), of="requests"),
        ),
    ),
    Measurement(
        name="cold_import",
        module="cold_import",
        unit="seconds",
        count=3,
        method="`import function_app` in fresh processes, the median, from a folder without compiled bytecode, as a "
        "deployment has none; the packages it depends on are compiled. Excluded: what Azure needs to start a host, and "
        "the clients, which load with the first run.",
        baseline="`import azure.functions` alone, which every function app in Python has to pay.",
        targets=(Target("at most", 0.45),),
    ),
    Measurement(
        name="ledger_appends",
        module="ledger_appends",
        unit="ids/s",
        count=200_000,
        method="8 writers put ids of one hour into one ledger over FileStore, 1,000 an append, wall time. Appends are "
        "not synced to the disk, documents are.",
        baseline="The same 8 writers and blocks, one document in the same FileStore updated by compare-and-swap.",
    ),
    Measurement(
        name="kql_parser",
        module="kql_parser",
        unit="seconds",
        count=100_000,
        method="ClaudeActivity | summarize count() by Category in the sandbox's workspace (DuckDB, in memory, all "
        "cores), the first query after 100,000 rows were stored; wall time. Says nothing about Log Analytics itself.",
        baseline="ClaudeActivity_CL | summarize count() by Category: what the same question costs without the parser.",
    ),
    Measurement(
        name="fold",
        module="fold_only",
        unit="activities/s",
        count=20_000,
        method="bench/fold.py, its sample of 1 kB: invented activities of all documented types, fold and encode alone; "
        "CPU time of one pinned core.",
    ),
    Measurement(
        name="detections",
        module="detections",
        unit="seconds",
        count=400,
        method="Every rule and hunt that the local engine executes, once, over thirty days of the demo tenant (400 "
        "people), translated and run in DuckDB, all cores; what is news to a rule is widened to the month. Wall time. "
        "bind_seconds is what Microsoft's Kusto language service takes for all of them, its process included.",
        targets=(Target("at most", 60), Target("at most", 30, of="bind_seconds")),
    ),
    Measurement(
        name="workbook_tabs",
        module="workbook_tabs",
        unit="seconds",
        count=MILLION,
        method="The slowest tab of the local workbook page, from asking for all its tiles at once over HTTP to the "
        "last answer; look back 365 days, all rows in the period, first visit. Opening and every tab stand beside it.",
        targets=(Target("at most", 3.0),),
    ),
)
