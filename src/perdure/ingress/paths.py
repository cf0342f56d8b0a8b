"""What a request path asks for. Pure: text in, route out.

    /{service}[/{key}]/{handler}[/send]                     Call
    /restate/[scope/{scope}/]{call|send}/{service}...       Call
    /restate/invocation/{id}/{verb}, /restate/{verb}/{id}   ById
    /restate/invocation/{service}[/{key}]/{handler}/{idempotency key}/{verb}    ByIdempotencyKey
    /restate/workflow/{name}/{key}/{verb}                   ByWorkflow
    /restate/{attach|output|lookup}                         ByBody
    /restate/{awakeables|a}/{id}/{resolve|reject}           CompleteAwakeable
    /restate/health                                         Health

Only keys and scopes are percent-decoded; names of services and handlers are compared as they came.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec

from perdure.ingress.responses import NOT_FOUND, IngressError
from perdure.model.invocation import ServiceKind
from perdure.model.registry import Service


class Call(msgspec.Struct, frozen=True, gc=False):
    """wait: a call, else a send. scope: None outside of scoped routes."""

    service: Service
    key: str | None
    handler: str
    wait: bool
    scope: str | None = None


class ById(msgspec.Struct, frozen=True, gc=False):
    """attach: wait for the outcome, else look."""

    id: str
    attach: bool


class ByIdempotencyKey(msgspec.Struct, frozen=True, gc=False):
    service: str
    key: str | None
    handler: str
    idempotency_key: str
    attach: bool


class ByWorkflow(msgspec.Struct, frozen=True, gc=False):
    name: str
    key: str
    attach: bool


class ByBody(msgspec.Struct, frozen=True, gc=False):
    """The target is in the body. verb: `attach`, `output` or `lookup`."""

    verb: str


class CompleteAwakeable(msgspec.Struct, frozen=True, gc=False):
    id: str
    resolve: bool


class Health(msgspec.Struct, frozen=True, gc=False):
    pass


Route = Call | ById | ByIdempotencyKey | ByWorkflow | ByBody | CompleteAwakeable | Health

BAD_CALL: Final = "bad path, expected either /:service-name/:handler or /:object-name/:object-key/:handler"
BAD_RESTATE: Final = (
    "bad path, expected /restate/call/:service/:handler, /restate/send/:service/:handler, "
    "/restate/scope/:scope/call/:service/:handler, /restate/attach/:invocation_id, "
    "/restate/output/:invocation_id, or /restate/lookup"
)
BAD_INVOCATION: Final = (
    "bad path, expected either /restate/invocation/:invocation_id/output or "
    "/restate/invocation/:invocation_id/attach or "
    "/restate/invocation/:invocation_target/:idempotency_key/output or "
    "/restate/invocation/:invocation_target/:idempotency_key/attach"
)
BAD_WORKFLOW: Final = (
    "bad path, expected either /restate/workflow/:workflow_name/:workflow_key/output or "
    "/restate/workflow/:workflow_name/:workflow_key/attach"
)
BAD_AWAKEABLE: Final = "bad path, expected either /restate/awakeables/:id/resolve or /restate/awakeables/:id/reject"

_SEGMENTS_MAX: Final = 7
_SCOPE: Final = re.compile(r"[a-zA-Z0-9_.-]+")
_SCOPE_CHARACTERS_MAX: Final = 36


def parse(path: str, services: Mapping[str, Service]) -> Route:
    """path: as on the wire, without the query. Raises: IngressError 400 or 404."""
    segments = path.strip("/").split("/")
    if not 2 <= len(segments) <= _SEGMENTS_MAX:
        raise IngressError(400, f"bad path: {path[:1]}{path[1:].removesuffix('/')}")
    first = segments[0]
    if first == "restate":
        return _restate(segments, services)
    if first == "openapi":
        raise IngressError(404, NOT_FOUND)
    service = find_service(first, services)
    at = 1 if service.kind is ServiceKind.SERVICE else 2
    if len(segments) == at + 1:
        wait = True
    elif len(segments) == at + 2 and segments[-1] == "send":
        wait = False
    else:
        raise IngressError(400, BAD_CALL)
    return Call(service, decode_key(segments[1]) if at == 2 else None, segments[at], wait)


def find_service(name: str, services: Mapping[str, Service]) -> Service:
    """Raises: IngressError 404."""
    service = services.get(name)
    if service is None:
        raise IngressError(404, f"service '{name}' not found, make sure to register the service before calling it.")
    return service


def decode_key(segment: str) -> str:
    """Raises: IngressError 400."""
    if "%" not in segment:
        return segment
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError as error:
        raise IngressError(400, f"bad path, cannot decode key: {error.reason} at byte {error.start}") from None


def _restate(segments: list[str], services: Mapping[str, Service]) -> Route:
    match segments[1:]:
        case ["call" | "send" as verb, *target]:
            return _restate_call(target, verb == "call", None, services)
        case ["scope", scope, "call" | "send" as verb, *target]:
            return _restate_call(target, verb == "call", _check_scope(scope), services)
        case ["invocation", *rest]:
            return _invocation(rest, services)
        case ["workflow", name, key, verb]:
            return ByWorkflow(name, decode_key(key), _is_attach(verb))
        case ["workflow", *_]:
            raise IngressError(400, BAD_WORKFLOW)
        case ["awakeables" | "a", awakeable_id, "resolve" | "reject" as verb]:
            return CompleteAwakeable(awakeable_id, verb == "resolve")
        case ["awakeables" | "a", _, _]:
            raise IngressError(404, NOT_FOUND)
        case ["awakeables" | "a", *_]:
            raise IngressError(400, BAD_AWAKEABLE)
        case ["attach" | "output" | "lookup" as verb]:
            return ByBody(verb)
        case ["attach" | "output" as verb, invocation_id]:
            return ById(invocation_id, verb == "attach")
        case ["scope" | "attach" | "output" | "lookup", *_]:
            raise IngressError(400, BAD_RESTATE)
        case ["health"]:
            return Health()
    raise IngressError(404, NOT_FOUND)


def _restate_call(target: list[str], wait: bool, scope: str | None, services: Mapping[str, Service]) -> Call:
    if not 2 <= len(target) <= 3:
        raise IngressError(400, BAD_RESTATE)
    service = find_service(target[0], services)
    if service.kind is ServiceKind.SERVICE:
        if len(target) != 2:
            raise IngressError(400, BAD_RESTATE)
        return Call(service, None, target[1], wait, scope)
    if len(target) != 3:
        raise IngressError(400, BAD_RESTATE)
    return Call(service, decode_key(target[1]), target[2], wait, scope)


def _invocation(rest: list[str], services: Mapping[str, Service]) -> Route:
    if len(rest) < 2:
        raise IngressError(400, BAD_INVOCATION)
    if len(rest) == 2:
        return ById(rest[0], _is_attach(rest[1]))
    service = find_service(rest[0], services)
    if service.kind is ServiceKind.SERVICE and len(rest) == 4:
        _, handler, idempotency_key, verb = rest
        return ByIdempotencyKey(service.name, None, handler, idempotency_key, _is_attach(verb))
    if service.kind is not ServiceKind.SERVICE and len(rest) == 5:
        _, key, handler, idempotency_key, verb = rest
        return ByIdempotencyKey(service.name, decode_key(key), handler, idempotency_key, _is_attach(verb))
    raise IngressError(400, BAD_INVOCATION)


def _is_attach(verb: str) -> bool:
    if verb not in ("attach", "output"):
        raise IngressError(404, NOT_FOUND)
    return verb == "attach"


def _check_scope(segment: str) -> str:
    scope = decode_key(segment)
    if not _SCOPE.fullmatch(scope):
        raise IngressError(400, "bad scope value: value contains characters outside the allowed set [a-zA-Z0-9_.-]")
    if len(scope) > _SCOPE_CHARACTERS_MAX:
        raise IngressError(400, f"bad scope value: use at most {_SCOPE_CHARACTERS_MAX} characters")
    return scope
