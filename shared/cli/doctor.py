"""`doctor`: everything the bridge depends on, a line each, with the remedy."""

from dataclasses import asdict

from azure.core.exceptions import AzureError
from rich.markup import escape
from rich.table import Table as Grid

from shared.cli.common import AsJson, Name, chosen, console, print_json, with_bridge
from shared.doctor import Check, Subject, examine
from shared.errors import SinkRefused
from shared.logs import safe
from shared.runs.connection import Connection
from shared.settings import Settings, load
from shared.sink.log_analytics import LogAnalytics
from shared.wiring import Bridge, identity, open_client

STYLE = {"pass": "green", "warn": "yellow", "fail": "red"}


def doctor(connection: Name = None, as_json: AsJson = False) -> None:
    """Examine key, clock, budget, identity, role, tables, state and past runs. Exit code 1 when a line fails."""

    async def work(bridge: Bridge) -> int:
        settings = load()
        found = {each.name: await _examined(settings, each) for each in chosen(bridge, connection)}
        if connection is None:
            for name, error in bridge.broken:
                found[name] = [Check("connection", "fail", safe(str(error)), "correct the setting it names")]
        if as_json:
            print_json({"connections": {name: [asdict(check) for check in checks] for name, checks in found.items()}})
        else:
            for name, checks in found.items():
                _print(name, checks)
        return 1 if any(check.verdict == "fail" for checks in found.values() for check in checks) else 0

    with_bridge(work)


async def _examined(settings: Settings, connection: Connection) -> list[Check]:
    (each,) = settings.named(connection.name)
    assert isinstance(connection.sink, LogAnalytics)

    async def token() -> None:
        try:
            async with identity() as credential:
                await credential.get_token(settings.ingestion_audience)
        except AzureError as refused:
            raise SinkRefused(f"no token could be had ({type(refused).__name__})") from refused

    async with open_client(settings, each, connection.clock, "doctor") as api:
        _, checks = await examine(Subject(connection, api, connection.sink, token))
    return checks


def _print(name: str, checks: list[Check]) -> None:
    grid = Grid("", "check", "what was found", "what to do", title=name, title_justify="left", box=None, pad_edge=False)
    for check in checks:
        verdict = f"[{STYLE[check.verdict]}]{check.verdict}[/]"
        grid.add_row(verdict, check.name, escape(check.what), escape(check.remedy))
    console.print(grid)
    counts = {verdict: sum(check.verdict == verdict for check in checks) for verdict in STYLE}
    console.print(f"{counts['pass']} pass, {counts['warn']} warn, {counts['fail']} fail", highlight=False, markup=False)
