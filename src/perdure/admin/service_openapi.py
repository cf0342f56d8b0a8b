"""Describes one service's ingress routes as OpenAPI 3.1; the web page builds its playground from it."""

from typing import Any, Final

from perdure.model.invocation import HandlerKind, ServiceKind
from perdure.model.registry import Handler, Service

Json = dict[str, Any]

_KEY: Final = "#/components/parameters/key"
_IDEMPOTENCY_HEADER: Final = "#/components/parameters/idempotencyKeyHeader"
_IDEMPOTENCY_PATH: Final = "#/components/parameters/idempotencyKeyPath"
_DELAY: Final = "#/components/parameters/delay"


def describe_service(service: Service, ingress_endpoint: str) -> Json:
    """ingress_endpoint: the URL under which callers reach the ingress. Private handlers are left out."""
    paths: dict[str, Json] = {}
    schemas: Json = {"RestateError": _ERROR_SCHEMA}
    for handler in service.handlers.values():
        if not handler.public:
            continue
        _add_handler(paths, schemas, service, handler)
    return {
        "openapi": "3.1.0",
        "info": {"title": service.name, "version": str(service.revision)}
        | ({"description": service.documentation} if service.documentation else {}),
        "servers": [{"url": ingress_endpoint}],
        "paths": paths,
        "components": {"parameters": _PARAMETERS, "responses": _RESPONSES, "schemas": schemas},
        "tags": [{"name": name} for name in ("Request Response", "Send", "Attach", "Get Output")],
    }


def _add_handler(paths: dict[str, Json], schemas: Json, service: Service, handler: Handler) -> None:
    if handler.description.input_schema is not None:
        schemas[f"{handler.name}Request"] = handler.description.input_schema
    if handler.description.output_schema is not None:
        schemas[f"{handler.name}Response"] = handler.description.output_schema
    keyed = service.kind is not ServiceKind.SERVICE
    target = f"{service.name}/{{key}}/{handler.name}" if keyed else f"{service.name}/{handler.name}"
    key = [_ref(_KEY)] if keyed else []
    by_header = [] if service.kind is ServiceKind.WORKFLOW else [_ref(_IDEMPOTENCY_HEADER)]
    text = {"description": handler.description.documentation} if handler.description.documentation else {}
    body = _request_body(handler)
    answers = {"200": _answer(handler), "default": _ref("#/components/responses/GenericError")}
    paths[f"/restate/call/{target}"] = {
        "post": {"operationId": handler.name, **text, "parameters": key + by_header, **body, "responses": answers}
    }
    paths[f"/restate/send/{target}"] = {
        "post": {
            "operationId": f"{handler.name}Send",
            **text,
            "tags": ["Send"],
            "parameters": [*key, *by_header, _ref(_DELAY)],
            **body,
            "responses": {
                "200": _ref("#/components/responses/Send"),
                "202": _ref("#/components/responses/Send"),
                "default": _ref("#/components/responses/GenericError"),
            },
        }
    }
    if service.kind is not ServiceKind.WORKFLOW:
        base = f"/restate/invocation/{target}/{{idempotencyKey}}"
        _add_results(paths, base, handler, [*key, _ref(_IDEMPOTENCY_PATH)])
    elif handler.kind is HandlerKind.WORKFLOW:
        _add_results(paths, f"/restate/workflow/{service.name}/{{key}}", handler, key)


def _add_results(paths: dict[str, Json], base: str, handler: Handler, parameters: list[Json]) -> None:
    for verb, tag in (("attach", "Attach"), ("output", "Get Output")):
        answers = {"200": _answer(handler), "404": _ref("#/components/responses/InvocationNotFoundError")}
        if verb == "output":
            answers["470"] = _ref("#/components/responses/InvocationNotReadyError")
        answers["default"] = _ref("#/components/responses/GenericError")
        operation = {
            "operationId": f"{handler.name}{verb.capitalize()}",
            "deprecated": True,
            "tags": [tag],
            "parameters": parameters,
            "responses": answers,
        }
        paths[f"{base}/{verb}"] = {"get": operation}


def _ref(target: str) -> Json:
    return {"$ref": target}


def _request_body(handler: Handler) -> Json:
    if handler.input.content_type is None:
        return {}
    schema = handler.description.input_schema
    content = {} if schema is None else {"schema": _ref(f"#/components/schemas/{handler.name}Request")}
    return {"requestBody": {"required": handler.input.required, "content": {handler.input.content_type: content}}}


def _answer(handler: Handler) -> Json:
    if handler.output.content_type is None:
        return {"description": ""}
    schema = handler.description.output_schema
    content = {} if schema is None else {"schema": _ref(f"#/components/schemas/{handler.name}Response")}
    return {"description": "", "content": {handler.output.content_type: content}}


def _error(example: Json) -> Json:
    content = {"schema": _ref("#/components/schemas/RestateError"), "example": example}
    return {"description": "", "content": {"application/json": content}}


_PARAMETERS: Final[Json] = {
    "key": {"name": "key", "in": "path", "required": True, "schema": {"type": "string"}},
    "delay": {"name": "delay", "in": "query", "required": False, "schema": {"type": "string"}, "example": "10s"},
    "idempotencyKeyHeader": {
        "name": "idempotency-key",
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
    },
    "idempotencyKeyPath": {"name": "idempotencyKey", "in": "path", "required": True, "schema": {"type": "string"}},
}

_SEND_SCHEMA: Final[Json] = {
    "type": "object",
    "properties": {
        "invocationId": {"type": "string"},
        "status": {"type": "string", "enum": ["Accepted", "PreviouslyAccepted"]},
        "executionTime": {"type": "string", "format": "date-time"},
    },
    "required": ["invocationId", "status"],
    "additionalProperties": False,
}

_RESPONSES: Final[Json] = {
    "GenericError": _error({"code": 500, "message": "Internal server error", "source": "invocation"}),
    "InvocationNotFoundError": _error({"message": "invocation not found", "source": "ingress"}),
    "InvocationNotReadyError": _error(
        {"message": "the invocation exists but has not completed yet", "source": "ingress"}
    ),
    "Send": {
        "description": "",
        "content": {
            "application/json": {
                "schema": _SEND_SCHEMA,
                "example": {"invocationId": "inv_1gdJBtdVEcM942bjcDmb1c1khoaJe11Hbz", "status": "Accepted"},
            }
        },
    },
}

_ERROR_SCHEMA: Final[Json] = {
    "type": "object",
    "properties": {
        "code": {"type": "number"},
        "message": {"type": "string"},
        "source": {"type": "string", "enum": ["ingress", "invocation"]},
        "stacktrace": {"type": "string"},
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["message", "source"],
    "additionalProperties": False,
}
