"""The operators' API, put together. Each route: docs/reference/http-api.md."""

import structlog
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from perdure import __version__
from perdure.admin import problems
from perdure.admin.registrar import Registrar
from perdure.admin.routes import Routes, add_routes, describe
from perdure.admin.same_origin import SameOrigin
from perdure.admin.settings import AdminSettings
from perdure.admin.versions import VersionPrefix
from perdure.errors import StoreUnavailable
from perdure.events.hub import Hub
from perdure.introspection.query import QueryEngine
from perdure.partition.gateway import Gateway

_log = structlog.get_logger(__name__)


def create_app(
    gateway: Gateway,
    registrar: Registrar,
    query_engine: QueryEngine,
    settings: AdminSettings,
    hub: Hub,
    ingress: ASGIApp,
    ui: ASGIApp | None = None,
) -> ASGIApp:
    """The ASGI app of the admin port. ingress: where invocations are sent to. ui: the web page, served under `/ui/`."""
    app = FastAPI(
        title="Perdure admin API",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    add_routes(app, Routes(gateway, registrar, query_engine, settings, hub, ingress))
    app.add_api_route("/openapi", lambda: describe(app), methods=["GET"], include_in_schema=False)
    app.add_api_route("/docs", _docs, methods=["GET"], include_in_schema=False)
    if ui is not None:
        for path in ("/", "/ui"):
            app.add_api_route(path, _to_ui, methods=["GET"], include_in_schema=False)
        app.mount("/ui", ui)
    app.add_exception_handler(problems.ApiError, problems.answer_api_error)
    app.add_exception_handler(problems.RequestError, problems.answer_request_error)
    app.add_exception_handler(HTTPException, _no_such_route)
    app.add_exception_handler(StoreUnavailable, _store_unavailable)
    app.add_exception_handler(Exception, _unexpected)
    app.add_middleware(GZipMiddleware, minimum_size=512)
    app.add_middleware(VersionPrefix)
    app.add_middleware(SameOrigin, loopback=settings.loopback, allowed=settings.hosts)
    return app


def _docs() -> HTMLResponse:
    return get_swagger_ui_html(openapi_url="openapi", title="Perdure admin API")


def _to_ui() -> Response:
    return RedirectResponse("/ui/", 308)


async def _no_such_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code != 405:
        return Response(status_code=error.status_code)
    methods: list[str] = []
    for route in request.app.router.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is Match.PARTIAL:
            methods += sorted(route.methods or ())
    if "GET" in methods:
        methods.insert(methods.index("GET") + 1, "HEAD")
    return Response(status_code=405, headers={"allow": ",".join(methods)})


async def _store_unavailable(_: Request, error: Exception) -> Response:
    assert isinstance(error, StoreUnavailable)
    return problems.error_response(503, f"{error}. {error.hint}", error.code)


async def _unexpected(_: Request, error: Exception) -> Response:
    _log.error("admin request failed", exc_info=error)
    return problems.error_response(500, f"Internal error: {type(error).__name__}. The server's log has the details.")
