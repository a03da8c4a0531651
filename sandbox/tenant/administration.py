"""Activities besides people's own work: administration, directory, pipelines, provider, unauthenticated users."""

import math
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sandbox.tenant.admin_profile import BY_MACHINES, BY_PEOPLE, HARMLESS_SETTINGS, Who
from sandbox.tenant.catalogue import activity_types
from sandbox.tenant.company import Company, TenantOrganization
from sandbox.tenant.people import Person
from sandbox.tenant.places import CLOUD, FAR_PLACES, NO_ADDRESS, host
from sandbox.tenant.recorder import Recorder
from sandbox.tenant.usage_profile import BENIGN
from sandbox.tenant.values import ValueGenerator

_NIGHTLY: Final = frozenset({"service", "api", "aws"})
_AWS_ROLE: Final = "arn:aws:sts::111122223333:assumed-role/labs-batch/runner"


class Administration:
    """Records administrative activities one day at a time; rates grow with the square root of the company's size."""

    def __init__(self, company: Company, recorder: Recorder, seed: int, *, in_storylines: frozenset[str]) -> None:
        """`in_storylines` are the user ids whose departure is part of a storyline."""
        self._company = company
        self._in_storylines = in_storylines
        self._recorder = recorder
        self._seed = seed
        self._scale = math.sqrt(len(company.people) / 400) / 30
        people = company.with_role
        self._people: dict[Who, list[Person]] = {
            "admin": people("admin", "owner"),
            "membership": people("membership_admin"),
            "billing": people("billing"),
            "security": [p for p in company.people if p.department == "security" and not p.left],
            # A fixed few maintain shared resources: a new person among them would be an anomaly.
            "engineer": [p for p in company.people if p.department == "engineering" and not p.left][:6],
            "member": [p for p in company.people if not p.left],
            "developer": [p for p in company.people if p.console_organization_id and not p.left],
        }

    def day(self, day: date) -> None:
        """Record the activities of `day`: the UTC day for machines, the local day for people."""
        rng = random.Random(f"{self._seed}/administration/{day}")
        values = ValueGenerator(rng, self._company.pools)
        midnight = datetime.combine(day, time(), UTC)
        self._joins_and_leaves(midnight, values)
        self._federated_builds(midnight, values)
        self._memory_migration(midnight, values)
        if day.weekday() < 5:
            for who, rate, types in BY_PEOPLE:
                for type in types:
                    # 30 days have 21.4 working days; the rate is for 30 days.
                    for _ in range(_poisson(rng, rate * self._scale * 1.4)):
                        self._by_person(who, type, midnight, values)
        for who, rate, types in BY_MACHINES:
            for type in types:
                for _ in range(_poisson(rng, rate * self._scale)):
                    self._by_machine(who, type, midnight, values)

    def _by_person(self, who: Who, type: str, midnight: datetime, values: ValueGenerator) -> None:
        rng = values.rng
        candidates = self._people.get(who) or self._people["member"]
        person = rng.choice(candidates)
        at = midnight - person.utc_offset + timedelta(hours=min(18.5, max(8.5, rng.gauss(13, 2.5))))
        if not person.employed(at):
            return
        product = activity_types()[type].product
        console = product == "console" and person.console_organization_id
        place = console or (self._company.console[0].id if product == "console" else person.organization_id)
        self._record(at, type, person.actor(), self._company.organization(place), values)

    def _by_machine(self, who: Who, type: str, midnight: datetime, values: ValueGenerator) -> None:
        hours = values.rng.gauss(2.6, 0.9) % 24 if who in _NIGHTLY else values.rng.uniform(0, 24)
        at = midnight + timedelta(hours=hours)
        actor, organization = self._machine(who, values)
        self._record(at, type, actor, organization, values)

    def _machine(self, who: Who, values: ValueGenerator) -> tuple[dict[str, Any], TenantOrganization | None]:
        """The actor of a machine activity and its organization."""
        rng, ids, company = values.rng, values.ids, self._company
        match who:
            case "terraform":
                return company.key("terraform").actor(), company.console[0]
            case "cost_report":
                return company.key("cost-report").actor(), company.console[1]
            case "service":
                account = rng.choice(company.service_accounts)
                return account.actor(), company.organization(account.organization_id)
            case "api":
                key = rng.choice([key for key in company.keys if key.kind == "api"])
                return key.actor(), company.organization(key.organization_id or company.console[0].id)
            case "aws":
                provider = {"type": "aws", "account_id": "111122223333", "signed_principal": _AWS_ROLE}
                actor: dict[str, Any] = {"type": "federated_actor", "provider": provider, "subject": None}
                return actor | {"ip_address": host(CLOUD, 50), "user_agent": "Boto3/1.40"}, company.console[1]
            case "device":
                device = {"external_client_id": "com.contoso.field-app", "kid_hash": ids.hex(12)}
                phone = rng.choice(company.people)
                address = phone.home if rng.random() < 0.7 else None
                return {"type": "attested_device_actor", **device, "ip_address": address, "user_agent": None}, (
                    company.console[0]
                )
            case "scim":
                return directory_actor(company, values), company.claude[0]
            case "anthropic":
                return {"type": "anthropic_actor", "email_address": None}, company.claude[0]
            case "system":
                service = rng.choice(("retention", "skill-scanner", None))
                return {"type": "system_actor", "service": service}, company.claude[0]
            case _:
                place = rng.choice(FAR_PLACES)
                address, agent = host(place.home, rng.randrange(12)), "LinkPreviewBot/1.0"
                claimed = {"unauthenticated_email_address": None}
                stranger = {"type": "unauthenticated_user_actor", "ip_address": address, "user_agent": agent}
                return stranger | claimed, company.claude[0]

    def _record(
        self,
        at: datetime,
        type: str,
        actor: dict[str, Any],
        organization: TenantOrganization | None,
        values: ValueGenerator,
    ) -> None:
        fields = values.fields(activity_types()[type], at)
        while _acts_on_self(actor, fields):
            fields = values.fields(activity_types()[type], at)
        fields.update(BENIGN.get(type, {}))
        if type == "claude_organization_settings_updated":
            fields["updates"] = [values.setting("organization", values.rng.choice(HARMLESS_SETTINGS))]
        if type == "rbac_role_assigned":
            fields["principal_id"] = values.rng.choice(self._company.groups).id
        self._recorder.record(at, type, actor, organization, fields)

    def _joins_and_leaves(self, midnight: datetime, values: ValueGenerator) -> None:
        """Directory activities for people who join or leave within this UTC day."""
        tomorrow = midnight + timedelta(days=1)
        for person in self._company.people:
            organization = self._company.organization(person.organization_id)
            member = {"user_id": person.user_id, "user_email": person.email}
            if midnight <= person.hired < tomorrow:
                joined = member | {"previous_role": None, "current_role": person.role}
                for seconds, type, fields in (
                    (0, "scim_user_created", {"user_id": person.user_id}),
                    (1.5, "claude_user_role_updated", joined),
                ):
                    at = person.hired + timedelta(seconds=seconds)
                    self._recorder.record(at, type, directory_actor(self._company, values), organization, fields)
            if person.user_id in self._in_storylines or person.left is None:
                continue
            if midnight <= person.left < tomorrow:
                for at, type, fields in departure(person):
                    self._recorder.record(at, type, directory_actor(self._company, values), organization, fields)

    def _federated_builds(self, midnight: datetime, values: ValueGenerator) -> None:
        """Builds exchange their OIDC token around the clock, in small batches; some are refused."""
        rng = values.rng
        for _ in range(_poisson(rng, 24 * max(1.0, self._scale * 30))):
            at = midnight + timedelta(hours=rng.gauss(2.5, 1.2) % 24 if rng.random() < 0.5 else rng.uniform(0, 24))
            repository = rng.choice(("app", "shop", "infra"))
            actor = {
                "type": "federated_identity_actor",
                "issuer": "https://token.ci.example",
                "subject": f"repo:contoso/{repository}:ref:refs/heads/main",
                "audience": ["anthropic"],
                "ip_address": host(CLOUD, rng.randrange(8)),
                "user_agent": "ci-runner/3.4",
            }
            fields = values.fields(activity_types()["platform_federated_authentication"], at)
            failed = rng.random() < 0.04
            outcome, reason = ("failure", "token_expired") if failed else ("success", None)
            fields["status"] = {"outcome": outcome, "reason": reason, "detail": None}
            self._recorder.record(at, "platform_federated_authentication", actor, self._company.console[0], fields)

    def _memory_migration(self, midnight: datetime, values: ValueGenerator) -> None:
        """Anthropic acting on a person's behalf: the person as actor, and no address (compliance-api.md, 6.4)."""
        rng = values.rng
        for _ in range(_poisson(rng, 2 * self._scale * 30)):
            person = rng.choice(self._people["member"])
            at = midnight + timedelta(hours=rng.uniform(0, 24))
            if not person.employed(at):
                continue
            actor = person.actor(address=NO_ADDRESS, agent="anthropic-internal")
            place = self._company.organization(person.organization_id)
            self._record(at, "claude_code_user_memory_updated", actor, place, values)


