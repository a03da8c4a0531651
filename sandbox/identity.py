"""A simulated managed identity: the token endpoint that azure-identity calls in a function app.

Shape: `GET ?api-version=2019-08-01&resource=...` with header X-IDENTITY-HEADER, as App Service documents it.
"""

import secrets

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PATH = "/identity/token"


def identity_app(token: str, header: str, *, expires_on: int) -> Starlette:
    """Return `token` to requests with `header`; 401 otherwise."""

    async def give(request: Request) -> Response:
        if not secrets.compare_digest(request.headers.get("x-identity-header", ""), header):
            return JSONResponse({"statusCode": 401, "message": "the identity header is wrong or missing"}, 401)
        return JSONResponse(
            {
                "access_token": token,
                "expires_on": str(expires_on),
                "resource": request.query_params.get("resource", ""),
                "token_type": "Bearer",
            }
        )

    return Starlette(routes=[Route(PATH, give)])
