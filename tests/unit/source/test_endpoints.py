"""The records of endpoints.py against the project's own copy of the reference tables, and what a record can say."""

import csv
from pathlib import Path

import pytest

from shared.errors import SourceIncoherent
from shared.settings import KeyKind, Settings
from shared.source import endpoints
from shared.source.endpoint import Endpoint, Filters, Meaning, Method, Paging
from shared.source.rate_limit import RequestBudget

REFERENCE = Path(__file__).parents[2] / "reference"
PAGING = {
    "none": Paging.NONE,
    "bytes": Paging.BYTES,
    "after_id": Paging.CURSOR,
    "page+has_more": Paging.PAGE,
    "page": Paging.TOKEN,
}
KEYS = {
    "compliance": (KeyKind.COMPLIANCE,),
    "admin": (KeyKind.ADMIN,),
    "either": (KeyKind.COMPLIANCE, KeyKind.ADMIN),
}
FILTERS = {"none": Filters.NONE, "dotted": Filters.DOTTED, "bracketed": Filters.BRACKETED}
MEANINGS = {"key": Meaning.REFUSED, "unavailable": Meaning.NOT_AVAILABLE, "gone": Meaning.GONE}


def table(name: str) -> list[dict[str, str]]:
    """The rows of a reference table; its first line names source and date."""
    lines = (REFERENCE / name).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ") and "2026" in lines[0]
    return list(csv.DictReader(lines[1:], delimiter="\t", quoting=csv.QUOTE_NONE))


COMPLIANCE = table("compliance-endpoints.tsv")
ADMIN = table("admin-endpoints.tsv")
RECORDS = {(record.method, record.path): record for record in endpoints.ALL}


def sizes(record: Endpoint) -> tuple[str, str]:
    if record.sizes is None:
        return "-", "-"
    return str(record.sizes.default or "all"), str(record.sizes.largest)


def label(row: dict[str, str]) -> str:
    return f"{row['method']} {row['path']}"


@pytest.mark.parametrize("row", COMPLIANCE, ids=label)
def test_every_call_of_the_compliance_api_has_its_record(row: dict[str, str]) -> None:
    """Scope, keys, paging, page sizes and filters are those of the reference; so are the refusals it explains."""
    record = RECORDS[Method(row["method"]), row["path"]]
    assert record.scope in row["scopes"].split(",")
    assert record.keys == KEYS[row["keys"]]
    assert record.paging is PAGING[row["paging"]]
    assert sizes(record) == (row["default"], row["largest"])
    assert record.filters is FILTERS[row["filters"]]
    told = [part.partition("=") for part in row["special"].split() if "=" in part]
    said = {int(status): MEANINGS[meaning] for statuses, _, meaning in told for status in statuses.split(",")}
    assert {status: record.means(status) for status in said} == said
    second = "second-budget" in row["special"]
    assert (record.budget is RequestBudget.REMOTE_SESSIONS) == second


def test_no_record_of_the_compliance_api_is_invented() -> None:
    """Every record stands in one of the tables."""
    known = {(row["method"], row["path"]) for row in [*COMPLIANCE, *ADMIN]}
    assert set(RECORDS) <= known and len(RECORDS) == len(endpoints.ALL)


@pytest.mark.parametrize("row", [row for row in ADMIN if (Method.GET, row["path"]) in RECORDS], ids=label)
def test_the_admin_reads_are_the_sdks(row: dict[str, str]) -> None:
    """Beta header, paging and page sizes are those of the SDK, and the scope is one it names, where it names any."""
    record = RECORDS[Method.GET, row["path"]]
    assert record.beta == row["beta"].removeprefix("-")
    assert record.paging is PAGING[row["paging"]]
    assert sizes(record) == (row["default"], row["largest"])
    assert record.scope in row["scopes"].replace("-", "").split(",") or row["scopes"] != "-"
    analytics = "/analytics/" in row["path"]
    assert record.budget is (RequestBudget.ANALYTICS if analytics else RequestBudget.NOT_STATED)


@pytest.mark.parametrize("record", endpoints.ALL, ids=lambda record: f"{record.method} {record.path}")
def test_what_every_record_keeps_to(record: Endpoint) -> None:
    """Lists have a way to go on; 401 is never "gone", and only the feed takes a 403 or 404 for a refusal."""
    if record.sizes is not None:
        assert record.paging not in (Paging.NONE, Paging.BYTES)
    assert record.means(401) in (Meaning.REFUSED, Meaning.NOT_AVAILABLE)
    assert (record.means(404) is Meaning.REFUSED) == (record is endpoints.ACTIVITIES)
    assert (record.means(403) is Meaning.REFUSED) == (record is endpoints.ACTIVITIES)
    assert record.means(409) is Meaning.REFUSED


def test_a_hipaa_ready_organization_has_no_usage() -> None:
    """There a 400 is no mistake of the request; everywhere else it is."""
    unavailable = [record for record in endpoints.ALL if record.means(400) is Meaning.NOT_AVAILABLE]
    assert unavailable == [endpoints.USAGE, endpoints.COST]


def test_bounds_are_spelled_as_the_endpoint_wants_them() -> None:
    """Dots for the feed, brackets for safety cases, and a mistake where there are none."""
    assert endpoints.ACTIVITIES.bound("created_at", "gte") == "created_at.gte"
    assert endpoints.REVIEW_CASES.bound("updated_at", "gte") == "updated_at[gte]"
    with pytest.raises(ValueError, match="takes no time bounds"):
        endpoints.GROUPS.bound("created_at", "gte")


def test_ids_are_filled_in_and_cannot_lead_elsewhere() -> None:
    """A slash or a question mark is escaped; what would climb up or leave a part empty is refused."""
    assert endpoints.USERS.address({"org_uuid": "o-1"}) == "/v1/compliance/organizations/o-1/users"
    assert endpoints.FILE.address({"claude_file_id": "a/../b?c#d"}).endswith("/files/a%2F..%2Fb%3Fc%23d")
    for id in ("", ".", ".."):
        with pytest.raises(SourceIncoherent, match="claude_file_id"):
            endpoints.FILE.address({"claude_file_id": id})


def test_the_page_limit_setting_stops_at_the_largest_page() -> None:
    """The feed's largest page is the setting's bound and its default."""
    assert endpoints.ACTIVITIES.sizes is not None
    largest = endpoints.ACTIVITIES.sizes.largest
    limit = Settings.model_fields["page_limit"]
    assert limit.default == largest and any(getattr(part, "le", None) == largest for part in limit.metadata)
