"""Build one storyline: the activities that belong to it, and benign look-alikes on which its rules must not fire."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sandbox.tenant.catalogue import activity_types
from sandbox.tenant.company import Company, TenantOrganization
from sandbox.tenant.people import Person
from sandbox.tenant.places import FAR_PLACES, Place, host
from sandbox.tenant.recorder import Blind, Recorder
from sandbox.tenant.values import ValueGenerator

Actor = Mapping[str, Any]
ANTHROPIC: Final[Actor] = {"type": "anthropic_actor", "email_address": None}
LINUX: Final = "Mozilla/5.0 (X11; Linux x86_64)"
SYSTEM: Final[Actor] = {"type": "system_actor", "service": "sharing-cleanup"}


@dataclass(frozen=True, slots=True)
class Storyline:
    """A named incident in the feed. `rules` are the slugs that should fire, `activity_ids` in order of time.

    `actor_ids` holds user, key, service-account and directory ids; strangers and the provider have none.
    """

    name: str
    title: str
    what: str
    started: datetime
    ended: datetime
    actor_ids: tuple[str, ...]
    activity_ids: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """The definition of a storyline; `play` adds its activities to the builder."""

    name: str
    title: str
    what: str
    rules: tuple[str, ...]
    play: "Callable[[StorylineBuilder], None]"


@dataclass(frozen=True, slots=True)
class _Step:
    at: datetime
    type: str
    actor: Actor
    organization: TenantOrganization | None
    fields: Mapping[str, Any]
    belongs: bool


class StorylineBuilder:
    """Collects the activities of one storyline; `midnight` is UTC midnight of its day."""

    def __init__(self, company: Company, midnight: datetime, rng: random.Random) -> None:
        self.company = company
        self.midnight = midnight
        self.rng = rng
        self.values = ValueGenerator(rng, company.pools)
        self.ids = self.values.ids
        self.blind: list[Blind] = []
        self.departed: list[Person] = []
        self.staff = [p for p in company.people if not p.left and p.hired < midnight - timedelta(days=5)]
        self._steps: list[_Step] = []

    def add(
        self, at: datetime, type: str, actor: Actor, organization: TenantOrganization | None = None, /, **fields: Any
    ) -> datetime:
        """Add an activity of the storyline, filling in required fields. Returns a time shortly after `at`."""
        return self._write(at, type, actor, organization, fields, belongs=True)

    def add_benign(
        self, at: datetime, type: str, actor: Actor, organization: TenantOrganization | None = None, /, **fields: Any
    ) -> datetime:
        """Add a look-alike: ordinary behavior near the storyline."""
        return self._write(at, type, actor, organization, fields, belongs=False)

    def _write(
        self,
        at: datetime,
        type: str,
        actor: Actor,
        organization: TenantOrganization | None,
        fields: Mapping[str, Any],
        *,
        belongs: bool,
    ) -> datetime:
        at = at.replace(microsecond=self.rng.randrange(1_000_000))
        given = {**self.values.fields(activity_types()[type], at), **fields}
        self._steps.append(_Step(at, type, actor, organization or self.company.claude[0], given, belongs))
        return at + timedelta(seconds=self.rng.uniform(3, 40))

    def at(self, person: Person | None, hour: float) -> datetime:
        """Some minutes past `hour` of the storyline's day, in the person's local time or UTC."""
        offset = person.utc_offset if person else timedelta()
        return self.midnight - offset + timedelta(hours=hour, seconds=self.rng.uniform(0, 400))

    def someone(self, department: str) -> Person:
        """A current member of `department` without an administrative role."""
        fitting = [p for p in self.staff if p.department == department and p.role == "user"]
        return self.rng.choice(fitting or self.staff)

    def holder(self, *roles: str) -> Person:
        """Somebody who holds one of `roles`."""
        return self.rng.choice(self.company.with_role(*roles))

    def organization(self, person: Person) -> TenantOrganization:
        return self.company.organization(person.organization_id)

    def far_place(self) -> Place:
        return self.rng.choice(FAR_PLACES)

    def far_address(self, place: Place | None = None) -> str:
        return host((place or self.far_place()).home, self.rng.randrange(14))

    def stranger(self, address: str, claimed: str | None = None, agent: str = LINUX) -> Actor:
        """An unauthenticated actor; `claimed` is the e-mail address entered at sign-in."""
        return {
            "type": "unauthenticated_user_actor",
            "ip_address": address,
            "user_agent": agent,
            "unauthenticated_email_address": claimed,
        }

    def record_into(self, recorder: Recorder, script: Script) -> Storyline | None:
        """Record every activity; None, with nothing recorded, when the storyline exceeds the simulated period."""
        script.play(self)
        steps = sorted(self._steps, key=lambda step: step.at)
        if steps[0].at < recorder.start or steps[-1].at >= recorder.end:
            return None
        ids: list[str] = []
        for step in steps:
            id = recorder.record(step.at, step.type, step.actor, step.organization, step.fields, drift=False)
            if step.belongs and id:
                ids.append(id)
        ours = [step for step in steps if step.belongs]
        actors = dict.fromkeys(_id_of(step.actor) for step in ours)
        return Storyline(
            name=script.name,
            title=script.title,
            what=script.what,
            started=ours[0].at,
            ended=ours[-1].at,
            actor_ids=tuple(actor for actor in actors if actor),
            activity_ids=tuple(ids),
            rules=script.rules,
        )


def _id_of(actor: Actor) -> str | None:
    names = ("user_id", "api_key_id", "admin_api_key_id", "service_account_id", "directory_id", "subject")
    return next((actor[name] for name in names if actor.get(name)), None)
