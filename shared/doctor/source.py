"""The Compliance API's side: the key and what it opens, the clock, the request budget and who else spends it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from shared.doctor.check import Check, Subject, failed, passed, warned
from shared.errors import BridgeError, SourceBusy
from shared.logs import safe
from shared.settings import KeyKind, key_kind
from shared.source.client import Reply
from shared.source.endpoint import LIMIT
from shared.source.endpoints import ACTIVITIES, ORGANIZATIONS, SETTINGS
from shared.streams.activity.endpoint import rfc3339

NO_ORGANIZATION = "00000000-0000-0000-0000-000000000000"
OWN_READ = "compliance_api_accessed"
OUR_AGENT = "claude-sentinel-bridge/"
RECENT = timedelta(minutes=10)
SKEW_NOTED = timedelta(seconds=30)
SKEW_HARMS = timedelta(minutes=5)
DELETE_SCOPE = "delete:"

KEY_REMEDY = "make a new Compliance Access Key with the scope read:compliance_activities and store it"
SCOPES_REMEDY = (
    "see the key's scopes in claude.ai, Organization settings, API: only read:compliance_activities is needed"
)


@dataclass(slots=True)
class Replies:
    """One GET to each family of endpoints; `asked` holds every reply.

    `silence` says why nothing more answered; `keyless` that there was no key to ask with.
    """

    activities: Reply | None = None
    organizations: Reply | None = None
    settings: Reply | None = None
    silence: str = ""
    keyless: bool = False
    asked: list[Reply] = field(default_factory=list)


async def ask(subject: Subject) -> Replies:
    """Ask each family once (the feed twice where it refuses a filter). Every request costs one of the budget."""
    replies = Replies()

    async def get(path: str, *parameters: tuple[str, str]) -> Reply:
        replies.asked.append(await subject.api.reply(path, parameters))
        return replies.asked[-1]

    # The own reads of the last ten minutes: the cheapest page that also shows who else asks.
    since = (ACTIVITIES.bound("created_at", "gte"), rfc3339(subject.connection.clock.now() - RECENT))
    try:
        replies.activities = await get(ACTIVITIES.path, since, (LIMIT, "1000"), ("activity_types[]", OWN_READ))
        if replies.activities.status == 400:
            replies.activities = await get(ACTIVITIES.path, since, (LIMIT, "1"))
        replies.organizations = await get(ORGANIZATIONS.path, (LIMIT, "1"))
        organization = _first_organization(replies.organizations)
        replies.settings = await get(SETTINGS.address({"organization_id": organization}))
    except SourceBusy as silent:
        replies.silence = str(silent)
    except BridgeError:
        replies.keyless = True
    return replies


def _first_organization(reply: Reply) -> str:
    for each in _listed(reply, "data"):
        if isinstance(each, dict) and isinstance(each.get("uuid"), str):
            return str(each["uuid"])
    return NO_ORGANIZATION


async def key(subject: Subject) -> Check:
    """The kind of key, by its prefix."""
    try:
        kind = key_kind(await subject.api.key())
    except BridgeError as wrong:
        return failed("key", safe(str(wrong)), KEY_REMEDY)
    what = {
        KeyKind.COMPLIANCE: "a Compliance Access Key (sk-ant-api01-)",
        KeyKind.ADMIN: "an Admin API key (sk-ant-admin01-): it opens the Activity Feed and nothing else",
    }
    return passed("key", what[kind])


def activities(replies: Replies) -> Check:
    """Whether the feed opens: the one thing the bridge cannot do without."""
    reply, name = replies.activities, "activities"
    if replies.keyless:
        return warned(name, "not asked: there is no key to ask with", "fix the `key` check first")
    if reply is None:
        return failed(name, replies.silence, "check COMPLIANCE_API_URL, DNS and outbound rules for this machine")
    if reply.status == 200:
        return passed(name, "the key opens the Activity Feed")
    remedies = {
        400: "turn the Compliance API on (claude.ai, Organization settings, API): while it is off nothing is recorded",
        401: f"the key is invalid, deactivated or expired: {KEY_REMEDY}",
        403: f"the key lacks the scope read:compliance_activities and scopes cannot be edited: {KEY_REMEDY}",
        404: "the key is of the wrong kind, the address is wrong, or the organization has no Compliance API: check the "
        "key's prefix, COMPLIANCE_API_URL, and that the API is on (claude.ai, Organization settings, API)",
    }
    remedy = remedies.get(reply.status, "it is busy or broken: try again in a minute, then ask its status page")
    busy = reply.status == 429 or reply.status >= 500
    return (warned if busy else failed)(name, f"the Activity Feed answers {reply.status}", remedy)


def others(replies: Replies) -> Check:
    """Which other families open; none of them is needed for the feed."""
    name = "other endpoints"
    told = [
        f"{family}: {_shown(reply)}"
        for family, reply in (("organizations", replies.organizations), ("settings", replies.settings))
        if reply is not None
    ]
    if not told:
        return warned(name, "nothing answered", "fix the `activities` check first")
    if any(reply.status == 401 for reply in replies.asked):
        return warned(name, "; ".join(told), "the key was refused: fix the `activities` check first")
    return passed(name, "; ".join(told))


def _shown(reply: Reply) -> str:
    words = {200: "open", 403: "closed to this key, as least privilege wants it", 404: "not there, unknown"}
    return words.get(reply.status, f"answers {reply.status}")


def delete_rights(replies: Replies) -> Check:
    """Whether a key that can delete is near: this one (a refusal lists its scopes), or another of the parent."""
    name = "delete rights"
    for reply in replies.asked:
        if reply.status == 403 and "Got:" in (said := _message(reply)):
            # A diagnosis may read the words: where they change, this check reports unknown.
            if DELETE_SCOPE in said.split("Needed", 1)[0]:
                return warned(name, "this key can delete chats and files for good", KEY_REMEDY)
            return passed(name, "this key cannot delete")
    if replies.settings is None or replies.settings.status != 200:
        return warned(name, "unknown: no endpoint that is open to this key says so", SCOPES_REMEDY)
    deleting = [
        str(each.get("id"))
        for each in _listed(replies.settings, "api_keys")
        if isinstance(each, dict) and each.get("is_active") and DELETE_SCOPE in str(each.get("scopes"))
    ]
    if not deleting:
        return passed(name, "no active key of the organization can delete")
    told = safe(", ".join(deleting[:5]))
    return warned(name, f"{len(deleting)} active keys of the organization can delete ({told})", SCOPES_REMEDY)


def clock(replies: Replies) -> Check:
    """Our clock against the API's `Date`, which counts whole seconds."""
    name = "clock"
    dated = [reply.at - reply.date for reply in replies.asked if reply.date is not None]
    if not dated:
        return warned(name, "the API gave no time to compare with", "fix the `activities` check first")
    skew = min(dated, key=abs)
    what = (
        f"this clock is {abs(skew).total_seconds():.0f} s {'ahead of' if skew > timedelta(0) else 'behind'} the API's"
    )
    remedy = "set this machine's clock by NTP: late rows and proofs depend on it"
    if abs(skew) > SKEW_HARMS:
        return failed(name, what, remedy)
    return warned(name, what, remedy) if abs(skew) > SKEW_NOTED else passed(name, what)


