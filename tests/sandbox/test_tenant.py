"""The simulated tenant as a whole: reproducible, plausible, and made of documentation addresses only."""

import hashlib
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from itertools import pairwise

import msgspec
import pytest

from sandbox.activity import FeedEntry
from sandbox.tenant import Person, Tenant, build_tenant, days, samples
from sandbox.tenant.catalogue import activity_types

START = datetime(2026, 9, 7, tzinfo=UTC)  # a Monday
MONTH = START + timedelta(days=30)
WEEK = START + timedelta(days=7)

DOCUMENTATION = [
    ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "0.0.0.0/32")
]


@pytest.fixture(scope="module")
def month() -> Tenant:
    return build_tenant(start=START, end=MONTH)


@pytest.fixture(scope="module")
def week() -> Tenant:
    return build_tenant(start=START, end=WEEK, people=40)


def digest(entries: list[FeedEntry]) -> str:
    return hashlib.sha256(b"\n".join(entry.body for entry in entries)).hexdigest()


def test_same_seed_gives_same_bytes_in_another_process(week: Tenant) -> None:
    """Two processes with different hash seeds build byte for byte the same feed."""
    code = (
        "import hashlib; from datetime import datetime, UTC, timedelta; from sandbox.tenant import build_tenant;"
        "s = datetime(2026, 9, 7, tzinfo=UTC); t = build_tenant(start=s, end=s + timedelta(days=7), people=40);"
        r"print(hashlib.sha256(b'\n'.join(e.body for e in t.entries)).hexdigest())"
    )
    ran = subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": "1"}, capture_output=True, check=True)
    assert ran.stdout.decode().strip() == digest(week.entries)


def test_another_seed_gives_another_feed(week: Tenant) -> None:
    """Feeds of different seeds have no id in common."""
    other = build_tenant(start=START, end=WEEK, people=40, seed=8)
    assert {entry.id for entry in other.entries}.isdisjoint(entry.id for entry in week.entries)


def test_day_by_day_is_the_same_feed(week: Tenant) -> None:
    """`days` yields one list for each day, and their concatenation is `build_tenant`'s feed."""
    walked = list(days(start=START, end=WEEK, people=40))
    assert [entry for day in walked for entry in day] == week.entries
    for number, day in enumerate(walked):
        assert {entry.created_at.date() for entry in day} == {(START + timedelta(days=number)).date()}


def test_size_follows_the_number_of_people(month: Tenant, week: Tenant) -> None:
    """400 people in 30 days produce 110,000 to 150,000 activities; 40 people in a week a small part of that."""
    assert 110_000 <= len(month.entries) <= 150_000
    assert len(month.people) == 400
    assert 2_000 < len(week.entries) < 6_000


def test_breadth_of_a_month(month: Tenant) -> None:
    """A month shows at least 150 types and all eleven documented actor shapes, and no other."""
    actors = Counter(msgspec.json.decode(entry.body)["actor"]["type"] for entry in month.entries)
    assert len({entry.type for entry in month.entries}) >= 150
    assert set(actors) == {
        "user_actor",
        "api_actor",
        "admin_api_key_actor",
        "unauthenticated_user_actor",
        "anthropic_actor",
        "scim_directory_sync_actor",
        "service_account_actor",
        "federated_identity_actor",
        "system_actor",
        "federated_actor",
        "attested_device_actor",
    }


def test_feed_is_sorted_with_unique_unordered_ids(month: Tenant) -> None:
    """Entries follow (created_at, id); ids are unique, well-formed, and say nothing about time."""
    keys = [(entry.created_at, entry.id) for entry in month.entries]
    assert keys == sorted(keys)
    ids = [entry.id for entry in month.entries]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"activity_01[1-9A-HJ-NP-Za-km-z]{24}", id) for id in ids[:5000])
    rising = sum(first < second for first, second in pairwise(ids))
    assert 0.48 < rising / len(ids) < 0.52
    assert all(START <= entry.created_at < MONTH for entry in month.entries)


def test_weekends_nights_and_lunch_are_quieter(month: Tenant) -> None:
    """People are less active on weekends, at night and over lunch, each in their own time zone."""
    people = {person.user_id: person for person in month.people}
    weekdays: Counter[int] = Counter()
    hours: Counter[int] = Counter()
    for entry in month.entries:
        if entry.user_id in people:
            local = entry.created_at + people[entry.user_id].utc_offset
            weekdays[local.weekday()] += 1
            hours[local.hour] += 1
    assert weekdays[5] < weekdays[4] / 8
    assert weekdays[6] < weekdays[0] / 8
    assert sum(hours[hour] for hour in range(0, 6)) < 0.05 * hours.total()
    assert hours[12] < 0.7 * min(hours[10], hours[14])


