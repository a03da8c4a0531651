"""What leaves of a row when people are pseudonymous: nobody's address, in no place and no spelling."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.tenant.samples import samples
from shared import tables
from shared.errors import ConfigError
from shared.rows.minimize import MODES, Minimizer, parse_modes
from shared.rows.sanitize import sanitize
from shared.streams.activity import catalogue
from shared.streams.activity.fold import fold
from tests.unit.streams import golden_pairs
from tests.unit.streams.golden_pairs import CARRIAGE
from tests.unit.streams.samples import documented_activity

KEY = b"sixteen bytes or more, invented"
EVERYBODY = Minimizer({"*": "pseudonymous"}, KEY)
HASH = re.compile(r"[0-9a-f]{32}")
AT = datetime(2026, 10, 5, 9, 15, tzinfo=UTC)
CATEGORIES = frozenset(entry.category for entry in catalogue.load().types.values()) | {"unknown"}

PERSONAL = ("ActorEmail", "ActorEmailClaimed", "ActorIp", "ActorUserAgent", "TargetUserEmail")
EMAIL_FIELDS = ("user_email", "deleted_user_email", "invited_email", "invitee_email")
ACTOR_TRACES = ("email_address", "unauthenticated_email_address", "ip_address", "user_agent")


def row_of(activity: dict[str, Any], minimizer: Minimizer = EVERYBODY) -> dict[str, Any]:
    """The activity's row as it would leave."""
    return minimizer.apply(fold(activity, CARRIAGE).row)


def text_of(row: Any) -> str:
    """The row as JSON in one letter case: what somebody who searches it would see."""
    return json.dumps(row, ensure_ascii=False).casefold()


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def traces(activity: dict[str, Any]) -> set[str]:
    """What would tell who it was: the actor's addresses and agent, and whatever has an @ in it, in lower case."""
    actor = activity.get("actor")
    found = {text for text in strings(activity) if re.fullmatch(r"\S+@\S+\.\S+", text)}
    if isinstance(actor, dict):
        found |= {actor[name] for name in ACTOR_TRACES if isinstance(actor.get(name), str)}
    found |= {activity[name] for name in EMAIL_FIELDS if isinstance(activity.get(name), str)}
    return {trace.casefold() for trace in found if trace}


def surviving(activity: dict[str, Any], row: dict[str, Any]) -> set[str]:
    text = text_of(row)
    return {trace for trace in traces(activity) if json.dumps(trace, ensure_ascii=False)[1:-1] in text}


def test_no_address_and_no_agent_of_any_documented_type_survives() -> None:
    """One well-formed activity of every documented type: nothing in its row's JSON tells who it was."""
    activities = list(samples(at=AT))
    assert len(activities) > 500 and sum(len(traces(activity)) for activity in activities) > 1000
    assert {activity["type"]: left for activity in activities if (left := surviving(activity, row_of(activity)))} == {}


@pytest.mark.parametrize("path", golden_pairs.paths(), ids=lambda path: path.stem)
def test_no_address_and_no_agent_of_a_golden_activity_survives(path: Any) -> None:
    """The golden activities hold the odd places: claimed addresses, raw spellings, unknown actors, changes."""
    activity = golden_pairs.read(path)["activity"]
    assert surviving(activity, row_of(activity)) == set()


_LOCAL = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._%+'-]{0,18}[A-Za-z0-9]", fullmatch=True)
_DOMAIN = st.from_regex(r"[a-z][a-z0-9-]{0,12}[a-z0-9](\.[a-z]{2,8}){1,2}", fullmatch=True)
usual_emails = st.builds("{}@{}".format, _LOCAL, _DOMAIN)
agents = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=12, max_size=40).map(
    lambda text: f"Agent/{text}"
)
addresses_v4 = st.ip_addresses(v=4, network="192.0.2.0/24").map(str)
addresses_v6 = st.ip_addresses(v=6, network="2001:db8:7::/48").map(str)
positions = st.sampled_from(["{}", "called {} today", "<{}>", "mailto:{}", "{}, and others", "({})"])


