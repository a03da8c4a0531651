"""The page's server: the workbook's tiles, the KQL box and the rules, each as one question to a held workspace."""

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
"""Rows of an answer that the browser gets; the page says when there are more."""
THREADS = 3
LOOKS_AWAY = 0.1
"""Seconds between two looks whether the browser still wants the answer."""

_MEDIA = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


class Desk:
    """What the routes share: the workspace, the workbook, and the threads that ask."""

    def __init__(self, reader: Reader, book: Workbook, name: str) -> None:
        self.reader, self.book, self.name = reader, book, name
        self.now = reader.as_of()
        self.threads = ThreadPoolExecutor(THREADS, "page")
        self._proof = self.threads.submit(reader.keep_proof, self.now)

    def scope(self, request: Request) -> Scope:
        """What the address chooses; ValueError in words for its reader."""
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
        """The answer as JSON; a refusal as 422 with its words; given up when the browser went away."""
        await asyncio.wrap_future(self._proof)
        started: list[Asking] = []

        def work() -> tuple[QueryAnswer, float]:
            begun = time.perf_counter()
            started.append(asking())
            return started[0].answer(MOST_ROWS + 1), time.perf_counter() - begun

        task = asyncio.get_running_loop().run_in_executor(self.threads, work)
        while not (await asyncio.wait({task}, timeout=LOOKS_AWAY))[0]:
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
        """Wait for what is being asked, then let go of the file."""
        self.threads.shutdown(cancel_futures=True)
        self.reader.close()


def page_app(desk: Desk) -> Starlette:
    """The routes, for `sandbox.page.guard` to stand before."""
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
    app.state.desk = desk
    return app


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


async def _static(request: Request) -> Response:
    name = request.path_params.get("file", "index.html")
    path = (STATIC / name).resolve()
    if not path.is_relative_to(STATIC) or path.suffix not in _MEDIA or not path.is_file():
        return JSONResponse({"error": "there is no such file"}, 404)
    return Response(await asyncio.to_thread(path.read_bytes), media_type=_MEDIA[path.suffix])


async def _page(request: Request) -> Response:
    desk = _desk(request)
    facts: dict[str, Any] = {
        "workspace": desk.name,
        "asOf": desk.now.isoformat(),
        "live": desk.now == desk.reader.clock.now(),
        "present": sorted(desk.reader.present),
        "tables": sorted(desk.reader.tables),
        "functions": list(desk.reader.functions),
    }
    return JSONResponse(described.workbook(desk.book) | facts)


async def _asked(request: Request, text: str | None) -> Response:
    desk = _desk(request)
    if text is None:
        return JSONResponse({"error": "the workbook has no such query"}, 404)
    try:
        kql = local(text, desk.scope(request), desk.book.shared)
    except ValueError as wrong:
        return JSONResponse({"error": str(wrong)}, 422)
    return await desk.answer(request, lambda: desk.reader.asking(kql, desk.now), kql)


async def _tile(request: Request) -> Response:
    asked = request.path_params
    pages = {page.slug: page.queries for page in _desk(request).book.pages}
    return await _asked(request, pages.get(asked["tab"], {}).get(asked["tile"]))


async def _drill(request: Request) -> Response:
    return await _asked(request, _desk(request).book.drills.get(request.path_params["name"]))


async def _choices(request: Request) -> Response:
    return await _asked(request, _desk(request).book.options.get(request.path_params["name"]))


async def _kql(request: Request) -> Response:
    desk = _desk(request)
    try:
        kql = json.loads(await request.body())["query"]
        if not isinstance(kql, str):
            raise TypeError
    except (ValueError, KeyError, TypeError):
        return JSONResponse({"error": "send {query: text}"}, 400)
    return await desk.answer(request, lambda: desk.reader.asking(kql, desk.now), kql)


async def _rules(request: Request) -> Response:
    listed, problems = await asyncio.to_thread(rules.listed)
    return JSONResponse({"rules": listed, "problems": problems})


async def _rule(request: Request) -> Response:
    desk = _desk(request)
    try:
        rule = await asyncio.to_thread(rules.one, request.path_params["slug"])
        scope = desk.scope(request)
    except (ContentError, ValueError, LookupError) as wrong:
        return JSONResponse({"error": str(wrong)}, 422)
    kql = rule.query
    return await desk.answer(request, lambda: desk.reader.rehearsing(kql, desk.now, scope.start, scope.end), kql)
