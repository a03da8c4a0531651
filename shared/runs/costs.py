"""From rows a day to requests, gigabytes and money, as arithmetic that shows its work. Pure; knows no prices."""

import math
from dataclasses import dataclass
from datetime import timedelta

from shared.runs.estimate import Estimate
from shared.state.checkpoint import WIDE_EVERY, Pace
from shared.state.plan import SWEEP_AGES, TRANSPARENCY_SPAN

GB = 1_000_000_000
MONTH_DAYS = 30
INCLUDED_MONTHS = 3
"""Interactive retention that an Analytics table with Sentinel includes (90 days)."""
HEALTH_ROW_BYTES = 900
"""A live run's health row as sent, measured in the sandbox (715 to 900)."""
OWN_ROW_BYTES = 1100
"""The row of one of our own requests, where the period shows none to measure."""
POLL_SECONDS = 60
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a sum: what it is, how much of it a day, and how that was calculated."""

    what: str
    amount: float
    how: str


@dataclass(frozen=True, slots=True)
class Volume:
    """What the workspace takes in: bytes a day by source; a month has 30 days."""

    terms: tuple[Term, ...]

    @property
    def gb_a_day(self) -> float:
        return sum(term.amount for term in self.terms) / GB

    @property
    def gb_a_month(self) -> float:
        return self.gb_a_day * MONTH_DAYS


@dataclass(frozen=True, slots=True)
class Prices:
    """The reader's own prices per GB (a month, for retention), in any currency; None leaves the sum open."""

    ingested: float | None = None
    interactive: float | None = None
    long_term: float | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of the table: gigabytes a month, what they are, and the money when a price was given."""

    plan: str
    retention: str
    gb: float
    how: str
    price: float | None

    @property
    def money(self) -> float | None:
        return None if self.price is None else self.gb * self.price


def requests_a_day(rows_a_day: float, pace: Pace) -> tuple[Term, ...]:
    """Requests of a connection that runs every minute, at an even load; a busy hour needs more pages."""
    wide = DAY_SECONDS / WIDE_EVERY.total_seconds()
    polls = DAY_SECONDS / POLL_SECONDS
    short = polls - wide
    narrow_pages = _pages(rows_a_day, timedelta(seconds=POLL_SECONDS) + pace.overlap, pace)
    wide_pages = _pages(rows_a_day, timedelta(seconds=POLL_SECONDS) + pace.wide_overlap, pace)
    sweeps = 24 * len(SWEEP_AGES)
    sweep_pages = _pages(rows_a_day, timedelta(hours=1), pace)
    proof_pages = _pages(rows_a_day, timedelta(days=1), pace)
    overlap, wide_overlap = (int(each.total_seconds()) for each in (pace.overlap, pace.wide_overlap))
    return (
        Term(
            "live reading",
            short * narrow_pages,
            f"{short:.0f} windows of {POLL_SECONDS} s and {overlap} s overlap x {narrow_pages} page",
        ),
        Term(
            "live reading, long overlap",
            wide * wide_pages,
            f"{wide:.0f} windows of {POLL_SECONDS} s and {wide_overlap} s overlap x {wide_pages} page",
        ),
        Term(
            "sweeps",
            sweeps * sweep_pages,
            f"24 hours, each read again at {len(SWEEP_AGES)} ages x {sweep_pages} page",
        ),
        Term("access transparency", 1, f"one window of {TRANSPARENCY_SPAN.days} days, two types only"),
        Term("daily proof", proof_pages, f"one window of a day x {proof_pages} page"),
    )


def _pages(rows_a_day: float, span: timedelta, pace: Pace) -> int:
    """A window costs a request even when it is empty."""
    return max(1, math.ceil(rows_a_day * span.total_seconds() / DAY_SECONDS / pace.page_limit))


def volume(found: Estimate, requests: tuple[Term, ...]) -> Volume:
    """Bytes a day: the activities read, the rows our own requests will leave in the feed, and health rows."""
    asked = sum(term.amount for term in requests)
    seen = found.a_day(found.ours)
    to_come = max(0.0, asked - seen)
    share = found.categories.get("compliance_api")
    size = share.bytes / share.rows if share and share.rows else OWN_ROW_BYTES
    runs = DAY_SECONDS / POLL_SECONDS + 24 * len(SWEEP_AGES) + 2
    return Volume(
        (
            Term(
                "activities",
                found.a_day(found.bytes),
                f"{found.bytes:,} bytes read / {found.days} days x {found.factor:.4g}",
            ),
            Term(
                "rows of our own requests",
                to_come * size,
                f"({asked:,.0f} requests - {seen:,.0f} already in the feed) x {size:,.0f} bytes",
            ),
            Term("health rows", runs * HEALTH_ROW_BYTES, f"{runs:,.0f} runs x {HEALTH_ROW_BYTES} bytes"),
        )
    )


def costs(gb_a_month: float, prices: Prices, *, interactive_months: int, total_months: int) -> tuple[Cost, ...]:
    """Money a month once retention is full; months beyond what is included are stored months."""
    stored = max(0, interactive_months - INCLUDED_MONTHS)
    archived = max(0, total_months - max(interactive_months, INCLUDED_MONTHS))
    return (
        Cost(
            "Analytics, ingestion",
            f"{INCLUDED_MONTHS} months included",
            gb_a_month,
            f"{gb_a_month:,.2f} GB a month",
            prices.ingested,
        ),
        Cost(
            "Analytics, interactive retention",
            f"{interactive_months} months",
            gb_a_month * stored,
            f"{gb_a_month:,.2f} GB x {stored} months beyond the {INCLUDED_MONTHS} included",
            prices.interactive,
        ),
        Cost(
            "long-term retention",
            f"{total_months} months in all",
            gb_a_month * archived,
            f"{gb_a_month:,.2f} GB x {archived} months beyond interactive",
            prices.long_term,
        ),
    )