@st.composite
def peopled(draw: st.DrawFn, emails: st.SearchStrategy[str] = usual_emails) -> tuple[dict[str, Any], set[str]]:
    """An activity of any type with people in every place the API could put them, and what must not be found again."""
    activity = documented_activity(draw(st.sampled_from(sorted(catalogue.load().types))))
    email, other = draw(emails), draw(emails)
    address, agent = draw(addresses_v4 | addresses_v6), draw(agents)
    kind = draw(st.sampled_from([*sorted(catalogue.load().actors), "future_actor"]))
    names = ("email_address", "unauthenticated_email_address", "issuer", "external_client_id", "future_contact")
    activity["actor"] = {"type": kind, "user_id": "user_01Example", "ip_address": address, "user_agent": agent}
    activity["actor"] |= {name: draw(st.sampled_from([email, email.upper(), None])) for name in names}
    said = draw(positions).format(other)
    activity |= {name: email for name in EMAIL_FIELDS if name in activity}
    activity |= {
        "future_note": said,
        "future_people": [{"who": other, email: 1}],
        "future_address": address,
        "alert_emails": [email, other.upper()],
        "updates": [{"type": "contact", "previous_value": email, "current_value": said}],
        "previous_owner": email,
        "owner": other,
    }
    return activity, {email.casefold(), other.casefold(), address.casefold(), agent.casefold()}


@given(peopled())
def test_wherever_the_usual_addresses_stand_none_survives(case: tuple[dict[str, Any], set[str]]) -> None:
    """Columns, Details, ActorDetails, Changes, object keys, free text, any letter case: the JSON shows none of them."""
    activity, people = case
    text = text_of(row_of(activity))
    assert {person for person in people if json.dumps(person, ensure_ascii=False)[1:-1] in text} == set()


UNUSUAL = ("jörg.müller@example.com", "ana@büro.example", "анна@пример.example", "ana!t*x^y~z`$#@example.com")
ONLY_ALONE = ("o/ana=sales?x&{y}|z@example.com", "ana@[192.0.2.9]", '"ana b"@example.com')


def test_unusual_addresses_do_not_survive_either() -> None:
    """Letters of other scripts, every sign RFC 5322 allows, hosts that are numbers: nothing of the name is left."""
    survivors = []
    for note in (*UNUSUAL, *(f"written to {email} today" for email in UNUSUAL), *ONLY_ALONE, "ana@xn--bro-hoa.example"):
        hidden = row_of({"type": "future_type", "future_note": note})["Details"]["future_note"].casefold()
        name = note.rsplit("@", 1)[0].rsplit(" to ", 1)[-1]
        survivors += [(note, hidden) for part in re.findall(r"\w{3,}", name) if part.casefold() in hidden]
    assert survivors == []


def test_a_field_for_addresses_is_hidden_whatever_stands_in_it() -> None:
    """What a known e-mail field holds is hidden as a whole, also where it has no column (a type newer than we are)."""
    for name in EMAIL_FIELDS:
        for text in (*UNUSUAL, *ONLY_ALONE, "ana@intranet", "Ana Berg"):
            assert row_of({"type": "future_type", name: text})["Details"][name] == EVERYBODY.pseudonym(text)


ADDRESSES = ("192.0.2.7", "2001:db8::7", "2001:db8:0:0:0:0:0:7", "::1", "fe80::7", "2001:db8::", "::ffff:192.0.2.7")
AROUND = ("{}", "from {}", "from {}.", "from {}, twice", "{}/24", "[{}]:443", "ip={}", "https://x.example/?ip={}")


def test_ip_addresses_in_text_do_not_survive() -> None:
    """IPv4 and IPv6 in any of their spellings, and with whatever stands beside them in a sentence or an address."""
    survivors = []
    for text in (*(around.format(address) for address in ADDRESSES for around in AROUND), "192.0.2.7:443"):
        address = max((each for each in ADDRESSES if each in text), key=len)
        hidden = row_of({"type": "future_type", "future_note": text})["Details"]["future_note"]
        if re.search(rf"(?<![0-9a-f]){re.escape(address)}(?![0-9a-f])", hidden):
            survivors.append(text)
    assert survivors == []


STAYS = (
    "2026-10-05 09:14:03",
    "2026-10-05T09:14:03.000000Z",
    "at 09:14:03",
    "SHA256:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
    "arn:aws:sts::111122223333:assumed-role/ops/deploy",
    "repo:contoso/app:ref:refs/heads/main",
    "sha-256 9c56cc51b374c3ba189210d5b6d4bf57",
    "urn:uuid:5d1f7c10-0000-4000-8000-0000000000c1",
    "formatter@internal-marketplace",
    "left-pad@1.2.3",
    "std::vector :: x",
)


def test_what_only_looks_a_little_like_an_address_stays() -> None:
    """Times, fingerprints, resource names, digests and plugins are facts an analyst needs, and name nobody."""
    assert [text for text in STAYS if EVERYBODY.without_people(text) != text] == []


def test_a_user_agent_and_a_github_login_are_hidden_in_every_column() -> None:
    """Fields that name a person are hidden by their name in Details; a column they fill must not show them either."""
    activity = documented_activity("github_token_import") | {"github_username": "annb-of-contoso"}
    assert "annb-of-contoso" not in text_of(row_of(activity))


