"""Calls, sends, and looking at what became of them."""

from typing import Final

import msgspec

from perdure import ids
from perdure.clock import Clock
from perdure.ingress.paths import ByBody, ById, ByIdempotencyKey, ByWorkflow, Call
from perdure.ingress.request import Receive, Request, read_body
from perdure.ingress.responses import (
    LATEST_MS,
    METHOD_NOT_ALLOWED,
    Answer,
    IngressError,
    accepted,
    json_answer,
    outcome,
    refusal,
)
from perdure.ingress.settings import IngressSettings
from perdure.ingress.validation import check_input
from perdure.model.actions import Accepted, AlreadyInvoked, Finished, Refused
from perdure.model.durations import BadDuration, parse_duration
from perdure.model.invocation import Failure, HandlerKind, ServiceKind, Target
from perdure.model.records import Invoke
from perdure.model.registry import Handler
from perdure.partition.gateway import Gateway, NotReady

_WITH_WORKFLOW_KEY = (
    "cannot use the idempotency key with workflow handlers. "
    "The handler invocation will already be idempotent by the workflow key itself."
)
_DELAY_ON_CALL = "cannot use the delay query parameter with calls. The delay is supported only with sends"
# Reading a member of an enumeration is dear, for each request.
_WORKFLOW_HANDLER: Final = HandlerKind.WORKFLOW
_WORKFLOW_SERVICE: Final = ServiceKind.WORKFLOW
_NO_SCOPES = "scoped invocations require vqueues to be enabled"


class InvocationTarget(msgspec.Struct, tag_field="target", tag="invocation", rename="camel"):
    """Target body: by id."""

    invocation_id: str


class WorkflowTarget(msgspec.Struct, tag_field="target", tag="workflow", rename="camel"):
    """Target body: the main handler of a workflow."""

    workflow_name: str
    workflow_key: str
    scope: str | None = None


class IdempotentTarget(msgspec.Struct, tag_field="target", tag="idempotentInvocation", rename="camel"):
    """Target body: by idempotency key. key: for objects and workflows."""

    service: str
    handler: str
    idempotency_key: str
    key: str | None = None
    scope: str | None = None


_target_decoder = msgspec.json.Decoder(InvocationTarget | WorkflowTarget | IdempotentTarget)


class Callee(msgspec.Struct, frozen=True, gc=False):
    """What a path calls or sends to. scoped: through a scoped route."""

    handler: Handler
    target: Target
    wait: bool
    scoped: bool


