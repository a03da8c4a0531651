"""Simulate the tenant day by day: storylines are scheduled first, then each day's routine fills the feed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sandbox.activity import FeedEntry
from sandbox.tenant.administration import Administration
from sandbox.tenant.collector import Collector
from sandbox.tenant.company import Company, Group, ServiceAccount, TenantKey, TenantOrganization, create_company
from sandbox.tenant.people import Person
from sandbox.tenant.recorder import Blind, Recorder
from sandbox.tenant.routine import Routine
from sandbox.tenant.storyline import Storyline, StorylineBuilder
from sandbox.tenant.storylines import SCRIPTS

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A simulated tenant and its whole feed; `entries` are sorted by creation, ties by id."""

    organizations: tuple[TenantOrganization, ...]
    people: tuple[Person, ...]
    groups: tuple[Group, ...]
    service_accounts: tuple[ServiceAccount, ...]
    keys: tuple[TenantKey, ...]
    storylines: tuple[Storyline, ...]
    entries: list[FeedEntry]


class Simulation:
    """One simulation over [start, end). The company and its storylines are created before the first day."""

    def __init__(
        self, *, start: datetime, end: datetime, people: int = 400, seed: int = 7, late_share: float = 0.002
    ) -> None:
        """`start` and `end` are aware; ValueError unless `start` is before `end`."""
        self._start, self._end = start.astimezone(UTC), end.astimezone(UTC)
        if self._end <= self._start:
            raise ValueError(f"end {end} is not after start {start}")
        self._seed = seed
        self.company: Company = create_company(start=self._start, end=self._end, people=people, seed=seed)
        self._recorder = Recorder(start=self._start, end=self._end, seed=seed, late_share=late_share)
        self._departed: set[str] = set()
        blind: list[Blind] = []
        self.storylines: tuple[Storyline, ...] = tuple(
            sorted(self._schedule(blind), key=lambda storyline: storyline.started)
        )
        # Set last: a blind window hides ordinary activity, never a storyline.
        self._recorder.blind = blind

    def days(self) -> Iterator[list[FeedEntry]]:
        """The feed, one sorted list per UTC day; memory holds about two days. Call once.

        The local day of people east of Greenwich begins in the previous UTC day, so a UTC day is complete only
        when the next local day has been simulated too.
        """
        routine = Routine(self.company, self._recorder, self._seed)
        administration = Administration(
            self.company, self._recorder, self._seed, in_storylines=frozenset(self._departed)
        )
        collector = Collector(self.company, self._recorder, self._seed)
        day = self._start.date()

        def simulate(day: date) -> None:
            routine.day(day)
            administration.day(day)
            collector.day(day)

        simulate(day - _DAY)
        simulate(day)
        while datetime.combine(day, time(), UTC) < self._end:
            simulate(day + _DAY)
            day += _DAY
            yield self._recorder.take(datetime.combine(day, time(), UTC))

    def _schedule(self, blind: list[Blind]) -> Iterator[Storyline]:
        """Record every script on its own working day, or an adjacent day; skip those that do not fit."""
        for number, script in enumerate(SCRIPTS):
            moment = self._start + (self._end - self._start) * ((number + 0.5) / len(SCRIPTS))
            midnight = datetime.combine(moment.date(), time(), UTC)
            midnight += timedelta(days=(0, 0, 0, 0, 0, -1, 1)[midnight.weekday()])
            for shift in (0, 1, -1):
                rng = random.Random(f"{self._seed}/{script.name}")
                story = StorylineBuilder(self.company, midnight + shift * _DAY, rng)
                storyline = story.record_into(self._recorder, script)
                if storyline:
                    self._departed.update(person.user_id for person in story.departed)
                    blind.extend(story.blind)
                    yield storyline
                    break


def build_tenant(
    *, start: datetime, end: datetime, people: int = 400, seed: int = 7, late_share: float = 0.002
) -> Tenant:
    """Simulate all of [start, end) in memory; for large tenants iterate over `days` instead.

    `late_share` of the activities become visible 2 minutes to 40 hours late, the others within a minute.
    """
    simulation = Simulation(start=start, end=end, people=people, seed=seed, late_share=late_share)
    entries = [entry for day in simulation.days() for entry in day]
    company = simulation.company
    return Tenant(
        (company.parent, *company.claude, *company.console),
        company.people,
        company.groups,
        company.service_accounts,
        company.keys,
        simulation.storylines,
        entries,
    )


def days(
    *, start: datetime, end: datetime, people: int = 400, seed: int = 7, late_share: float = 0.002
) -> Iterator[list[FeedEntry]]:
    """The same feed as `build_tenant`, one UTC day at a time."""
    return Simulation(start=start, end=end, people=people, seed=seed, late_share=late_share).days()