def test_a_federated_subject_is_the_same_in_column_and_details() -> None:
    """`subject` names a workload or a person: hidden in ActorDetails, it must not stand in clear in ActorId."""
    actor = {"type": "future_actor", "subject": "ana.berg", "issuer": "https://idp.example.com"}
    row = row_of(documented_activity("user_logged_out") | {"actor": actor})
    assert row["ActorDetails"]["subject"] == row["ActorId"]


def test_changes_hide_the_values_of_fields_that_name_a_person() -> None:
    """A change of `full_name` is a person's name, old and new."""
    updates = [{"type": "full_name", "previous_value": "Ana Berg", "current_value": "Ana Holm"}]
    row = row_of(documented_activity("claude_skill_replaced") | {"updates": updates})
    assert "ana berg" not in text_of(row) and "ana holm" not in text_of(row)


def test_places_of_escaped_values_do_not_name_people() -> None:
    """Handling.escaped holds paths, and a path may go through a key that is an address."""
    activity, escaped = sanitize({"type": "future_type", "id": "activity_01", "members": {"ana@example.com": 2**70}})
    row = EVERYBODY.apply(fold(activity, CARRIAGE, escaped=escaped).row)
    assert row["Handling"]["escaped"]
    assert "ana@example.com" not in text_of(row)


@given(usual_emails)
def test_one_person_is_one_hash_in_every_column_and_letter_case(email: str) -> None:
    """Joins and time lines still work: columns, details and free text all show the same 32 hex digits."""
    actor = {"type": "user_actor", "user_id": "user_01Example", "email_address": email.upper()}
    invited = documented_activity("org_user_invite_sent") | {"actor": actor, "invited_email": email.title()}
    claimed = {"type": "unauthenticated_user_actor", "unauthenticated_email_address": email}
    first = row_of(invited | {"future_note": f"to {email} by mail"})
    second = row_of(documented_activity("magic_link_login_initiated") | {"actor": claimed})
    hashed = EVERYBODY.pseudonym(email)
    assert HASH.fullmatch(hashed)
    assert (first["ActorEmail"], first["TargetUserEmail"], second["ActorEmailClaimed"]) == (hashed, hashed, hashed)
    assert first["Details"]["future_note"] == f"to {hashed} by mail"
    assert first["ActorDetails"]["email_address"] == hashed


def test_an_address_in_a_url_is_the_same_person() -> None:
    """Percent-encoding hides nobody, and does not make somebody else of them."""
    for written in ("ana.berg%40example.com", "ana%2Eberg@example.com", "ana.berg@example.com"):
        row = row_of(documented_activity("compliance_api_accessed") | {"url": f"https://x.example/u?who={written}"})
        assert EVERYBODY.pseudonym("ana.berg@example.com") in row["Details"]["url"], written


def test_a_column_with_an_encoded_address_is_hidden_too() -> None:
    """RequestPath is a column and no dynamic one: `%40` in it is an @."""
    url = "https://api.example.com/v1/compliance/users/ana.berg%40example.com"
    row = row_of(documented_activity("compliance_api_accessed") | {"url": url})
    assert "ana.berg" not in text_of(row)


@given(usual_emails, st.binary(min_size=16, max_size=40), st.binary(min_size=16, max_size=40))
@example("ana@example.com", b"a" * 16, b"a" * 15 + b"b")
def test_another_key_gives_another_hash(email: str, one: bytes, other: bytes) -> None:
    """Whoever holds the table but not the key cannot try addresses, and two organizations' hashes never meet."""
    keys = (Minimizer({"*": "pseudonymous"}, key) for key in (one, other))
    hashes = [minimizer.pseudonym(email) for minimizer in keys]
    assert (hashes[0] == hashes[1]) == (one == other or one.rstrip(b"\0") == other.rstrip(b"\0"))


def test_hashes_cannot_be_computed_from_the_table_alone() -> None:
    """No unkeyed digest of the original is left to try addresses on: RecordHash is keyed."""
    activity = documented_activity("user_logged_out")
    full, hidden = fold(activity, CARRIAGE).row, row_of(activity)
    assert full["RecordHash"] not in text_of(hidden)
    other = row_of(activity, Minimizer({"*": "pseudonymous"}, KEY + b"!"))
    assert len({full["RecordHash"], hidden["RecordHash"], other["RecordHash"]}) == 3


def test_ids_counts_and_times_stay() -> None:
    """Whatever names no person is as in the full row: ids, counts, times, categories, results, kinds of objects."""
    anonymous = ("Id", "Ids", "Time", "Generated", "Count", "Category", "Operation", "Result", "Type", "Code")
    for activity in samples(at=AT):
        full = fold(activity, CARRIAGE).row
        hidden = EVERYBODY.apply(full)
        assert hidden.keys() == full.keys()
        expected = {name: value for name, value in full.items() if name.endswith(anonymous)}
        assert {name: hidden[name] for name in expected} == expected
        assert hidden.get("Details", {}).keys() == full.get("Details", {}).keys()


