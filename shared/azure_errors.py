"""Azure's refusals as the bridge's errors: one table says, per service, who acts and what to do."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from shared.errors import BridgeError, Busy, ConfigError, SinkBusy, SinkRefused, SourceBusy, StoreFailed
from shared.logs import safe
from shared.retry import retry_after_seconds

QUOTED_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Service:
    """How one service's answers are translated. `fails` begins the sentence, a remedy ends it; `{what}` is named.

    A busy service gets `name` instead: "NAME is busy (429)", or "NAME did not answer (the client's error)".

    `remedies` are by the service's own code or by HTTP status, a code first. `quotes` adds the service's own words,
    masked and short; never for storage, whose words may carry an address with a signature.
    """

    name: str
    fails: str
    refused: type[BridgeError]
    busy: type[BridgeError]
    no_token: str
    later: str
    otherwise: str
    remedies: Mapping[str | int, str] = field(default_factory=dict)
    quotes: bool = False


WORKSPACE_ROLE = (
    "give the identity Log Analytics Data Reader on the workspace with the condition on the bridge's tables "
    "(docs/rights.md)"
)
_STORAGE_ROLE = (
    "the identity needs Storage Blob Data Contributor on the container (a new assignment takes up to ten minutes), and "
    "the storage firewall must let this network in"
)

WORKSPACE = Service(
    name="the workspace",
    fails="the workspace cannot be queried",
    refused=SinkRefused,
    busy=SinkBusy,
    no_token="no token for the query endpoint: check the managed identity, or sign in with `az login`",
    later="try again later",
    otherwise="deploy the parsers of this release again (the tables, where they are missing)",
    remedies=dict.fromkeys((401, 403, 404), f"check WORKSPACE_ID, and {WORKSPACE_ROLE}"),
    quotes=True,
)
INGESTION = Service(
    name="the ingestion endpoint",
    fails="the ingestion endpoint refuses rows",
    refused=SinkRefused,
    busy=SinkBusy,
    no_token="no token for the ingestion endpoint: check the managed identity, AZURE_CLIENT_ID and INGESTION_AUDIENCE, "
    "or sign in with `az login`",
    later="the next run resumes; if it lasts, check INGESTION_ENDPOINT and DNS",
    otherwise="the answer is not one the service documents",
    remedies={
        401: "the token is not accepted: check the identity and INGESTION_AUDIENCE",
        403: "the identity needs Monitoring Metrics Publisher on the DCR (a new assignment takes up to 30 minutes)",
        404: "no such rule or stream: check INGESTION_ENDPOINT, DCR_IMMUTABLE_ID (dcr-..., not the name), the region",
    },
    quotes=True,
)
STATE = Service(
    name="the storage of state",
    fails="state in container {what} cannot be used",
    refused=StoreFailed,
    busy=StoreFailed,
    no_token="the identity could not sign in: check the managed identity and its tenant",
    later="the next run resumes; if it lasts, check STATE_CONTAINER_URL, the name's resolution "
    "and the private endpoint",
    otherwise="the answer is not one this release knows; the next run tries again",
    remedies={
        "ContainerNotFound": "the container does not exist: deploy the storage again, or correct STATE_CONTAINER_URL",
        "InvalidBlobType": "a blob there is of another type: a document cannot be appended to",
        "KeyBasedAuthenticationNotPermitted": "the account takes no access keys: sign in with an identity",
        401: "the identity could not sign in: check the managed identity and its tenant",
        403: _STORAGE_ROLE,
        412: "it changed while it was read; the next run resumes",
    },
)
ARCHIVE = Service(
    name="the storage of reports",
    fails="the storage of reports cannot be used",
    refused=StoreFailed,
    busy=StoreFailed,
    no_token="the identity could not sign in: check the managed identity and its tenant",
    later="the next run tries again; if it lasts, check REPORT_CONTAINER_URL and the network",
    otherwise="check REPORT_CONTAINER_URL and the network",
    remedies={
        401: f"{_STORAGE_ROLE} (docs/report.md)",
        403: f"{_STORAGE_ROLE} (docs/report.md)",
        404: "the container does not exist: correct REPORT_CONTAINER_URL",
    },
)
SECRETS = Service(
    name="the Key Vault",
    fails="secret {what} of the Key Vault cannot be read",
    refused=ConfigError,
    busy=SourceBusy,
    no_token="the identity cannot sign in to the Key Vault: check the managed identity and its tenant",
    later="if it lasts, check KEY_VAULT_URL and the network",
    otherwise="check KEY_VAULT_URL and the secret's name",
    remedies={
        "ForbiddenByFirewall": "the Key Vault's firewall refuses this network: allow the app's subnet or address",
        "SecretDisabled": "waiting for key: the secret was disabled; enable it",
        401: "the identity cannot sign in to the Key Vault: check the managed identity and its tenant",
        403: "give the identity Key Vault Secrets User on this secret (a new assignment takes up to ten minutes)",
        404: "waiting for key: the secret was disabled or removed; enable or restore it",
    },
)
SIGNING = Service(
    name="the Key Vault",
    fails="the Key Vault does not sign",
    refused=ConfigError,
    busy=SinkBusy,
    no_token="the identity cannot sign in to the Key Vault: check the managed identity and its tenant",
    later="write the report later",
    otherwise="check REPORT_SIGNING_KEY",
    remedies={
        **dict.fromkeys((401, 403), "give the identity Key Vault Crypto User on the key of REPORT_SIGNING_KEY"),
        404: "the vault has no key of that name: correct REPORT_SIGNING_KEY",
    },
)


def status_of(answer: AzureError) -> int:
    """The HTTP status; 0 when there was no answer."""
    return (answer.status_code or 0) if isinstance(answer, HttpResponseError) else 0


def code_of(answer: AzureError) -> str:
    """The service's own code, such as `BlobNotFound`, or Key Vault's inner one; empty when there was none."""
    code = getattr(answer, "error_code", None) or ""
    error = answer.error if isinstance(answer, HttpResponseError) else None
    inner: Any = getattr(error, "innererror", None)
    if not code and isinstance(inner, dict):
        code = inner.get("code", "")
    return str(getattr(code, "value", code))


def words_of(answer: HttpResponseError) -> str:
    """The service's own words, masked and short."""
    error = answer.error
    return safe(f"{error.code} {error.message}" if error else str(answer.message))[:QUOTED_LENGTH]


