"""What Blob storage's refusals mean: the bridge's error, and what the operator can do about it."""

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from shared.errors import StoreFailed

_REMEDIES = {
    "ContainerNotFound": "the container does not exist: deploy the storage again, or correct STATE_CONTAINER_URL",
    "InvalidBlobType": "a blob there is of another type: a document cannot be appended to",
    "KeyBasedAuthenticationNotPermitted": "the account takes no access keys: sign in with an identity",
}


def code_of(answer: AzureError) -> str:
    """The service's own code, such as `BlobNotFound`; empty when there was no answer."""
    code = getattr(answer, "error_code", None) or ""
    return str(getattr(code, "value", code))


def status_of(answer: AzureError) -> int:
    """The HTTP status; 0 when there was no answer."""
    return (answer.status_code or 0) if isinstance(answer, HttpResponseError) else 0


def failure(answer: AzureError, container: str) -> StoreFailed:
    """StoreFailed with the remedy; never the address, which may carry a signature."""
    status, code = status_of(answer), code_of(answer)
    said = f"{status} {code}".strip() if status else type(answer).__name__
    return StoreFailed(f"state in container {container} cannot be used ({said}): {_remedy(answer, status, code)}")


def _remedy(answer: AzureError, status: int, code: str) -> str:
    if code in _REMEDIES:
        return _REMEDIES[code]
    if status == 403:
        return (
            "the identity needs Storage Blob Data Contributor on the container (a new assignment takes up to ten "
            "minutes), and the storage firewall must let this network in"
        )
    if status == 401 or isinstance(answer, ClientAuthenticationError):
        return "the identity could not sign in: check the managed identity and its tenant"
    if status == 412:
        return "it changed while it was read; the next run goes on"
    if status in (0, 408, 429) or status >= 500:
        return (
            "storage did not answer; the next run goes on. If it lasts, check STATE_CONTAINER_URL, the name's "
            "resolution and the private endpoint"
        )
    return "the answer is not one this release knows; the next run tries again"


@contextmanager
def answered(container: str) -> Iterator[None]:
    """Whatever the service refuses inside becomes StoreFailed."""
    try:
        yield
    except AzureError as answer:
        raise failure(answer, container) from answer
