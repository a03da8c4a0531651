"""`estimate`: what delivering this feed would amount to, before anything is written."""

import math
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.table import Table as Grid

from shared.cli.common import AsJson, Name, bar, complain, console, print_json, with_settings
from shared.clock import SystemClock
from shared.errors import BridgeError, ConfigError
from shared.models import Receipts
from shared.rows.minimize import Minimizer, Shaping
from shared.runs import costs as costing
from shared.runs.costs import Cost, Prices, Term, Volume
from shared.runs.estimate import Delivering, Estimate
from shared.runs.estimate import estimate as estimate_feed
from shared.runs.run import RunKind
from shared.settings import ConnectionSettings, Settings
from shared.streams.activity.endpoint import ActivityFeed
from shared.tables import ACTIVITY
from shared.wiring import build, limits_of, modes_of, open_client, pace_of

Price = Annotated[float | None, typer.Option(min=0, help="Your price of a GB ingested into the Analytics plan.")]
MonthPrice = Annotated[float | None, typer.Option(min=0, help="Your price of a GB kept for a month.")]


def estimate(
    days: Annotated[int, typer.Option(min=1, max=2200, help="Whole days back from the last full hour.")] = 7,
    sample_hours: Annotated[
        int, typer.Option(min=1, max=24, help="Read only this many hours of each day, and extrapolate the rest.")
    ] = 24,
    price_per_gb: Price = None,
    interactive_price: MonthPrice = None,
    long_term_price: MonthPrice = None,
    interactive_months: Annotated[int, typer.Option(min=0, max=24, help="Months kept for queries.")] = 12,
    total_months: Annotated[int, typer.Option(min=0, max=144, help="Months kept in all.")] = 24,
    connection: Name = None,
    as_json: AsJson = False,
) -> None:
    """Read the feed and write nothing: rows, bytes, requests and cost, by category. Prices are yours, none is built in.

    The reads themselves appear in the feed, as every read does. Where the connection is initialized, a health row names
    them, so that `IsOwnRead` knows them; before that nothing is written at all.
    """
    prices = Prices(price_per_gb, interactive_price, long_term_price)

    async def work(settings: Settings) -> int:
        if not all(math.isfinite(price) for price in (price_per_gb, interactive_price, long_term_price) if price):
            raise ConfigError("a price must be a number with an end")
        found = []
        for each in settings.named(connection):
            estimated = await _read(settings, each, days, sample_hours)
            requests = costing.requests_a_day(estimated.a_day(estimated.read), pace_of(settings))
            volume = costing.volume(estimated, requests)
            costs = costing.costs(
                volume.gb_a_month, prices, interactive_months=interactive_months, total_months=total_months
            )
            found.append((estimated, requests, volume, costs))
        if as_json:
            print_json({"connections": [_as_json(*each) for each in found]})
        else:
            for part in found:
                _print(*part)
        return 0

    with_settings(work)


async def _read(settings: Settings, each: ConnectionSettings, days: int, sample_hours: int) -> Estimate:
    clock = SystemClock()
    limits = limits_of(settings)
    how = Delivering(each.name, pace_of(settings), limits, _shaping(settings), settings.content_names)
    async with open_client(settings, each, clock, "estimate") as client:
        reading = await ActivityFeed(client, organization_ids=each.organization_ids).reading()
        with bar() as progress:
            total = days * (1 if sample_hours == 24 else sample_hours)
            task = progress.add_task(f"reading {each.name}", total=total)
            try:
                return await estimate_feed(
                    how, reading, clock, days=days, sample_hours=sample_hours, tell=lambda _: progress.advance(task)
                )
            finally:
                await _own_up(settings, each, reading.receipts)


async def _own_up(settings: Settings, each: ConnectionSettings, receipts: Receipts) -> None:
    """Record in health which reads were the bridge's own, if the connection is initialized. Never raises."""
    try:
        async with build(settings) as bridge:
            connection = bridge.connection(each.name)
            if not await connection.checkpoint_store.exists():
                return
            async with connection.run(RunKind.ESTIMATE) as run:
                run.note(receipts)
    except ConfigError:
        return  # no rule or no state is set: there is no workspace to write to
    except BridgeError as failed:
        complain(f"{each.name}: no health row could mark these reads as the bridge's own: {failed}")


