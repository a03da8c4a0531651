"""Who may see the page: the person who started it. A port of this machine can be reached by every user of it."""

import secrets

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
NO_KEY = "This page is open to whoever started it: use the address that `python -m sandbox page` printed, key and all."


class Guard:
    """Lets a request through that carries the key, as a cookie or once in the address, and names this machine."""

    def __init__(self, app: ASGIApp, *, key: str) -> None:
        self._app, self._key = app, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refused = self._refused(Request(scope))
        await (self._app if refused is None else refused)(scope, receive, send_with_headers)

    def _refused(self, request: Request) -> Response | None:
        # A page elsewhere may have its name resolve to 127.0.0.1; then the name is not ours.
        port = request.scope["server"][1]
        if request.headers.get("host") not in (f"127.0.0.1:{port}", f"localhost:{port}"):
            return PlainTextResponse("This server answers to 127.0.0.1 only.", 421)
        cookie = f"page-{port}"  # cookies know no ports, and two pages may be open
        given = request.query_params.get("key", "")
        if request.method == "GET" and request.url.path == "/" and self._is_key(given):
            moved = RedirectResponse("/", 303)
            moved.set_cookie(cookie, self._key, httponly=True, samesite="strict", path="/")
            return moved
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return PlainTextResponse("Only the page itself may ask.", 403)
        if not self._is_key(request.cookies.get(cookie, "")):
            return PlainTextResponse(NO_KEY, 401)
        return None

    def _is_key(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self._key.encode())
