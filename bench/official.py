"""The official ingestion client with a transport that discards every request, to measure the client's own work."""

import logging
from types import TracebackType
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import HttpTransport
from azure.monitor.ingestion import LogsIngestionClient

RULE_ID = "dcr-" + "5a" * 16
STREAM = "Custom-ClaudeActivity_CL"


class NoCredential:
    """A token without a request."""

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken("bench", 2**33)


class Accepted:
    """A 204 with the attributes that the client's pipeline reads."""

    status_code = 204
    reason = "No Content"
    content_type = None

    def __init__(self, request: Any) -> None:
        self.request = request
        self.headers: dict[str, str] = {}

    def text(self, encoding: str | None = None) -> str:
        return ""

    def body(self) -> bytes:
        return b""


class SwallowingTransport(HttpTransport[Any, Any]):
    """Counts requests and their bytes."""

    def __init__(self) -> None:
        self.requests = 0
        self.wire_bytes = 0

    def send(self, request: Any, **_: Any) -> Accepted:
        self.requests += 1
        self.wire_bytes += len(request.content)
        return Accepted(request)

    def open(self) -> None:
        return None

    def close(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        return None


def official_client(transport: SwallowingTransport) -> LogsIngestionClient:
    """The client as documented, with `transport` in place of the network."""
    logging.getLogger("azure").setLevel(logging.WARNING)
    return LogsIngestionClient("https://ingest.example.com", NoCredential(), transport=transport)
