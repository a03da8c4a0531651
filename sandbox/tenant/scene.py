"""The stage of one storyline: what belongs to it, and the look-alikes beside it that no rule should mistake for it."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sandbox.tenant.catalogue import activity_types
from sandbox.tenant.company import Company, Organization
from sandbox.tenant.feed import Blind, Recorder
from sandbox.tenant.people import Person
from sandbox.tenant.places import FAR_PLACES, Place, host
from sandbox.tenant.values import Values

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
    """How a storyline is played: `play` fills the scene."""

    name: str
    title: str
    what: str
    rules: tuple[str, ...]
    play: "Callable[[Scene], None]"


@dataclass(frozen=True, slots=True)
class _Act:
    at: datetime
    type: str
    actor: Actor
    organization: Organization | None
    fields: Mapping[str, Any]
    belongs: bool


class Scene:
    """One storyline being written down; `midnight` is UTC midnight of its day."""

    def __init__(self, company: Company, midnight: datetime, rng: random.Random) -> None:
        self.company = company
        self.midnight = midnight
        self.rng = rng
        self.values = Values(rng, company.pools)
        self.ids = self.values.ids
        self.blind: list[Blind] = []
        self.departed: list[Person] = []
        self.staff = [p for p in company.people if not p.left and p.hired < midnight - timedelta(days=5)]
        self._acts: list[_Act] = []

    def act(
        self, at: datetime, type: str, actor: Actor, organization: Organization | None = None, /, **fields: Any
    ) -> datetime:
        """Part of the story; required fields that are not given are filled in. Returns a moment shortly after `at`."""
        return self._write(at, type, actor, organization, fields, belongs=True)

    def beside(
        self, at: datetime, type: str, actor: Actor, organization: Organization | None = None, /, **fields: Any
    ) -> datetime:
        """A look-alike: ordinary behaviour near the story."""
        return self._write(at, type, actor, organization, fields, belongs=False)

    def _write(
        self,
        at: datetime,
        type: str,
        actor: Actor,
        organization: Organization | None,
        fields: Mapping[str, Any],
        *,
        belongs: bool,
    ) -> datetime:
        at = at.replace(microsecond=self.rng.randrange(1_000_000))
        given = {**self.values.fields(activity_types()[type], at), **fields}
        self._acts.append(_Act(at, type, actor, organization or self.company.claude[0], given, belongs))
        return at + timedelta(seconds=self.rng.uniform(3, 40))

    def at(self, person: Person | None, hour: float) -> datetime:
        """Some minutes past `hour` of the scene's day, in the person's local time or UTC."""
        offset = person.utc_offset if person else timedelta()
        return self.midnight - offset + timedelta(hours=hour, seconds=self.rng.uniform(0, 400))

    def someone(self, department: str) -> Person:
        """A person of `department` without special rights who stays."""
        fitting = [p for p in self.staff if p.department == department and p.role == "user"]
        return self.rng.choice(fitting or self.staff)

    def holder(self, *roles: str) -> Person:
        """Somebody who holds one of `roles`."""
        return self.rng.choice(self.company.with_role(*roles))

    def organization(self, person: Person) -> Organization:
        return self.company.organization(person.organization_id)

    def far_place(self) -> Place:
        return self.rng.choice(FAR_PLACES)

    def far_address(self, place: Place | None = None) -> str:
        return host((place or self.far_place()).home, self.rng.randrange(14))

    def stranger(self, address: str, claimed: str | None = None, agent: str = LINUX) -> Actor:
        """Somebody not signed in, who may have typed an address."""
        return {
            "type": "unauthenticated_user_actor",
            "ip_address": address,
            "user_agent": agent,
            "unauthenticated_email_address": claimed,
        }

    def play_into(self, recorder: Recorder, script: Script) -> Storyline | None:
        """Record everything; None, and nothing recorded, when the story does not fit into the simulated time."""
        script.play(self)
        acts = sorted(self._acts, key=lambda act: act.at)
        if acts[0].at < recorder.start or acts[-1].at >= recorder.end:
            return None
        ids: list[str] = []
        for act in acts:
            id = recorder.record(act.at, act.type, act.actor, act.organization, act.fields, drift=False)
            if act.belongs and id:
                ids.append(id)
        ours = [act for act in acts if act.belongs]
        actors = dict.fromkeys(_id_of(act.actor) for act in ours)
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
