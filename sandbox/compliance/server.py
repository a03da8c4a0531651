"""Real HTTP for any ASGI app of the sandbox: uvicorn in a thread, on a free port of this machine only."""

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
_STOP_LIMIT_SECONDS = 1  # a held connection must not hold up the end of a test
_ON_PURPOSE = ("without starting response", "without completing response", "graceful shutdown exceeded")


class Served:
    """`with Served(app) as served:` answers at `served.url` until the block ends.

    `port` 0 takes a free one. The app's own `Date` header stands, since simulated time is not uvicorn's.
    """

    def __init__(self, app: ASGIApp, *, port: int = 0) -> None:
        # The protocol is named because asyncio sets TCP_NODELAY only then; without it every answer waits 40 ms.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            _hanging_up(app),
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
        logging.getLogger("uvicorn.error").addFilter(_not_on_purpose)
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
    """Says when it answers, instead of being polled."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answering.set()


def _hanging_up(app: ASGIApp) -> ASGIApp:
    """Leave an answer unfinished when it is dropped, or held while the server stops: uvicorn hangs up then."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except (ConnectionDropped, asyncio.CancelledError):
            return

    return served


def _not_on_purpose(entry: logging.LogRecord) -> bool:
    """uvicorn reports answers that are left unfinished; ours are left so on purpose."""
    message = entry.getMessage()
    return not any(words in message for words in _ON_PURPOSE)