def _headers(answer: AzureError) -> Mapping[str, str]:
    return getattr(getattr(answer, "response", None), "headers", None) or {}


def is_busy(answer: AzureError) -> bool:
    """Worth another try: no answer, a time-out, a limit, or the service's own fault."""
    status = status_of(answer)
    return status in (0, 408, 429) or status >= 500


def translated(answer: AzureError, service: Service, what: str = "", *, now: datetime | None = None) -> BridgeError:
    """The bridge's error for an answer of `service`, to be raised `from` it; `now` lets a Retry-After date count."""
    status, code = status_of(answer), code_of(answer)
    said = f"{status} {code}".strip() if status else type(answer).__name__
    fails = service.fails.format(what=what)
    if isinstance(answer, ClientAuthenticationError) and not status:
        return service.refused(f"{fails} ({said}): {service.no_token}")
    known = service.remedies.get(code) or service.remedies.get(status)
    if 300 <= status < 400:  # never followed: rows and tokens go only where the settings say
        host = safe(urlsplit(_headers(answer).get("Location", "")).hostname or "nowhere")
        known = f"it redirects to {host}, which is not followed: correct the address, or ask who changed the network"
    if known is None and is_busy(answer):
        sentence = f"{service.name} {'is busy' if status else 'did not answer'} ({said}): {service.later}"
        if issubclass(service.busy, Busy):
            return service.busy(sentence, after=retry_after_seconds(_headers(answer).get("Retry-After"), now))
        return service.busy(sentence)
    quoted = f" ({words_of(answer)})" if service.quotes and isinstance(answer, HttpResponseError) else ""
    return service.refused(f"{fails} ({said}): {known or service.otherwise}{quoted}")


@contextmanager
def answered(service: Service, what: str = "") -> Iterator[None]:
    """Whatever the service refuses inside becomes the bridge's error."""
    try:
        yield
    except AzureError as answer:
        raise translated(answer, service, what) from answer
