"""Credentials for Azure's clients against local servers: a token that is its own name."""

from typing import Any

from azure.core.credentials import AccessToken

EXPIRY = 4_102_444_800  # the year 2100: no client here ever asks for a second token


class Credential:
    def __init__(self, token: str = "reader") -> None:
        self.token = token

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken(self.token, EXPIRY)


class AsyncCredential(Credential):
    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:  # type: ignore[override]
        return AccessToken(self.token, EXPIRY)

    async def close(self) -> None: ...

    async def __aenter__(self) -> "AsyncCredential":
        return self

    async def __aexit__(self, *error: object) -> None: ...
