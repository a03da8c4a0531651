"""Actors for tests, by short names: `admin`, `ben@example.org`, `anonymous:ana`, `api_key:purview`, `scim`."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.streams.activity import catalogue

IP, AGENT = "192.0.2.10", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
SDK = "anthropic-sdk-python/1.0"
_DOMAIN = "example.com"
KINDS = {
    "api_key": "api_actor",
    "admin_key": "admin_api_key_actor",
    "anonymous": "unauthenticated_user_actor",
    "anthropic": "anthropic_actor",
    "scim": "scim_directory_sync_actor",
    "service_account": "service_account_actor",
    "workload": "federated_identity_actor",
    "system": "system_actor",
    "cloud": "federated_actor",
    "device": "attested_device_actor",
}


def actor(written: Any, ip: str | None = None, agent: str | None = None) -> dict[str, Any]:
    """The API's actor object for what a test writes, with `ip` and `agent` where its kind has them.

    A kind of `KINDS`, alone or with a name after a colon; any other word or address is a signed-in person.
    A mapping is such a name under `as`, and fields of the API that replace the usual ones.
    Raises ValueError for a field the actor's kind does not have.
    """
    if isinstance(written, dict):
        made = actor(written.get("as", "person"), ip, agent)
        fields = {name: value for name, value in written.items() if name != "as"}
        known = catalogue.load().actors[made["type"]].fields | {"type", "user_id", *made}
        if not fields.keys() <= known:
            raise ValueError(f"{made['type']} has no field {', '.join(sorted(fields.keys() - known))}")
        return {**made, **fields}
    if not isinstance(written, str) or not written:
        raise ValueError(f"an actor is a name or a mapping, not {written!r}")
    kind, _, name = written.partition(":")
    if kind not in KINDS:
        return _person(written, ip, agent)
    made = {"type": KINDS[kind], **_MAKERS[kind](name)}
    if "ip_address" in catalogue.load().actors[made["type"]].fields:
        made |= {"ip_address": ip or IP, "user_agent": agent or (AGENT if kind == "anonymous" else SDK)}
    return made


def address(name: str) -> str:
    """`ana` is ana@example.com; an address is itself."""
    return name if "@" in name else f"{name}@{_DOMAIN}"


def user_id(name: str) -> str:
    """`ana` and ana@example.com are user_ana."""
    return f"user_{name.partition('@')[0]}"


def _person(name: str, ip: str | None, agent: str | None) -> dict[str, Any]:
    return {
        "type": "user_actor",
        "user_id": user_id(name),
        "email_address": address(name),
        "ip_address": ip or IP,
        "user_agent": agent or AGENT,
    }


def _anonymous(name: str) -> dict[str, Any]:
    return {"unauthenticated_email_address": address(name) if name else None}


def _cloud(name: str) -> dict[str, Any]:
    arn = f"arn:aws:iam::123456789012:role/{name or 'claude'}"
    return {"provider": {"type": "aws", "account_id": "123456789012", "signed_principal": arn}, "subject": None}


_MAKERS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "api_key": lambda name: {"api_key_id": f"apikey_{name or 'app'}"},
    "admin_key": lambda name: {"admin_api_key_id": f"admin_api_key_{name or 'app'}"},
    "anonymous": _anonymous,
    "anthropic": lambda _: {"email_address": None},
    "scim": lambda name: {
        "directory_id": f"directory_{name or 'entra'}",
        "workos_event_id": "event_1",
        "idp_connection_type": "AzureSCIMV2",
    },
    "service_account": lambda name: {"service_account_id": f"svac_{name or 'app'}"},
    "workload": lambda name: {"issuer": "https://token.example.com", "subject": f"repo:example/{name or 'app'}"},
    "system": lambda name: {"service": name or "retention"},
    "cloud": _cloud,
    "device": lambda name: {"external_client_id": f"client_{name or 'phone'}", "kid_hash": "0a1b2c"},
}
