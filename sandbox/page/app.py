"""The page's server: workbook tiles, the KQL box and the rules, each as one query to a workspace opened read-only."""

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kql import KqlRefused, QueryAnswer
from sandbox.page import described, rules
from sandbox.page.reader import Asking, Reader
from sentinel.tools.load.problems import ContentError
from sentinel.tools.workbook.model import Workbook
from sentinel.tools.workbook.scope import ALL, Scope, chosen, local

STATIC = Path(__file__).resolve().parent / "static"
MOST_ROWS = 1000
"""Rows sent to the browser; the page shows when there are more."""
THREADS = 3
DISCONNECT_POLL_SECONDS = 0.1
"""Interval of checks whether the browser has disconnected."""

_MEDIA = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


class PageContext:
    """Shared by the routes: the workspace, the workbook, and the query threads."""

    def __init__(self, reader: Reader, book: Workbook, name: str) -> None:
        self.reader, self.book, self.name = reader, book, name
        self.now = reader.as_of()
        self.threads = ThreadPoolExecutor(THREADS, "page")
        self._proof = self.threads.submit(reader.cache_proof, self.now)

    def scope(self, request: Request) -> Scope:
        """The scope selected in the URL; ValueError with a message for the user."""
        given = request.query_params
        person = given.get("Person", ALL).strip()
        scope = chosen(
            self.now,
            lookback=given.get("TimeRange", "30d"),
            until=given.get("Until", ""),
            organization=given.get("Organization", ALL),
            person=person.lower() if "@" in person else person,  # addresses are stored in lower case, ids as they are
            workspace=given.get("Workspace", ALL),
        )
        return replace(scope, picked=given.get("picked", ""))

    async def answer(self, request: Request, asking: Callable[[], Asking], kql: str) -> Response:
        """The result as JSON; 422 with the message if the query is refused; canceled if the browser disconnects."""
        await asyncio.wrap_future(self._proof)
        started: list[Asking] = []

        def work() -> tuple[QueryAnswer, float]:
            start = time.perf_counter()
            started.append(asking())
            return started[0].answer(MOST_ROWS + 1), time.perf_counter() - start

        task = asyncio.get_running_loop().run_in_executor(self.threads, work)
        while not (await asyncio.wait({task}, timeout=DISCONNECT_POLL_SECONDS))[0]:
            if await request.is_disconnected():
                task.cancel()
                for one in started:
                    one.stop()
                return Response(status_code=499)
        try:
            found, seconds = task.result()
        except KqlRefused as refused:
            return JSONResponse({"error": refused.message, "line": refused.line, "column": refused.column}, 422)
        return JSONResponse(described.answer(found, MOST_ROWS, seconds, kql))

    def close(self) -> None:
        """Wait for running queries, then close the file."""
        self.threads.shutdown(cancel_futures=True)
        self.reader.close()


def page_app(context: PageContext) -> Starlette:
    """The routes, to be wrapped in `sandbox.page.guard`."""
    routes = [
        Route("/", _static),
        Route("/static/{file:path}", _static),
        Route("/api/page", _page),
        Route("/api/choices/{name}", _choices),
        Route("/api/tile/{tab}/{tile}", _tile),
        Route("/api/drill/{name}", _drill),
        Route("/api/kql", _kql, methods=["POST"]),
        Route("/api/rules", _rules),
        Route("/api/rules/{slug}", _rule),
    ]
    app = Starlette(routes=routes)
    app.state.context = context
    return app


def _context(request: Request) -> PageContext:
    context: PageContext = request.app.state.context
    return context


async def _static(request: Request) -> Response:
    name = request.path_params.get("file", "index.html")
    path = (STATIC / name).resolve()
    if not path.is_relative_to(STATIC) or path.suffix not in _MEDIA or not path.is_file():
        return JSONResponse({"error": "file not found"}, 404)
    return Response(await asyncio.to_thread(path.read_bytes), media_type=_MEDIA[path.suffix])


async def _page(request: Request) -> Response:
    context = _context(request)
    facts: dict[str, Any] = {
        "workspace": context.name,
        "asOf": context.now.isoformat(),
        "live": context.now == context.reader.clock.now(),
        "present": sorted(context.reader.present),
        "tables": sorted(context.reader.tables),
        "functions": list(context.reader.functions),
    }
    return JSONResponse(described.workbook(context.book) | facts)


async def _asked(request: Request, text: str | None) -> Response:
    context = _context(request)
    if text is None:
        return JSONResponse({"error": "the workbook has no such query"}, 404)
    try:
        kql = local(text, context.scope(request), context.book.shared)
    except ValueError as wrong:
        return JSONResponse({"error": str(wrong)}, 422)
    return await context.answer(request, lambda: context.reader.asking(kql, context.now), kql)


async def _tile(request: Request) -> Response:
    asked = request.path_params
    pages = {page.slug: page.queries for page in _context(request).book.pages}
    return await _asked(request, pages.get(asked["tab"], {}).get(asked["tile"]))


async def _drill(request: Request) -> Response:
    return await _asked(request, _context(request).book.drills.get(request.path_params["name"]))


async def _choices(request: Request) -> Response:
    return await _asked(request, _context(request).book.options.get(request.path_params["name"]))


async def _kql(request: Request) -> Response:
    context = _context(request)
    try:
        kql = json.loads(await request.body())["query"]
        if not isinstance(kql, str):
            raise TypeError
    except (ValueError, KeyError, TypeError):
        return JSONResponse({"error": "send {query: text}"}, 400)
    return await context.answer(request, lambda: context.reader.asking(kql, context.now), kql)


async def _rules(request: Request) -> Response:
    listed, problems = await asyncio.to_thread(rules.listed)
    return JSONResponse({"rules": listed, "problems": problems})


async def _rule(request: Request) -> Response:
    context = _context(request)
    try:
        rule = await asyncio.to_thread(rules.one, request.path_params["slug"])
        scope = context.scope(request)
    except (ContentError, ValueError, LookupError) as wrong:
        return JSONResponse({"error": str(wrong)}, 422)
    kql = rule.query
    return await context.answer(
        request, lambda: context.reader.rule_query(kql, context.now, scope.start, scope.end), kql
    )
