"""`selftest`: one marked read of our own that must come back as a row."""

import secrets
from typing import Any

from shared.cli.common import AsJson, Name, chosen, complain, console, print_json, with_bridge
from shared.runs.connection import Connection
from shared.runs.run import Run
from shared.runs.selftest import SelfTest, Step
from shared.runs.selftest import selftest as carry_out
from shared.settings import Settings, load
from shared.streams.activity.endpoint import ActivityFeed
from shared.wiring import Bridge, open_client


def selftest(connection: Name = None, as_json: AsJson = False) -> None:
    """Read once under a marked user agent, then wait up to 15 minutes until that read is a row. Exit 1 if not."""

    async def work(bridge: Bridge) -> int:
        settings = load()
        found = [await selftested(settings, each, quiet=as_json) for each in chosen(bridge, connection)]
        if as_json:
            print_json({"connections": found})
        return 0 if all(each["arrived"] for each in found) else 1

    with_bridge(work)


async def selftested(settings: Settings, connection: Connection, *, quiet: bool) -> dict[str, Any]:
    """One connection's self-test, printed step by step unless `quiet`; returns it for machines."""
    mark = f"selftest/{secrets.token_hex(4)}"

    def tell(step: Step) -> None:
        if not quiet:
            console.print(f"{step.after.total_seconds():6.0f} s  {step.what}", highlight=False, markup=False)

    if not quiet:
        console.print(f"{connection.name}: {mark}", highlight=False, markup=False)
    (each,) = settings.named(connection.name)
    async with open_client(settings, each, connection.clock, mark) as client:
        feed = ActivityFeed(client, organization_ids=each.organization_ids)
        run, done = await carry_out(connection, await feed.reading(), tell)
    remedy = _remedy(run, done)
    if remedy:
        complain(f"{connection.name}: the self-test failed: {remedy}")
    elif not quiet:
        console.print(f"{connection.name}: the self-test passed", style="green")
    return {
        "connection": connection.name,
        "mark": mark,
        "request_id": done.request_id,
        "arrived": not remedy,
        "steps": [{"after_seconds": step.after.total_seconds(), "what": step.what} for step in done.steps],
        "remedy": remedy,
    }


def _remedy(run: Run, done: SelfTest) -> str:
    if run.error is not None:
        return str(run.error)
    return "" if done.arrived else done.remedy
