"""The routes: health for everybody, the plan for operators with a key. Every answer is JSON; none holds a traceback."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import azure.functions as func
import msgspec

from shared.errors import BridgeError, CheckpointMoved, ConfigError, InvalidCommand, StateMissing, StateUnreadable
from shared.logs import defect, event, logger, safe
from shared.rows.times import moment
from shared.runs import plan_commands, status
from shared.runs.plan_commands import OLDEST, Action, AddedKind, Command
from shared.runs.status import StatusReport
from shared.triggers.bridge_cache import Process, here

T = TypeVar("T")

LONGEST_DAYS = OLDEST.days
BODY_LIMIT_BYTES = 10_000


class Backfill(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """`{"days": 90}` or `{"from": "2026-09-01", "to": "2026-10-01"}`; without `connection` for all of them."""

    connection: str | None = None
    days: int | None = None
    start: str | None = None
    to: str | None = None

    def command(self, now: datetime) -> Command:
        """Raises InvalidCommand."""
        if self.days is None:
            return Command("add", kind="history", start=_moment(self.start), end=_moment(self.to))
        if self.start is not None or self.to is not None:
            raise InvalidCommand("give either days, or from and to")
        if not 1 <= self.days <= LONGEST_DAYS:
            raise InvalidCommand(f"days must be between 1 and {LONGEST_DAYS}")
        return Command("add", kind="history", start=now - timedelta(days=self.days), end=now)


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """One change of the plan. `window` names one by its id; without it pause and resume mean the whole plan."""

    action: Action
    connection: str | None = None
    window: int | None = None
    kind: AddedKind = "repair"
    start: str | None = None
    to: str | None = None

    def command(self, now: datetime) -> Command:
        """Raises InvalidCommand."""
        return Command(self.action, self.window, self.kind, _moment(self.start), _moment(self.to))


def parsed(body: bytes, kind: type[T]) -> T:
    """The body of a request. Raises InvalidCommand."""
    if len(body) > BODY_LIMIT_BYTES:
        raise InvalidCommand(f"the body is longer than {BODY_LIMIT_BYTES} bytes")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as wrong:
        raise InvalidCommand(f"the body is not what is expected: {wrong}") from None


def _moment(text: str | None) -> datetime | None:
    return None if text is None else moment(text)


if TYPE_CHECKING:
    from shared.settings import Settings
    from shared.wiring import Bridge

log = logger(__name__)

PRINCIPAL = "X-MS-CLIENT-PRINCIPAL"
PRINCIPAL_ID = "X-MS-CLIENT-PRINCIPAL-ID"

Plans = list[dict[str, Any]]
Work = Callable[["Bridge"], Awaitable[tuple[int, Plans]]]

http = func.Blueprint()  # type: ignore[no-untyped-call]  # azure-functions leaves this one constructor untyped


FRESH = timedelta(seconds=15)
"""The health route is open to everybody: however often it is asked, storage is asked four times a minute."""


class NotSignedIn(Exception):
    """The request came without the principal that the platform adds after sign-in."""


class HealthCache:
    """The status of all connections, read at most every fifteen seconds, by one request at a time."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()
        self._last: tuple[Bridge, StatusReport] | None = None

    async def report(self) -> StatusReport:
        """The status; an error of the bridge is a reason in it."""
        clock = self._process.clock
        try:
            async with self._process.bridge() as bridge, self._turn:
                if self._last is None or self._last[0] is not bridge or clock.now() - self._last[1].at >= FRESH:
                    self._last = (bridge, await status.report(bridge.connections, bridge.broken, clock.now()))
                return self._last[1]
        except ConfigError as waiting:
            return StatusReport(clock.now(), reasons=[safe(str(waiting))])


_health = HealthCache(here)


@http.function_name("health")
@http.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """What `claude-bridge status --json` prints; 503 when the bridge waits for a key, a setting or its state."""
    try:
        report = await _health.report()
    except Exception as error:
        return _broken("health", error)
    return _json(503 if report.reasons else 200, report.as_json())


@http.function_name("start_backfill")
@http.route(route="start_backfill", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def start_backfill(req: func.HttpRequest) -> func.HttpResponse:
    """Plan history: `{"days": 90}`, or from and to; 202 with the plans."""

    async def work(bridge: "Bridge") -> tuple[int, Plans]:
        return 202, await _change(bridge, parsed(req.get_body(), Backfill))

    return await _operator("start_backfill", req, work)


@http.function_name("plan")
@http.route(route="plan", methods=["GET", "POST"], auth_level=func.AuthLevel.FUNCTION)
async def plan(req: func.HttpRequest) -> func.HttpResponse:
    """GET lists the plans (`?connection=`); POST pauses, resumes, cancels or adds."""

    async def show(bridge: "Bridge") -> tuple[int, Plans]:
        return 200, await plan_commands.list_plans(bridge.chosen(req.params.get("connection")))

    async def change(bridge: "Bridge") -> tuple[int, Plans]:
        return 200, await _change(bridge, parsed(req.get_body(), Change))

    return await _operator("plan", req, show if req.method == "GET" else change)


async def _change(bridge: "Bridge", body: Backfill | Change) -> Plans:
    command = body.command(here.clock.now())
    return await plan_commands.carry_out(bridge.chosen(body.connection), command)


async def _operator(route: str, req: func.HttpRequest, work: Work) -> func.HttpResponse:
    """Admit, do, answer. An error is one sentence and a code: 400 is the caller's, 409 and 503 the operator's."""
    from shared.settings import load

    try:
        admit(req.headers, load())
        async with here.bridge() as bridge:
            code, plans = await work(bridge)
    except NotSignedIn as no:
        return _refused(route, 401, str(no))
    except InvalidCommand as no:
        return _refused(route, 400, str(no))
    except (StateMissing, StateUnreadable, CheckpointMoved) as no:
        return _refused(route, 409, str(no))
    except BridgeError as no:
        return _refused(route, 503, str(no))
    except Exception as error:
        return _broken(route, error)
    if req.method != "GET":
        # An object id, not a name: an auditor can resolve it, a reader of the log cannot.
        event(log, "command.accepted", route=route, by=req.headers.get(PRINCIPAL_ID, "function key"))
    return _json(code, {"plans": plans})


def admit(headers: Mapping[str, str], settings: "Settings") -> None:
    """With REQUIRE_ENTRA only signed-in callers: raises NotSignedIn, or ConfigError when nothing checks sign-ins.

    The header is proof only behind App Service authentication, which removes it from what callers send and sets
    WEBSITE_AUTH_ENABLED; without that anybody could write it.
    """
    if not settings.require_entra:
        return
    if not getattr(settings, "website_auth_enabled", True):
        raise ConfigError(
            "REQUIRE_ENTRA is set and the app's authentication is off: switch it on, or unset the setting"
        )
    if not headers.get(PRINCIPAL, "").strip():
        raise NotSignedIn("sign in with Microsoft Entra ID: this app asks for more than the function key")


def _refused(route: str, code: int, sentence: str) -> func.HttpResponse:
    event(log, "command.refused", level=logging.WARNING, route=route, code=code)
    return _json(code, {"error": safe(sentence)})


def _broken(route: str, error: Exception) -> func.HttpResponse:
    defect(log, "route.broke", error, route=route)
    return _json(500, {"error": "this is a defect of the bridge; the app's log has the details"})


def _json(code: int, body: dict[str, Any]) -> func.HttpResponse:
    return func.HttpResponse(
        msgspec.json.encode(body),
        status_code=code,
        mimetype="application/json",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )
