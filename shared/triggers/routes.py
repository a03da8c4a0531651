"""The routes: health for everybody, the plan for operators with a key. Every answer is JSON; none holds a traceback."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import azure.functions as func
import msgspec

from shared.errors import BridgeError, CheckpointMoved, ConfigError, StateMissing, StateUnreadable
from shared.logs import defect, event, logger, safe
from shared.settings import Settings, load
from shared.triggers import plan_route
from shared.triggers.bridge_cache import here
from shared.triggers.health_route import Health
from shared.triggers.plan_route import BadOrder
from shared.wiring import Bridge

log = logger(__name__)

PRINCIPAL = "X-MS-CLIENT-PRINCIPAL"
PRINCIPAL_ID = "X-MS-CLIENT-PRINCIPAL-ID"

Work = Callable[[Bridge], Awaitable[tuple[int, dict[str, Any]]]]

http = func.Blueprint()  # type: ignore[no-untyped-call]  # azure-functions leaves this one constructor untyped
_health = Health(here)


class NotSignedIn(Exception):
    """The request came without the principal that the platform adds after sign-in."""


@http.function_name("health")
@http.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """200 when the bridge can do its work, 503 with reasons when it waits for a key, a setting or its state."""
    try:
        report = await _health.report()
    except Exception as error:
        return _broken("health", error)
    return _json(report.code, report.body())


@http.function_name("start_backfill")
@http.route(route="start_backfill", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def start_backfill(req: func.HttpRequest) -> func.HttpResponse:
    """Plan history: `{"days": 90}`, or from and to; 202 with the plans."""

    async def work(bridge: Bridge) -> tuple[int, dict[str, Any]]:
        order = plan_route.read(req.get_body(), plan_route.Backfill)
        return 202, {"plans": await plan_route.start_backfill(bridge, order, here.clock.now())}

    return await _operator("start_backfill", req, work)


@http.function_name("plan")
@http.route(route="plan", methods=["GET", "POST"], auth_level=func.AuthLevel.FUNCTION)
async def plan(req: func.HttpRequest) -> func.HttpResponse:
    """GET lists the plans (`?connection=`); POST pauses, resumes, cancels or adds."""

    async def show(bridge: Bridge) -> tuple[int, dict[str, Any]]:
        return 200, {"plans": await plan_route.list_plans(bridge, req.params.get("connection"))}

    async def change(bridge: Bridge) -> tuple[int, dict[str, Any]]:
        order = plan_route.read(req.get_body(), plan_route.Change)
        return 200, {"plans": await plan_route.change_plan(bridge, order, here.clock.now())}

    return await _operator("plan", req, show if req.method == "GET" else change)


async def _operator(route: str, req: func.HttpRequest, work: Work) -> func.HttpResponse:
    """Admit, do, answer; what goes wrong is one sentence and the code that says who must act."""
    try:
        admit(req.headers, load())
        async with here.bridge() as bridge:
            code, answer = await work(bridge)
    except NotSignedIn as no:
        return _refused(route, 401, str(no))
    except BadOrder as no:
        return _refused(route, 400, str(no))
    except (StateMissing, StateUnreadable, CheckpointMoved) as no:
        return _refused(route, 409, str(no))
    except BridgeError as no:
        return _refused(route, 503, str(no))
    except Exception as error:
        return _broken(route, error)
    if req.method != "GET":
        # An object id, not a name: it tells an auditor who, and a reader of the log nothing.
        event(log, "order.taken", route=route, by=req.headers.get(PRINCIPAL_ID, "function key"))
    return _json(code, answer)


def admit(headers: Mapping[str, str], settings: Settings) -> None:
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
    event(log, "order.refused", level=logging.WARNING, route=route, code=code)
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
