"""A person's day: sign in, work in bursts around lunch, from office or home, sometimes late, rarely on weekends."""

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

# What a person keeps at hand between activities, so that what is viewed today was created before.
_SHELVES: Final = frozenset(
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
_SHELF_SIZE: Final = 8
_ABSENT: Final = 0.11  # holidays, sickness, days without Claude
_WEEKEND_WORK: Final = 0.05
_DEEDS_A_DAY: Final = 12.5  # besides signing in and out

_Move = Literal["known", "new", "gone", "perhaps"]
_Shelves = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class _Deed:
    """One type as routine does it: what happens to which shelf, and whether other fields need values."""

    kind: ActivityType
    moves: tuple[tuple[str, _Move], ...]
    blanks: tuple[str, ...]
    needs_values: bool
    benign: Mapping[str, Any]
    from_terminal: bool


class Routine:
    """The ordinary days of everybody in `company`; remembers what each person has at hand."""

    def __init__(self, company: Company, recorder: Recorder, seed: int) -> None:
        self._company = company
        self._recorder = recorder
        self._seed = seed
        self._shelves: dict[str, _Shelves] = {}
        self._deeds = {department: _choices(department) for department in {p.department for p in company.people}}

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
        count = max(1, round(rng.gauss(_DEEDS_A_DAY * person.diligence, 3) * (0.4 if weekend else 1)))
        deeds, weights = self._deeds[person.department]
        last = starts
        while count > 0:
            burst = min(count, rng.randint(2, 6))
            count -= burst
            roll = rng.random()
            hour = rng.gauss(10.3, 0.9) if roll < 0.48 else rng.gauss(15.0, 1.2) if roll < 0.95 else rng.gauss(20.2, 1)
            at = max(starts + timedelta(seconds=30), midnight + timedelta(hours=hour + shift))
            evening = roll >= 0.95 and rng.random() < 0.7
            where, agent = (person.home, person.mobile_agent) if evening else (address, person.user_agent)
            for deed in rng.choices(deeds, cum_weights=weights, k=burst):
                at += timedelta(seconds=rng.expovariate(1 / 75), microseconds=rng.randrange(1_000_000))
                self._do(deed, person, at, where, CODE_AGENT if deed.from_terminal else agent, values)
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

    def _do(self, deed: _Deed, person: Person, at: datetime, address: str, agent: str, values: ValueGenerator) -> None:
        fields = values.fields(deed.kind, at) if deed.needs_values else {}
        shelves = self._shelves.setdefault(person.user_id, {})
        for name, move in deed.moves:
            fields[name] = _move(shelves.setdefault(name, []), name, move, values)
        for name in deed.blanks:
            roll = values.rng.random()
            if roll < 0.96:
                fields[name] = None if roll < 0.9 else ""
        fields.update(deed.benign)
        self._record(at, deed.kind.name, person, person.actor(address=address, agent=agent), fields)

    def _record(
        self, at: datetime, type: str, person: Person, actor: Mapping[str, Any], fields: dict[str, Any]
    ) -> None:
        if person.employed(at):
            self._recorder.record(at, type, actor, self._company.organization(person.organization_id), fields)


def _choices(department: str) -> tuple[Sequence[_Deed], Sequence[float]]:
    """The deeds of a department with their cumulative weights."""
    weights = dict(EVERYBODY)
    for name, extra in BY_DEPARTMENT.get(department, {}).items():
        weights[name] = weights.get(name, 0) + extra
    return [_deed(activity_types()[name]) for name in weights], list(accumulate(weights.values()))


def _deed(kind: ActivityType) -> _Deed:
    on_shelves = [field for field in kind.fields if field.name in _SHELVES]
    own = kind.own_id or next((field.name for field in on_shelves if field.required), None)
    moves: list[tuple[str, _Move]] = []
    for field in on_shelves:
        move: _Move = "perhaps" if field.shape.nullable else "known"
        if field.name == own and kind.name.endswith(("_created", "_uploaded")):
            move = "new"
        elif field.name == own and kind.name.endswith("_deleted"):
            move = "gone"
        moves.append((field.name, move))
    shelved = {name for name, _ in moves}
    return _Deed(
        kind,
        tuple(moves),
        tuple(field.name for field in kind.fields if field.name in BLANKED),
        any(field.name not in shelved and field.name not in BLANKED for field in kind.fields),
        BENIGN.get(kind.name, {}),
        kind.name.startswith(FROM_THE_TERMINAL),
    )


def _move(shelf: list[str], name: str, move: _Move, values: ValueGenerator) -> str | None:
    rng = values.rng
    if move == "perhaps" and rng.random() < 0.65:
        return None
    if move == "new" or not shelf:
        made = values.ids.of(name)
        if move != "gone":
            if len(shelf) >= _SHELF_SIZE:
                shelf.pop(rng.randrange(len(shelf)))
            shelf.append(made)
        return made
    chosen = rng.randrange(len(shelf))
    return shelf.pop(chosen) if move == "gone" else shelf[chosen]