class Invocations:
    """The routes that start invocations or ask for their outcome."""

    def __init__(self, gateway: Gateway, settings: IngressSettings, clock: Clock) -> None:
        self._gateway = gateway
        self._settings = settings
        self._clock = clock

    async def invoke(self, route: Call, request: Request, receive: Receive) -> Answer:
        """A call or a send. Raises: IngressError; the order of the checks is part of the contract."""
        callee = find_callee(route)
        check_head(callee, request)
        body = await read_body(receive, self._settings.request_size_limit)
        return show(await self._gateway.call(self.record(callee, request, body)), callee.handler)

    def record(self, callee: Callee, request: Request, body: bytes) -> Invoke:
        """Of a call or a send whose head was checked. Raises: IngressError."""
        handler = callee.handler
        idempotency_key = request.text(b"idempotency-key")
        check_input(handler.input, request.text(b"content-type"), not body)
        execution_time = self._check_parameters(request)
        encoded = request.encode_input(body)
        if execution_time is not None and callee.wait:
            raise IngressError(400, _DELAY_ON_CALL)
        target = callee.target
        invocation_id, idempotency_key, may_exist = self._identify(target, idempotency_key)
        return Invoke(
            self._gateway.new_token(),
            id=invocation_id,
            target=target,
            input=encoded,
            wait=callee.wait,
            may_exist=may_exist,
            idempotency_key=idempotency_key,
            execution_time=execution_time,
            trace_parent=request.trace_parent,
        )

    def _check_parameters(self, request: Request) -> int | None:
        """The execution time (ms since the epoch), if a delay is asked for. Raises: IngressError 400."""
        if not request.has_parameters and b"x-restate-limit-key" not in request.headers:
            return None
        parameters = request.parameters()
        execution_time = None
        delay = parameters.get("delay")
        if delay is not None:
            try:
                execution_time = self._clock.now() + parse_duration(delay)
                if execution_time > LATEST_MS:
                    raise BadDuration("it ends after the year 9999")
            except BadDuration as error:
                text = f"bad delay query parameter, must be a ISO8601 duration: {error}"
                raise IngressError(400, text) from None
        if "limit-key" in parameters or b"x-restate-limit-key" in request.headers:
            raise IngressError(400, "limit-key requires a scope to be set")
        return execution_time

    def _identify(self, target: Target, idempotency_key: str | None) -> tuple[str, str | None, bool]:
        """Id, idempotency key, and whether such an invocation may be there already."""
        if target.handler_kind is _WORKFLOW_HANDLER:
            assert target.key is not None
            return ids.workflow_invocation_id(target.service, target.key), None, True
        may_exist = idempotency_key is not None
        if idempotency_key is None:
            if target.service_kind is _WORKFLOW_SERVICE:
                unique = ids.ulid_bytes(self._clock.now(), ids.random_unique()[:10])
                return ids.fresh_invocation_id(target.service, target.key, unique, ids.random_bucket()), None, False
            # With a key of its own, each outcome is kept, and can be asked for by id after the client went away.
            idempotency_key = ids.new_ulid(self._clock.now())
        invocation_id = ids.idempotent_invocation_id(target.service, target.handler, idempotency_key, target.key)
        return invocation_id, idempotency_key, may_exist

    def id_of(self, route: ById | ByIdempotencyKey | ByWorkflow) -> str:
        """The invocation that a path names. Raises: IngressError 400."""
        match route:
            case ById():
                return _check_id(route.id)
            case ByWorkflow():
                return ids.workflow_invocation_id(route.name, route.key)
            case ByIdempotencyKey():
                return self._idempotent_id(route.service, route.key, route.handler, route.idempotency_key)

    async def outcome(self, invocation_id: str, *, attach: bool) -> Answer:
        """attach: waits for it. Raises: IngressError."""
        return await self._attach(invocation_id) if attach else await self._output(invocation_id)

    async def by_body(self, route: ByBody, receive: Receive) -> Answer:
        """Attach, output or lookup, the target in the body. Raises: IngressError 400, 413."""
        body = await read_body(receive, self._settings.request_size_limit)
        try:
            target = _target_decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise IngressError(400, f"cannot read body: {error}") from None
        match target:
            case InvocationTarget():
                invocation_id = _check_id(target.invocation_id)
            case WorkflowTarget():
                _check_no_scope(target.scope)
                invocation_id = ids.workflow_invocation_id(target.workflow_name, target.workflow_key)
            case IdempotentTarget():
                _check_no_scope(target.scope)
                invocation_id = self._idempotent_id(target.service, target.key, target.handler, target.idempotency_key)
        if route.verb == "attach":
            return await self._attach(invocation_id)
        if route.verb == "output":
            return await self._output(invocation_id)
        return json_answer({"invocationId": invocation_id})

    def _idempotent_id(self, service: str, key: str | None, handler: str, idempotency_key: str) -> str:
        found = self._gateway.registry.handler(service, handler)
        if found is not None and found.kind is HandlerKind.WORKFLOW and key is not None:
            return ids.workflow_invocation_id(service, key)
        return ids.idempotent_invocation_id(service, handler, idempotency_key, key)

    async def _attach(self, invocation_id: str) -> Answer:
        finished = await self._gateway.attach(invocation_id)
        if finished is None:
            return outcome(invocation_id, Failure(404, "not found"), None)
        return self._finished(finished)

    async def _output(self, invocation_id: str) -> Answer:
        finished = await self._gateway.output(invocation_id)
        if finished is None:
            return refusal(404, "invocation not found")
        if isinstance(finished, NotReady):
            return refusal(470, "the invocation exists but has not completed yet")
        return self._finished(finished)

    def _finished(self, finished: Finished) -> Answer:
        target = finished.target
        handler = self._gateway.registry.handler(target.service, target.handler) if target else None
        return outcome(finished.id, finished.outcome, handler.output if handler else None, finished.expires_at)


def find_callee(route: Call) -> Callee:
    """Raises: IngressError 400, 404."""
    service = route.service
    handler = service.handlers.get(route.handler)
    if handler is None:
        text = (
            f"the service '{service.name}' exists, but the handler '{route.handler}' was not found, "
            "check that the handler exists in the latest registered service version."
        )
        raise IngressError(404, text)
    if not (handler.public and service.public):
        raise IngressError(400, "the invoked service is not public")
    target = Target(service.name, handler.name, route.key, service.kind, handler.kind)
    return Callee(handler, target, route.wait, route.scope is not None)


def check_head(callee: Callee, request: Request) -> None:
    """What can be checked of a call or a send without its body. Raises: IngressError."""
    if b"idempotency-key" in request.headers:
        request.text(b"idempotency-key")
        if callee.handler.kind is HandlerKind.WORKFLOW:
            raise IngressError(400, _WITH_WORKFLOW_KEY)
    if callee.scoped:
        raise IngressError(400, _NO_SCOPES)
    if request.method not in ("POST", "GET"):
        raise IngressError(405, METHOD_NOT_ALLOWED)


def _check_id(text: str) -> str:
    try:
        ids.decode_invocation_id(text)
    except ids.BadId as error:
        raise IngressError(400, f"bad invocation id '{text}': {error}") from None
    return text


def _check_no_scope(scope: str | None) -> None:
    if scope is not None:
        raise IngressError(400, _NO_SCOPES)


def show(answer: Accepted | Finished | AlreadyInvoked | Refused, handler: Handler) -> Answer:
    match answer:
        case Finished():
            return outcome(answer.id, answer.outcome, handler.output, answer.expires_at)
        case Accepted():
            return accepted(answer.id, answer.created, answer.execution_time)
        case AlreadyInvoked():
            return outcome(answer.id, Failure(409, "the workflow method was already invoked"), None)
        case Refused():
            return refusal(answer.status, answer.message)
    raise AssertionError(f"a partition answered an Invoke with {answer!r}")