def budget(replies: Replies, reserve: int) -> Check:
    """Requests left this minute, and who spent some of the last ten minutes'."""
    name = "request budget"
    heard = [reply for reply in replies.asked if reply.remaining is not None]
    if not heard:
        return warned(name, "the API said nothing of the budget", "fix the `activities` check first")
    left, limit = heard[-1].remaining or 0, heard[-1].limit
    spenders = _spenders(replies.activities)
    told = "; ".join(f"{who}: {count}" for who, count in spenders.most_common(5))
    what = f"{left} of {limit or '?'} requests left this minute; in the last ten minutes: {told or 'nobody seen'}"
    if left <= reserve:
        remedy = f"planned reading waits below {reserve} (REQUEST_RESERVE): ask the owners of the others to slow down"
        return warned(name, what, remedy)
    return passed(name, what)


def _spenders(reply: Reply | None) -> Counter[str]:
    """Requests by key and client, our own under one name."""
    found: Counter[str] = Counter()
    for each in _listed(reply, "data"):
        actor = each.get("actor") if isinstance(each, dict) and each.get("type") == OWN_READ else None
        if not isinstance(actor, dict):
            continue
        agent = str(actor.get("user_agent") or "")
        key_id = actor.get("api_key_id") or actor.get("admin_api_key_id") or "unknown key"
        ours = agent.startswith(OUR_AGENT)
        found["this bridge" if ours else safe(f"{key_id} ({agent.split('/', 1)[0][:40] or 'no name'})")] += 1
    return found


def _listed(reply: Reply | None, name: str) -> list[Any]:
    body = reply.body if reply is not None and reply.status == 200 else None
    listed = body.get(name) if isinstance(body, dict) else None
    return listed if isinstance(listed, list) else []


def _message(reply: Reply) -> str:
    error = reply.body.get("error") if isinstance(reply.body, dict) else None
    return str(error.get("message", "")) if isinstance(error, dict) else ""
