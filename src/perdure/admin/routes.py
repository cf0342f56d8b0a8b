"""The routes of the admin API as a table, and its description made from the same table.

Handlers read their requests themselves, so that what cannot be read is answered as documented; the table tells
FastAPI what they read.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from perdure.admin import schemas
from perdure.admin.answers import Answers
from perdure.admin.batches import Batches
from perdure.admin.deployments import Deployments
from perdure.admin.events import Events
from perdure.admin.invocations import Invocations
from perdure.admin.problems import ErrorBody
from perdure.admin.query import Query
from perdure.admin.registrar import Registrar
from perdure.admin.requests import Duration
from perdure.admin.sends import Sends
from perdure.admin.server_info import ServerInfo
from perdure.admin.services import Services
from perdure.admin.settings import AdminSettings
from perdure.admin.state import State
from perdure.events.hub import Hub
from perdure.introspection.query import QueryEngine
from perdure.partition.gateway import Gateway

Handler = Callable[[Request], Awaitable[Response]]
Json = dict[str, Any]

_REF: Final = "#/components/schemas/{name}"
_PATH_PARAMETER: Final = re.compile(r"\{(\w+)\}")


class EventMessages:
    """An answer that is a stream of server-sent events."""


class Route(msgspec.Struct, frozen=True):
    """One operation. body: what it reads. answers: status to what is in the answer, None for an empty one.

    query: name of a query parameter to what may be given there. errors: statuses that come with an `ErrorBody`.
    """

    method: str
    path: str
    handler: Handler
    name: str
    tag: str
    summary: str
    answers: dict[int, Any]
    body: Any = None
    query: dict[str, str] = {}
    errors: tuple[int, ...] = ()
    listed: bool = True


class Routes:
    """All routes."""

    def __init__(
        self,
        gateway: Gateway,
        registrar: Registrar,
        query_engine: QueryEngine,
        settings: AdminSettings,
        hub: Hub,
        ingress: ASGIApp,
    ) -> None:
        self.all: list[Route] = [
            *_server_routes(ServerInfo(settings), Query(query_engine), Events(hub)),
            *_deployment_routes(Deployments(gateway, registrar)),
            *_service_routes(Services(gateway, registrar, settings.ingress_endpoint), State(gateway)),
            *_send_routes(Sends(gateway, ingress)),
            *_invocation_routes(Invocations(gateway)),
            *_batch_routes(Batches(gateway)),
            *_answer_routes(Answers(gateway)),
        ]


def _server_routes(info: ServerInfo, query: Query, events: Events) -> list[Route]:
    answer: dict[int, Any] = {200: dict}
    return [
        Route("GET", "/health", info.health, "health", "server", "Is the server up?", {200: None}),
        Route(
            "GET", "/version", info.version, "version", "server", "Versions and features",
            {200: schemas.VersionInformation},
        ),
        Route(
            "GET", "/cluster-health", info.cluster_health, "cluster_health", "server", "Nodes of the cluster",
            {200: schemas.ClusterHealth},
        ),
        Route(
            "POST", "/query", query.run, "query", "introspection", "Run an SQL query", answer,
            body=schemas.QueryRequest, errors=(400, 500),
        ),
        Route(
            "GET", "/events", events.follow, "follow_events", "introspection", "Follow what changes",
            {200: EventMessages}, errors=(400, 503),
            query={
                "topics": "what to follow, with commas between: `invocations`, `invocations?status=running`,"
                " `invocation:ID`, `registry`, `state:SERVICE/KEY`",
                "after": "id of the last message that the client has; the header `last-event-id` is the same",
            },
        ),
    ]  # fmt: skip


def _deployment_routes(deployments: Deployments) -> list[Route]:
    one = "/deployments/{deployment}"
    detailed: dict[int, Any] = {200: schemas.DetailedDeploymentResponse}
    return [
        Route(
            "POST", "/deployments", deployments.register, "create_deployment", "deployment", "Register an endpoint",
            {200: schemas.RegisterDeploymentResponse, 201: schemas.RegisterDeploymentResponse},
            body=schemas.RegisterDeploymentRequest, errors=(400, 409, 500),
        ),
        Route(
            "GET", "/deployments", deployments.list, "list_deployments", "deployment", "All deployments",
            {200: schemas.ListDeploymentsResponse},
        ),
        Route("GET", one, deployments.get, "get_deployment", "deployment", "One deployment", detailed, errors=(404,)),
        Route(
            "PATCH", one, deployments.update, "update_deployment", "deployment", "Change its address, headers or code",
            detailed, body=schemas.UpdateDeploymentRequest, errors=(400, 404, 500),
        ),
        Route(
            "PUT", one, deployments.replace, "replace_deployment", "deployment", "The same, in version 2",
            detailed, body=schemas.RegisterDeploymentRequest, errors=(405,), listed=False,
        ),
        Route(
            "DELETE", one, deployments.delete, "delete_deployment", "deployment", "Remove a deployment",
            {202: None}, query={"force": "true: even if it is in use"}, errors=(400, 404, 409),
        ),
    ]  # fmt: skip


def _service_routes(services: Services, state: State) -> list[Route]:
    one = "/services/{service}"
    return [
        Route(
            "GET", "/services", services.list, "list_services", "service", "All services",
            {200: schemas.ListServicesResponse},
        ),
        Route(
            "GET", one, services.get, "get_service", "service", "One service",
            {200: schemas.ServiceMetadata}, errors=(404,),
        ),
        Route(
            "PATCH", one, services.modify, "modify_service", "service", "Change its settings",
            {200: schemas.ServiceMetadata}, body=schemas.ModifyServiceRequest, errors=(400, 404),
        ),
        Route(
            "GET", f"{one}/handlers", services.handlers, "list_service_handlers", "service", "Its handlers",
            {200: schemas.ListHandlersResponse}, errors=(404,),
        ),
        Route(
            "GET", f"{one}/handlers/{{handler}}", services.handler, "get_service_handler", "service", "One handler",
            {200: schemas.HandlerMetadata}, errors=(404,),
        ),
        Route(
            "GET", f"{one}/openapi", services.openapi, "get_service_openapi", "service", "Its routes on the ingress",
            {200: dict}, errors=(404,),
        ),
        Route(
            "POST", f"{one}/state", state.replace, "modify_service_state", "service", "Replace the state of a key",
            {202: None}, body=schemas.ModifyServiceStateRequest, errors=(400, 404),
        ),
        Route(
            "PATCH", f"{one}/state", state.change_entry, "change_service_state_entry", "service",
            "Change one entry of the state of a key",
            {200: schemas.ChangeStateEntryResponse, 202: schemas.ChangeStateEntryResponse},
            body=schemas.ChangeStateEntryRequest, errors=(400, 404, 409),
        ),
    ]  # fmt: skip


def _invocation_routes(invocations: Invocations) -> list[Route]:
    one = "/invocations/{invocation_id}"
    told = {"actor": "who asks", "reason": "why"}
    deployment = {"deployment": "keep, latest, or a deployment id"}
    now: dict[int, Any] = {200: None}
    now_or_later: dict[int, Any] = {200: None, 202: None}

    def route(
        verb: str, handler: Handler, summary: str, answers: dict[int, Any], query: dict[str, str] = told, **more: Any
    ) -> Route:
        name = f"{verb.replace('-', '_')}_invocation"
        return Route("PATCH", f"{one}/{verb}", handler, name, "invocation", summary, answers, query=query, **more)

    return [
        Route(
            "DELETE", one, invocations.delete, "delete_invocation", "invocation", "Cancel, kill or purge (deprecated)",
            {202: None}, query={"mode": "cancel, kill or purge"}, errors=(400,),
        ),
        route("cancel", invocations.cancel, "Cancel it gracefully", now_or_later, errors=(400, 404, 409)),
        route("kill", invocations.kill, "End it at once", now, errors=(400, 404, 409)),
        route("pause", invocations.pause, "Pause it", now_or_later, errors=(400, 404, 409)),
        route(
            "resume", invocations.resume, "Let it go on, or retry now", now,
            query=deployment | told, errors=(400, 404, 409, 425),
        ),
        route("purge", invocations.purge, "Forget it", now, errors=(400, 404, 409)),
        route(
            "purge-journal", invocations.purge_journal, "Forget its journal, keep its result", now,
            errors=(400, 404, 409),
        ),
        route(
            "restart-as-new", invocations.restart_as_new, "Run a completed one again, under a new id",
            {200: schemas.RestartAsNewResponse},
            query=deployment | {"from": "index in its journal up to which it is replayed", "key": "a new workflow key"}
            | told,
            errors=(400, 404, 409, 410, 422, 425),
        ),
    ]  # fmt: skip


def _batch_routes(batches: Batches) -> list[Route]:
    handlers: dict[str, Handler] = {
        "cancel": batches.cancel,
        "kill": batches.kill,
        "pause": batches.pause,
        "resume": batches.resume,
        "purge": batches.purge,
        "purge-journal": batches.purge_journal,
        "restart-as-new": batches.restart_as_new,
    }
    return [
        Route(
            "POST",
            f"/internal/invocations_batch_operations/{verb}",
            handler,
            f"batch_{verb.replace('-', '_')}_invocations",
            "invocation",
            f"The same as {verb}, for up to 1000 at once",
            {200: schemas.BatchRestartResponse if verb == "restart-as-new" else schemas.BatchResponse},
            body=schemas.BatchRequest,
            errors=(400,),
        )
        for verb, handler in handlers.items()
    ]


def _send_routes(sends: Sends) -> list[Route]:
    return [
        Route(
            "POST", "/services/{service}/handlers/{handler}/send", sends.send, "send_to_handler", "service",
            "Start an invocation; the body is its input", {202: schemas.SendResponse},
            query={"key": "of the object or workflow", "delay": "start later: `10s`, `PT10S`"},
            errors=(400, 404, 413, 429),
        )
    ]  # fmt: skip


def _answer_routes(answers: Answers) -> list[Route]:
    awakeable = "/awakeables/{awakeable_id}"
    signals = "/invocations/{invocation_id}/signals"
    promises = "/services/{service}/promises"
    taken: dict[int, Any] = {202: None}
    done: dict[int, Any] = {200: None}
    return [
        Route(
            "POST", f"{awakeable}/resolve", answers.resolve_awakeable, "resolve_awakeable", "answer",
            "Complete an awakeable with a value", taken, body=schemas.ResolveAwakeableRequest, errors=(400,),
        ),
        Route(
            "POST", f"{awakeable}/reject", answers.reject_awakeable, "reject_awakeable", "answer",
            "Complete an awakeable with a failure", taken, body=schemas.RejectAwakeableRequest, errors=(400,),
        ),
        Route(
            "POST", f"{signals}/resolve", answers.resolve_signal, "resolve_signal", "answer",
            "Send it a signal with a value", taken, body=schemas.ResolveSignalRequest, errors=(400,),
        ),
        Route(
            "POST", f"{signals}/reject", answers.reject_signal, "reject_signal", "answer",
            "Send it a signal with a failure", taken, body=schemas.RejectSignalRequest, errors=(400,),
        ),
        Route(
            "POST", f"{promises}/resolve", answers.resolve_promise, "resolve_promise", "answer",
            "Complete a workflow's promise with a value", done, body=schemas.ResolvePromiseRequest,
            errors=(400, 404, 409),
        ),
        Route(
            "POST", f"{promises}/reject", answers.reject_promise, "reject_promise", "answer",
            "Complete a workflow's promise with a failure", done, body=schemas.RejectPromiseRequest,
            errors=(400, 404, 409),
        ),
    ]  # fmt: skip


def add_routes(app: FastAPI, routes: Routes) -> None:
    none = (None, dict, EventMessages)
    types = {used for route in routes.all for used in (route.body, *route.answers.values()) if used not in none}
    _, components = msgspec.json.schema_components(
        [*sorted(types, key=lambda used: used.__name__), ErrorBody], schema_hook=_schema_hook, ref_template=_REF
    )
    app.state.components = components
    for route in routes.all:
        app.add_api_route(
            route.path,
            route.handler,
            methods=[route.method],
            name=route.name,
            operation_id=route.name,
            tags=[route.tag],
            summary=route.summary,
            include_in_schema=route.listed,
            response_class=Response,
            response_model=None,
            status_code=min(route.answers),
            openapi_extra=_operation(route),
        )


def describe(app: FastAPI) -> Json:
    """The OpenAPI description."""
    description = app.openapi()
    description.setdefault("components", {})["schemas"] = app.state.components
    return description


def _operation(route: Route) -> Json:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PARAMETER.findall(route.path)
    ] + [
        {"name": name, "in": "query", "required": False, "description": text, "schema": {"type": "string"}}
        for name, text in route.query.items()
    ]
    answers = {str(status): _answer(used) for status, used in route.answers.items()}
    answers |= {str(status): _answer(ErrorBody) for status in route.errors}
    operation: Json = {"parameters": parameters, "responses": answers}
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(route.body)}
    return operation


def _answer(used: Any) -> Json:
    if used is EventMessages:
        return {"description": "", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    return {"description": ""} if used is None else {"description": "", "content": _content(used)}


def _content(used: Any) -> Json:
    schema = {"type": "object"} if used is dict else {"$ref": _REF.format(name=used.__name__)}
    return {"application/json": {"schema": schema}}


def _schema_hook(used: type) -> Json:
    if used is Duration:
        return {"type": "string", "description": "words (`2 hours`, `90s`) or ISO 8601 (`PT30M`)"}
    raise NotImplementedError
