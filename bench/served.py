"""A feed, and an endpoint that discards uploads, in their own process: `python -m bench.served COUNT`.

Prints its address and key as a line of JSON and serves until its standard input ends.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from bench.reading import on_the_other_cores
from bench.sample import entries
from sandbox.compliance.api import compliance_app
from sandbox.compliance.feed import SimulatedFeed
from sandbox.compliance.keys import READ_ACTIVITIES, ApiKey
from sandbox.compliance.server import Served
from shared.clock import SimulatedClock

KEY = ApiKey("sk-ant-api01-bench", "apikey_01FAKEbench", "compliance", frozenset({READ_ACTIVITIES}))
PLENTY = 1_000_000  # requests a minute: the budget is not what is measured


@dataclass(frozen=True, slots=True)
class Address:
    """URLs of both ends; `end` (ISO 8601), the midnight after the last activity, is their current time."""

    url: str
    key: str
    end: str


@contextmanager
def server(count: int) -> Iterator[Address]:
    """Start the server process with a feed of `count` activities; it ends with the block."""
    command = [sys.executable, "-m", "bench.served", str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("the server process exited before it was ready; see its message above")
            yield Address(**json.loads(line))
        finally:
            process.stdin.close()


def discarding_app() -> Starlette:
    """Accepts every upload with 204; `/uploads` returns their number and bytes on the wire."""
    seen = {"uploads": 0, "wire_bytes": 0}

    async def upload(request: Request) -> Response:
        seen["wire_bytes"] += len(await request.body())
        seen["uploads"] += 1
        return Response(status_code=204)

    async def uploads(_: Request) -> Response:
        return JSONResponse(seen)

    stream = Route("/dataCollectionRules/{rule}/streams/{stream}", upload, methods=["POST"])
    return Starlette(routes=[stream, Route("/uploads", uploads)])


def main() -> None:
    on_the_other_cores()
    made = list(entries(int(sys.argv[1])))
    end = made[-1].created_at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    api = compliance_app(SimulatedFeed(made), [KEY], SimulatedClock(end), requests_per_minute=PLENTY, own_rows=False)
    with Served(Starlette(routes=[*discarding_app().routes, Mount("/", api)])) as served:
        line = json.dumps(asdict(Address(served.url, KEY.secret, end.isoformat()))) + "\n"
        with suppress(BrokenPipeError):  # the client has been stopped
            os.write(sys.stdout.fileno(), line.encode())
        sys.stdin.read()


if __name__ == "__main__":
    main()