def _acts_on_self(actor: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    """Whether the actor is also the target, which ordinary administration avoids."""
    user_id = actor.get("user_id")
    return bool(user_id) and any(
        user_id == value or (isinstance(value, list) and user_id in value) for value in fields.values()
    )


def directory_actor(company: Company, values: ValueGenerator) -> dict[str, Any]:
    """The actor of a change pushed by SCIM."""
    return {
        "type": "scim_directory_sync_actor",
        "workos_event_id": values.ids.new("event"),
        "directory_id": company.directory_id,
        "idp_connection_type": "AzureSCIMV2",
    }


def departure(person: Person) -> Iterator[tuple[datetime, str, dict[str, Any]]]:
    """Directory activities when `person` leaves; the deletion itself has no address, as documented."""
    assert person.left is not None
    yield person.left, "scim_user_deleted", {"user_id": person.user_id}
    gone = {"user_id": person.user_id, "user_email": person.email, "previous_role": person.role, "current_role": None}
    yield person.left + timedelta(seconds=1.2), "claude_user_role_updated", gone


def _poisson(rng: random.Random, mean: float) -> int:
    """A Poisson draw by Knuth's algorithm; for means well under 700."""
    floor, product, count = math.exp(-mean), rng.random(), 0
    while product > floor:
        product *= rng.random()
        count += 1
    return count