def test_the_full_row_is_not_touched() -> None:
    """The original may still be needed (overflow): apply returns a copy, or the same row when nothing had to change."""
    full = fold(documented_activity("org_user_invite_sent"), CARRIAGE).row
    before = json.dumps(full)
    assert EVERYBODY.apply(full) is not full
    assert json.dumps(full) == before
    assert Minimizer().apply(full) is full
    assert Minimizer({"chats": "pseudonymous"}, KEY).apply(full) is full


def test_every_personal_column_becomes_a_hash() -> None:
    """The columns marked personal in shared/tables are exactly those this test fills, each in turn."""
    assert tuple(c.name for c in tables.load(tables.ACTIVITY).columns if c.sensitivity == "personal") == PERSONAL
    row = EVERYBODY.apply({name: f"value of {name}" for name in PERSONAL} | {"Category": "auth", "RecordHash": "r"})
    assert all(HASH.fullmatch(row[name]) for name in PERSONAL)
    assert len({row[name] for name in PERSONAL}) == len(PERSONAL)


@pytest.mark.parametrize(
    ("modes", "category", "expected"),
    [
        ({}, "auth", "full"),
        ({"auth": "count-only"}, "auth", "count-only"),
        ({"auth": "count-only"}, "chats", "full"),
        ({"*": "pseudonymous", "auth": "count-only"}, "auth", "count-only"),
        ({"*": "pseudonymous", "auth": "count-only"}, "chats", "pseudonymous"),
    ],
)
def test_a_category_has_its_own_mode_or_that_of_the_rest(modes: Any, category: str, expected: str) -> None:
    """A category's own word counts, then that of `*`, then full."""
    assert Minimizer(modes, KEY).mode(category) == expected


@pytest.mark.parametrize("key", [b"", b"fifteen bytes!!"])
def test_pseudonymous_without_a_good_key_does_not_start(key: bytes) -> None:
    """A short key could be guessed; the sentence says what to do and never what the key was."""
    with pytest.raises(ConfigError, match="IDENTITY_KEY") as refused:
        Minimizer({"auth": "pseudonymous"}, key)
    assert not key or key.decode() not in str(refused.value)
    assert Minimizer({"auth": "count-only"}, key).mode("auth") == "count-only"


@pytest.mark.parametrize(
    ("text", "identity", "expected"),
    [
        ({}, "clear", {}),
        ({}, "pseudonymous", {"*": "pseudonymous"}),
        ({"auth": "count-only"}, "pseudonymous", {"*": "pseudonymous", "auth": "count-only"}),
        ({"*": "count-only"}, "pseudonymous", {"*": "count-only"}),
        ({"*": "pseudonymous", "auth": "full"}, "clear", {"*": "pseudonymous", "auth": "full"}),
    ],
)
def test_the_two_settings_become_one_choice(text: dict[str, str], identity: str, expected: Any) -> None:
    """IDENTITY speaks for all categories, MINIMIZE for single ones or for the rest."""
    assert parse_modes(text, identity=identity, categories=CATEGORIES) == expected


@pytest.mark.parametrize(
    ("text", "identity", "told"),
    [
        ({"cats": "full"}, "clear", "'cats'"),
        ({"": "full"}, "clear", "''"),
        ({"auth": "hidden"}, "clear", "'hidden'"),
        ({"auth": "FULL"}, "clear", "'FULL'"),
        ({"auth": ""}, "clear", "''"),
        ({"auth": "full"}, "pseudonymous", "choose one"),
        ({"*": "full"}, "pseudonymous", "choose one"),
    ],
)
def test_impossible_choices_are_refused_by_name(text: dict[str, str], identity: str, told: str) -> None:
    """A category or mode nobody knows, or both settings at odds, is a ConfigError that names what is wrong."""
    with pytest.raises(ConfigError, match=re.escape(told)) as refused:
        parse_modes(text, identity=identity, categories=CATEGORIES)
    if told == "'hidden'":
        assert all(mode in str(refused.value) for mode in MODES)


def _distinct(values: Iterable[str]) -> int:
    return len(set(values))


def test_people_of_a_tenant_stay_as_many_as_they_were() -> None:
    """Counting people by hash gives the same number as counting them by address."""
    rows = [fold(activity, CARRIAGE).row for activity in samples(at=AT)]
    for name in PERSONAL:
        full = [row[name].casefold() for row in rows if name in row]
        assert _distinct(EVERYBODY.apply(row)[name] for row in rows if name in row) == _distinct(full)
