"""A person's day: sign-in, bursts of work around lunch, from office or home, sometimes late, rarely on weekends."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Any, Final, Literal

from sandbox.tenant.catalogue import ActivityType, activity_types
from sandbox.tenant.company import Company
from sandbox.tenant.people import CODE_AGENT, Person
from sandbox.tenant.recorder import Recorder
from sandbox.tenant.usage_profile import BENIGN, BY_DEPARTMENT, EVERYBODY, FROM_THE_TERMINAL
from sandbox.tenant.values import BLANKED, ValueGenerator

# Objects that a person uses again, so that what is viewed today was created before.
_REUSED: Final = frozenset(
    {
        "claude_chat_id",
        "claude_project_id",
        "claude_project_document_id",
        "claude_file_id",
        "claude_artifact_id",
        "claude_chat_snapshot_id",
        "cowork_session_id",
        "session_id",
        "design_project_id",
        "share_id",
    }
)
_RECENT_IDS: Final = 8
_ABSENT: Final = 0.11  # holidays, sickness, days without Claude
_WEEKEND_WORK: Final = 0.05
_ACTIVITIES_PER_DAY: Final = 12.5  # besides signing in and out

_IdUse = Literal["known", "new", "removed", "optional"]
_RecentIds = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class _ActivityPlan:
    """How one activity type is generated: which remembered ids it uses, and whether other fields need values."""

    kind: ActivityType
    id_uses: tuple[tuple[str, _IdUse], ...]
    blanks: tuple[str, ...]
    needs_values: bool
    benign: Mapping[str, Any]
    from_terminal: bool


class Routine:
    """The ordinary days of everyone in `company`; remembers the objects each person used recently."""

    def __init__(self, company: Company, recorder: Recorder, seed: int) -> None:
        self._company = company
        self._recorder = recorder
        self._seed = seed
        self._recent: dict[str, _RecentIds] = {}
        self._plans = {department: _choices(department) for department in {p.department for p in company.people}}

    def day(self, day: date) -> None:
        """Record the local calendar day `day` of every person, wherever they are."""
        rng = random.Random(f"{self._seed}/routine/{day}")
        values = ValueGenerator(rng, self._company.pools)
        midnight = datetime.combine(day, time(), UTC)
        weekend = day.weekday() >= 5
        for person in self._company.people:
            if rng.random() >= (_WEEKEND_WORK if weekend else 1 - _ABSENT):
                continue
            noon = midnight + timedelta(hours=12) - person.utc_offset
            if person.employed(noon):
                self._work(person, midnight - person.utc_offset, values, weekend=weekend)

    def _work(self, person: Person, midnight: datetime, values: ValueGenerator, *, weekend: bool) -> None:
        rng = values.rng
        address = person.home if weekend or rng.random() < 0.4 else person.works_from
        shift = 10.5 if person.night_owl else 0.0
        starts = midnight + timedelta(hours=max(5.0, rng.gauss(8.6, 0.7)) + shift)
        self._sign_in(person, starts, address, rng)
        count = max(1, round(rng.gauss(_ACTIVITIES_PER_DAY * person.diligence, 3) * (0.4 if weekend else 1)))
        plans, weights = self._plans[person.department]
        last = starts
        while count > 0:
            burst = min(count, rng.randint(2, 6))
            count -= burst
            roll = rng.random()
            hour = rng.gauss(10.3, 0.9) if roll < 0.48 else rng.gauss(15.0, 1.2) if roll < 0.95 else rng.gauss(20.2, 1)
            at = max(starts + timedelta(seconds=30), midnight + timedelta(hours=hour + shift))
            evening = roll >= 0.95 and rng.random() < 0.7
            where, agent = (person.home, person.mobile_agent) if evening else (address, person.user_agent)
            for plan in rng.choices(plans, cum_weights=weights, k=burst):
                at += timedelta(seconds=rng.expovariate(1 / 75), microseconds=rng.randrange(1_000_000))
                self._do(plan, person, at, where, CODE_AGENT if plan.from_terminal else agent, values)
            last = max(last, at)
        if rng.random() < 0.2:
            away = last + timedelta(minutes=rng.uniform(2, 40))
            self._record(away, "user_logged_out", person, person.actor(address=address), {})

    def _sign_in(self, person: Person, at: datetime, address: str, rng: random.Random) -> None:
        stranger = {
            "type": "unauthenticated_user_actor",
            "ip_address": address,
            "user_agent": person.user_agent,
            "unauthenticated_email_address": person.email,
        }
        self._record(at, "sso_login_initiated", person, stranger, {})
        if rng.random() < 0.02:
            at += timedelta(seconds=rng.uniform(4, 30))
            self._record(at, "sso_login_failed", person, stranger, {})
        at += timedelta(seconds=rng.uniform(2, 25))
        fields = {"auth_method": "sso", "mfa_method": "not_used" if rng.random() < 0.8 else None}
        self._record(at, "sso_login_succeeded", person, person.actor(address=address), fields)

    def _do(
        self, plan: _ActivityPlan, person: Person, at: datetime, address: str, agent: str, values: ValueGenerator
    ) -> None:
        fields = values.fields(plan.kind, at) if plan.needs_values else {}
        recent = self._recent.setdefault(person.user_id, {})
        for name, use in plan.id_uses:
            fields[name] = _next_id(recent.setdefault(name, []), name, use, values)
        for name in plan.blanks:
            roll = values.rng.random()
            if roll < 0.96:
                fields[name] = None if roll < 0.9 else ""
        fields.update(plan.benign)
        self._record(at, plan.kind.name, person, person.actor(address=address, agent=agent), fields)

    def _record(
        self, at: datetime, type: str, person: Person, actor: Mapping[str, Any], fields: dict[str, Any]
    ) -> None:
        if person.employed(at):
            self._recorder.record(at, type, actor, self._company.organization(person.organization_id), fields)


def _choices(department: str) -> tuple[Sequence[_ActivityPlan], Sequence[float]]:
    """The activity types of a department with their cumulative weights."""
    weights = dict(EVERYBODY)
    for name, extra in BY_DEPARTMENT.get(department, {}).items():
        weights[name] = weights.get(name, 0) + extra
    return [_plan(activity_types()[name]) for name in weights], list(accumulate(weights.values()))


def _plan(kind: ActivityType) -> _ActivityPlan:
    reused = [field for field in kind.fields if field.name in _REUSED]
    own = kind.own_id or next((field.name for field in reused if field.required), None)
    id_uses: list[tuple[str, _IdUse]] = []
    for field in reused:
        use: _IdUse = "optional" if field.shape.nullable else "known"
        if field.name == own and kind.name.endswith(("_created", "_uploaded")):
            use = "new"
        elif field.name == own and kind.name.endswith("_deleted"):
            use = "removed"
        id_uses.append((field.name, use))
    with_ids = {name for name, _ in id_uses}
    return _ActivityPlan(
        kind,
        tuple(id_uses),
        tuple(field.name for field in kind.fields if field.name in BLANKED),
        any(field.name not in with_ids and field.name not in BLANKED for field in kind.fields),
        BENIGN.get(kind.name, {}),
        kind.name.startswith(FROM_THE_TERMINAL),
    )


def _next_id(recent: list[str], name: str, use: _IdUse, values: ValueGenerator) -> str | None:
    rng = values.rng
    if use == "optional" and rng.random() < 0.65:
        return None
    if use == "new" or not recent:
        made = values.ids.of(name)
        if use != "removed":
            if len(recent) >= _RECENT_IDS:
                recent.pop(rng.randrange(len(recent)))
            recent.append(made)
        return made
    chosen = rng.randrange(len(recent))
    return recent.pop(chosen) if use == "removed" else recent[chosen]