def _shaping(settings: Settings) -> Shaping:
    """What would leave; the hashes' key is zeros, since all hashes have one length."""
    return Shaping(Minimizer(modes_of(settings), bytes(32)), settings.deployed_table_versions.get(ACTIVITY))


def _as_json(found: Estimate, requests: Sequence[Term], volume: Volume, costs: Sequence[Cost]) -> dict[str, Any]:
    return {
        "connection": found.connection,
        "from": found.window.gte.isoformat(),
        "to": found.window.lt.isoformat(),
        "days": found.days,
        "sampled": found.factor != 1,
        "factor": found.factor,
        "activities_read": found.read,
        "requests_made": found.requests,
        "people_seen": found.people,
        "only_counted": found.counted,
        "would_be_set_aside": found.unfit,
        "rows_a_day": found.a_day(found.rows),
        "gb_a_day": volume.gb_a_day,
        "gb_a_month": volume.gb_a_month,
        "requests_a_day": sum(term.amount for term in requests),
        "requests": [_term(term) for term in requests],
        "volume": [_term(term) for term in volume.terms],
        "categories": {
            name: {"rows": share.rows, "bytes": share.bytes, "share": share.bytes / found.bytes}
            for name, share in _largest(found)
        },
        "costs": [
            {"plan": cost.plan, "retention": cost.retention, "gb": cost.gb, "how": cost.how, "price": cost.price}
            | {"money_a_month": cost.money}
            for cost in costs
        ],
    }


def _term(term: Term) -> dict[str, Any]:
    return {"what": term.what, "a_day": term.amount, "how": term.how}


def _largest(found: Estimate) -> list[tuple[str, Any]]:
    return sorted(found.categories.items(), key=lambda named: -named[1].bytes)


def _print(found: Estimate, requests: Sequence[Term], volume: Volume, costs: Sequence[Cost]) -> None:
    console.print(
        f"{found.connection}: {found.read:,} activities of {found.people:,} people read, "
        f"{found.window.gte:%Y-%m-%d %H:%M} to {found.window.lt:%Y-%m-%d %H:%M} UTC, {found.requests} requests.",
        highlight=False,
        markup=False,
    )
    if found.factor != 1:
        hours = round(24 / found.factor)
        console.print(
            f"A sample: {hours} hours of each day were read; figures a day are those x 24/{hours}.", style="yellow"
        )
    if found.counted or found.unfit:
        console.print(f"{found.counted:,} are only counted (MINIMIZE), {found.unfit:,} would be dead letters.")
    grid = _grid("category", "rows read", "bytes as sent", "share")
    for name, share in _largest(found):
        grid.add_row(name, f"{share.rows:,}", f"{share.bytes:,}", f"{share.bytes / found.bytes:.1%}")
    console.print(grid, "")
    grid = _grid("bytes a day", "", "how")
    for term in volume.terms:
        grid.add_row(term.what, f"{term.amount:,.0f}", term.how)
    console.print(grid, "")
    console.print(
        f"{found.a_day(found.rows):,.0f} rows a day; {volume.gb_a_day:,.4f} GB a day, {volume.gb_a_month:,.3f} GB a "
        "month of 30 days. Measured as JSON with column names, as sent: what is billed is the stored columns.\n",
        highlight=False,
        markup=False,
    )
    grid = _grid("requests a day", "", "how")
    for term in requests:
        grid.add_row(term.what, f"{term.amount:,.0f}", term.how)
    grid.add_row("in all", f"{sum(term.amount for term in requests):,.0f}", "of 864,000 that 600 a minute allow")
    console.print(grid, "")
    grid = _grid("plan", "retention", "GB a month", "how", "a month")
    for cost in costs:
        money = f"{cost.gb:,.2f} x your price" if cost.money is None else f"x {cost.price:g} = {cost.money:,.2f}"
        grid.add_row(cost.plan, cost.retention, f"{cost.gb:,.2f}", cost.how, money)
    console.print(grid, "")


def _grid(*names: str) -> Grid:
    grid = Grid(box=None, pad_edge=False)
    for name in names:
        grid.add_column(name, justify="right" if name in ("rows read", "bytes as sent", "share", "") else "left")
    return grid
