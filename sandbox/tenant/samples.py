"""One well-formed activity of every documented type, for files and tests that must cover them all."""

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.tenant.administration import directory_actor
from sandbox.tenant.catalogue import ActivityType, activity_types
from sandbox.tenant.company import Company, create_company
from sandbox.tenant.places import CLOUD, host
from sandbox.tenant.recorder import ACCESS_TRANSPARENCY, without_organization
from sandbox.tenant.values import ValueGenerator


def samples(*, seed: int = 7, at: datetime, types: Iterable[str] | None = None) -> Iterator[dict[str, Any]]:
    """One activity for each of `types`, by default for all of the catalogue in its order, a millisecond apart.

    Every documented field is present and, except for the blanked names, filled. KeyError for an unknown type.
    """
    rng = random.Random(f"{seed}/samples")
    company = create_company(start=at, end=at + timedelta(days=1), people=40, seed=seed)
    values = ValueGenerator(rng, company.pools)
    catalogue = activity_types()
    for number, name in enumerate(catalogue if types is None else types):
        kind = catalogue[name]
        moment = at.astimezone(UTC) + timedelta(milliseconds=number)
        place = company.console[0] if kind.product == "console" else company.claude[0]
        outside = without_organization(name)
        yield {
            "id": values.ids.new("activity"),
            "type": name,
            "created_at": moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
            "organization_id": None if outside else place.id,
            "organization_uuid": None if outside else place.uuid,
            "actor": _actor(kind, company, values),
            **values.fields(kind, moment, sparse=False),
        }


def _actor(kind: ActivityType, company: Company, values: ValueGenerator) -> dict[str, Any]:
    """One of the actors that the reference allows for the type; if it allows any, one that matches its name."""
    rng = values.rng
    choice = rng.choice(kind.actors)
    if choice == "any":
        choice = _fitting(kind, rng)
    address = host(CLOUD, rng.randrange(60))
    match choice:
        case "anthropic":
            return {"type": "anthropic_actor", "email_address": None}
        case "system":
            return {"type": "system_actor", "service": "background"}
        case "scim_directory_sync":
            return directory_actor(company, values)
        case "api":
            return company.key("nightly-ci").actor()
        case "admin_api_key":
            return company.key("terraform").actor()
        case "service_account":
            return rng.choice(company.service_accounts).actor()
        case "unauthenticated_user":
            stranger = {"type": "unauthenticated_user_actor", "ip_address": address, "user_agent": "Mozilla/5.0"}
            return stranger | {"unauthenticated_email_address": rng.choice(company.people).email}
        case "federated_identity":
            claims = {"issuer": "https://token.ci.example", "subject": "repo:contoso/app:ref:refs/heads/main"}
            identity = {"type": "federated_identity_actor", **claims, "audience": ["anthropic"]}
            return identity | {"ip_address": address, "user_agent": None}
        case "federated":
            providers: tuple[dict[str, Any], ...] = (
                {"type": "aws", "account_id": "111122223333", "signed_principal": "arn:aws:iam::111122223333:role/ops"},
                {"type": "azure", "subscription_id": values.ids.uuid()},
                {"type": "gcp", "project_number": "100200300400"},
                {"type": "oidc", "issuer": None},
            )
            actor = {"type": "federated_actor", "provider": rng.choice(providers), "subject": None}
            return actor | {"ip_address": None, "user_agent": None}
        case "attested_device":
            device = {"external_client_id": "com.contoso.field-app", "kid_hash": values.ids.hex(12)}
            return {"type": "attested_device_actor", **device, "ip_address": address, "user_agent": None}
    return rng.choice(company.people).actor()


def _fitting(kind: ActivityType, rng: random.Random) -> str:
    if kind.name.startswith("scim_"):
        return "scim_directory_sync"
    if kind.name in ACCESS_TRANSPARENCY:
        return "anthropic"
    if kind.name == "org_user_shares_retained":
        return "system"
    if kind.name == "platform_app_attest_authentication":
        return "attested_device"
    if kind.name == "platform_federated_authentication":
        return "federated_identity"
    if kind.product == "console":
        return rng.choice(("user", "api", "service_account", "admin_api_key"))
    return "user"
