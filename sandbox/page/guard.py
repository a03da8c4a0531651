"""Access control: only the person who started the page. A local port can be reached by every user of the machine."""

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
NO_KEY = "Access denied: open the address printed by `python -m sandbox page`, including its key."


class Guard:
    """Accepts requests with the key, as a cookie or once in the URL, and a loopback Host header."""

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
        # DNS rebinding: another site's name may resolve to 127.0.0.1, but its Host header differs.
        port = request.scope["server"][1]
        if request.headers.get("host") not in (f"127.0.0.1:{port}", f"localhost:{port}"):
            return PlainTextResponse("This server accepts requests for 127.0.0.1 only.", 421)
        cookie = f"page-{port}"  # cookies are not separated by port, and two pages may be open
        given = request.query_params.get("key", "")
        if request.method == "GET" and request.url.path == "/" and self._is_key(given):
            moved = RedirectResponse("/", 303)
            moved.set_cookie(cookie, self._key, httponly=True, samesite="strict", path="/")
            return moved
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return PlainTextResponse("Cross-site requests are not allowed.", 403)
        if not self._is_key(request.cookies.get(cookie, "")):
            return PlainTextResponse(NO_KEY, 401)
        return None

    def _is_key(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self._key.encode())