def test_most_show_within_a_minute_and_a_few_late() -> None:
    """Delay is 5 to 50 s; `late_share` wait 2 minutes to 40 hours, Access Transparency up to two days."""
    late_share = 0.02
    tenant = build_tenant(start=START, end=WEEK, people=60, late_share=late_share)
    delays = [
        entry.visible_at - entry.created_at
        for entry in tenant.entries
        if entry.type not in ("anthropic_access", "cmek_preserve")
    ]
    late = [delay for delay in delays if delay > timedelta(seconds=52)]
    assert late_share / 2 < len(late) / len(delays) < late_share * 2
    assert all(timedelta(minutes=2) <= delay <= timedelta(hours=40, seconds=1) for delay in late)
    transparency = [e for e in tenant.entries if e.type in ("anthropic_access", "cmek_preserve")]
    assert transparency
    assert all(
        timedelta(hours=1) <= e.visible_at - e.created_at <= timedelta(hours=48, seconds=1) for e in transparency
    )


def test_times_come_in_every_documented_spelling(week: Tenant) -> None:
    """Most have microseconds and `Z`, some no fraction, some `+00:00`."""
    spellings = Counter(re.sub(r"\d+", "9", msgspec.json.decode(entry.body)["created_at"]) for entry in week.entries)
    assert set(spellings) == {"9-9-9T9:9:9.9Z", "9-9-9T9:9:9Z", "9-9-9T9:9:9.9+9:9"}
    assert spellings.most_common(1)[0][0] == "9-9-9T9:9:9.9Z"


def test_documented_nulls(month: Tenant) -> None:
    """Sign-ins and Compliance API reads have no organization; file names are null, empty or absent."""
    for entry in month.entries:
        activity = msgspec.json.decode(entry.body)
        if entry.type.startswith(("sso_login_", "magic_link_login_")) or entry.type == "compliance_api_accessed":
            assert activity.get("organization_id") is None
        assert not activity.get("filename")
        assert not activity.get("title")


def test_a_little_drift_under_stable_names(month: Tenant) -> None:
    """About 0.05 % have a type or a field that is not in the catalogue."""
    known = activity_types()
    unknown_types = Counter(entry.type for entry in month.entries if entry.type not in known)
    new_fields = sum(b'"new_field"' in entry.body for entry in month.entries)
    assert set(unknown_types) == {"claude_canvas_opened"}
    assert new_fields > 0
    assert 0.0002 < (unknown_types.total() + new_fields) / len(month.entries) < 0.001


def test_nobody_acts_before_joining_or_after_leaving(month: Tenant) -> None:
    """The directory announces who joins and leaves, and their own activities stay between the two."""
    people: dict[str, Person] = {person.user_id: person for person in month.people}
    seen = Counter(entry.type for entry in month.entries)
    joined = [p for p in month.people if START <= p.hired < MONTH]
    left = [p for p in month.people if p.left and p.left < MONTH]
    assert joined and left
    assert seen["scim_user_created"] == len(joined)
    told = [msgspec.json.decode(e.body)["user_id"] for e in month.entries if e.type == "scim_user_deleted"]
    assert Counter(id for id in told if id in people) == Counter(p.user_id for p in left)
    for entry in month.entries:
        if entry.user_id in people:
            assert people[entry.user_id].employed(entry.created_at + timedelta(seconds=1)), entry


def test_the_other_collector_reads_all_day(month: Tenant) -> None:
    """A Purview-like key reads the Compliance API a few thousand times in a month, at night too."""
    key = next(key for key in month.keys if key.name == "purview-collector")
    reads = [e for e in month.entries if e.type == "compliance_api_accessed" and key.id.encode() in e.body]
    assert 2_000 < len(reads) < 6_000
    assert {entry.created_at.hour for entry in reads} == set(range(24))


def test_only_documentation_addresses_and_example_domains(month: Tenant) -> None:
    """No body and no sample mentions a real network, host or mailbox; 0.0.0.0 is Anthropic acting for a person."""
    bodies = b"\n".join(entry.body for entry in month.entries)
    bodies += msgspec.json.encode(list(samples(at=START)))
    addresses = set(re.findall(rb'"ip_address":"([^"]*)"', bodies)) | set(
        re.findall(rb"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])", bodies)
    )
    assert len(addresses) > 100
    for text in addresses:
        address = ip_address(text.decode())
        assert any(address in network for network in DOCUMENTATION), address
    hosts = set(re.findall(rb"https?://([^/\"\s:]+)", bodies)) | set(re.findall(rb"@([\w.-]+)", bodies))
    assert {host for host in hosts if not host.endswith((b".example", b"example.com"))} <= {b"api.anthropic.com"}


def test_too_few_people_or_no_time_is_refused() -> None:
    """A tenant requires one person per department and an end after its start."""
    with pytest.raises(ValueError, match="at least 10 people"):
        build_tenant(start=START, end=WEEK, people=3)
    with pytest.raises(ValueError, match="not after start"):
        build_tenant(start=WEEK, end=START)
