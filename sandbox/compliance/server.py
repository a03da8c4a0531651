"""Serve an ASGI app of the sandbox over HTTP: uvicorn in a thread, on a loopback port."""

import asyncio
import logging
import socket
import threading
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.compliance.faults import ConnectionDropped

_START_LIMIT_SECONDS = 10.0
_STOP_LIMIT_SECONDS = 1  # an open connection must not delay the end of a test
_EXPECTED = ("without starting response", "without completing response", "graceful shutdown exceeded")


class Served:
    """`with Served(app) as served:` serves `app` at `served.url` until the block ends.

    `port` 0 picks a free one. The app sets its own `Date` header, because it runs on simulated time.
    """

    def __init__(self, app: ASGIApp, *, port: int = 0) -> None:
        # The protocol is explicit because asyncio sets TCP_NODELAY only then; without it every response waits 40 ms.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            _dropping(app),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            date_header=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_STOP_LIMIT_SECONDS,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> Self:
        logging.getLogger("uvicorn.error").addFilter(_unexpected)
        self._thread.start()
        if not self._server.answering.wait(_START_LIMIT_SECONDS):
            raise RuntimeError("the sandbox's server did not start; see the log of uvicorn")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()


class _Server(uvicorn.Server):
    """Sets `answering` once it accepts requests, so that it need not be polled."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answering.set()


def _dropping(app: ASGIApp) -> ASGIApp:
    """Leave a response unfinished when it is dropped, or delayed while the server stops: uvicorn then disconnects."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except (ConnectionDropped, asyncio.CancelledError):
            return

    return served


def _unexpected(entry: logging.LogRecord) -> bool:
    """uvicorn logs unfinished responses; ours are intentional."""
    message = entry.getMessage()
    return not any(words in message for words in _EXPECTED)
