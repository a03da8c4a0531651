"""What is known of one API call: where it is, who may make it, how it pages, and what its refusals mean."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from urllib.parse import quote

from shared.errors import SourceIncoherent
from shared.settings import KeyKind
from shared.source.rate_limit import RequestBudget

LIMIT = "limit"
"""The parameter for the size of a page, in every family."""


class Method(StrEnum):
    GET = "GET"
    POST = "POST"
    DELETE = "DELETE"


class Scope(StrEnum):
    """The narrowest right that opens a call; `read:org_audit` opens every read of the Compliance API as well."""

    ACTIVITIES = "read:compliance_activities"
    USER_DATA = "read:compliance_user_data"
    ORG_DATA = "read:compliance_org_data"
    DELETE = "delete:compliance_user_data"
    REVIEW_CASES = "read:compliance_review_cases"
    REVIEW_ITEMS = "read:compliance_review_items"
    REVIEW_ANSWERS = "write:compliance_review_cases"
    ANALYTICS = "read:analytics"
    MANAGED_SETTINGS = "read:claude_code_managed_settings"
    NOT_NAMED = ""


class Filters(StrEnum):
    """How a time bound is spelled; another spelling is a 400."""

    NONE = ""
    DOTTED = "{name}.{bound}"
    BRACKETED = "{name}[{bound}]"


class Paging(StrEnum):
    """How an answer says where to go on."""

    NONE = "one answer"
    BYTES = "one byte stream"
    CURSOR = "last_id and has_more, asked with after_id"
    PAGE = "next_page and has_more, asked with page"
    TOKEN = "next_page alone, asked with page; short and empty pages are normal"

    @property
    def parameter(self) -> str:
        """The parameter that goes on after a page."""
        return "after_id" if self is Paging.CURSOR else "page"


class Meaning(StrEnum):
    """What a refusal says; the client raises the error of that name."""

    BAD_REQUEST = "BadRequest"
    REFUSED = "SourceRefused"
    NOT_AVAILABLE = "NotAvailable"
    GONE = "ItemGone"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Items a page: without `limit` (None: all of them), and at most."""

    default: int | None
    largest: int


ENTERPRISE = (KeyKind.COMPLIANCE,)
ADMIN = (KeyKind.ADMIN,)
EITHER = (KeyKind.COMPLIANCE, KeyKind.ADMIN)


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """One call. `items` names the field that holds the list; `statuses` what differs from the rule in `means`."""

    path: str
    scope: Scope
    paging: Paging = Paging.NONE
    sizes: Sizes | None = None
    _: KW_ONLY
    method: Method = Method.GET
    keys: tuple[KeyKind, ...] = ENTERPRISE
    filters: Filters = Filters.NONE
    budget: RequestBudget = RequestBudget.COMPLIANCE
    items: str = "data"
    beta: str = ""
    statuses: Mapping[int, Meaning] = field(default_factory=dict)

    def means(self, status: int) -> Meaning:
        """What a status in the 400s says of this call.

        A 404 on a path with an id says that the object is gone, on any other that the family is not there. A family
        that goes away during a run looks like objects that are gone: believe a tombstone only when the list answers.
        """
        if status in self.statuses:
            return self.statuses[status]
        if status == 404:
            return Meaning.GONE if "{" in self.path else Meaning.NOT_AVAILABLE
        return {400: Meaning.BAD_REQUEST, 403: Meaning.NOT_AVAILABLE}.get(status, Meaning.REFUSED)

    def bound(self, name: str, bound: str) -> str:
        """The parameter for one end of a span of time: `created_at.gte` or `created_at[gte]`."""
        if self.filters is Filters.NONE:
            raise ValueError(f"{self.path} takes no time bounds")
        return self.filters.format(name=name, bound=bound)

    def address(self, ids: Mapping[str, str]) -> str:
        """The path with its ids filled in. They come from answers: one that would lead elsewhere is refused."""
        for name, value in ids.items():
            if not value.strip("."):
                raise SourceIncoherent(f"the API gave an id that no address can hold ({name}); its object is left out")
        return self.path.format(**{name: quote(value, safe="") for name, value in ids.items()})
