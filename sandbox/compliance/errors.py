"""Error responses in the two documented envelopes (compliance-api.md, sections 4 and 18)."""

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

NOT_FOUND = "Not found"
NOT_ENABLED = "Compliance API is not enabled for this organization"


@dataclass(eq=False)
class ApiError(Exception):
    """An error response; `AccessControl` sends it to the client.

    `platform` selects the platform-wide envelope (`type: "error"`, `request_id`) over the plain compliance one.
    """

    status: int
    type: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    platform: bool = False

    def body(self, request_id: str | None = None) -> bytes:
        error = {"error": {"type": self.type, "message": self.message}}
        if self.platform:
            return json.dumps({"type": "error", **error, "request_id": request_id}).encode()
        return json.dumps(error).encode()


def not_found() -> ApiError:
    """Missing key, wrong kind of key, or unknown path: the documentation gives one response for all three."""
    return ApiError(404, "not_found_error", NOT_FOUND)


def unauthenticated(message: str) -> ApiError:
    return ApiError(401, "authentication_error", message)


def not_enabled() -> ApiError:
    return ApiError(400, "invalid_request_error", NOT_ENABLED)


def missing_scope(got: Iterable[str], needed: Iterable[str]) -> ApiError:
    message = f"Missing required scopes. Got: {sorted(got)} Needed one of: {list(needed)}"
    return ApiError(403, "permission_error", message)


def foreign_organization(organization: str) -> ApiError:
    """Second-hand (live-api-notes.md 6): the same 403 as a missing scope, only the message differs."""
    return ApiError(403, "permission_error", f"Organization {organization} is not accessible with this API key")


def bad_value(parameter: str, complaint: str) -> ApiError:
    """The message starts with the parameter's name, as documented; the rest is ours."""
    return ApiError(400, "invalid_request_error", f"{parameter}: {complaint}")


def bad_cursor(parameter: str) -> ApiError:
    return bad_value(parameter, "cursor cannot be decoded")


def unknown_parameter(name: str, known: Iterable[str]) -> ApiError:
    """Suggests the documented spelling: `created_at[gte]` becomes `created_at.gte`, `limits` becomes `limit`."""
    dotted = name.replace("[", ".").replace("]", "")
    close = difflib.get_close_matches(dotted, sorted(known), n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]}?" if close else ""
    return bad_value(name, f"unknown query parameter{hint}")


def rate_limited(retry_after: int | None) -> ApiError:
    """429; without `retry-after` when None, which section 3 requires clients to handle."""
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return ApiError(429, "rate_limit_error", "Request budget of the parent organization is used up", headers)


def server_error(*, final: bool) -> ApiError:
    """500; with `final`, `x-should-retry: false` means that the same request will fail again."""
    headers = {"x-should-retry": "false"} if final else {}
    return ApiError(500, "api_error", "Internal server error", headers, platform=True)


def overloaded() -> ApiError:
    return ApiError(529, "overloaded_error", "Overloaded", platform=True)
