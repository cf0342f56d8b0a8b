"""The callers' API as an ASGI app, without a framework: this is the hot path of the server."""

import logging
from typing import Any, Final

from perdure.clock import Clock
from perdure.errors import StoreUnavailable
from perdure.http.exchange import Answerable, Pending
from perdure.ingress.awakeables import complete_awakeable
from perdure.ingress.invocations import Callee, Invocations, check_head, find_callee, show
from perdure.ingress.paths import ByBody, ById, ByIdempotencyKey, ByWorkflow, Call, CompleteAwakeable, Health, parse
from perdure.ingress.request import ClientGone, Receive, Request, Scope, Send, announced_size, decode_path
from perdure.ingress.responses import (
    METHOD_NOT_ALLOWED,
    Answer,
    Headers,
    IngressError,
    add_cross_origin,
    json_answer,
    preflight,
    refusal,
    too_large,
)
from perdure.ingress.settings import IngressSettings
from perdure.model.records import Invoke
from perdure.model.registry import Handler
from perdure.partition.gateway import Gateway

_CALLEES_MAX: Final = 1024
_KNOWN_PATH_MAX: Final = 256
"""Bytes of a path that is worth remembering."""

_log: Final = logging.getLogger(__name__)


class IngressApp:
    """Answers callers. A client that goes away stops nothing: its invocation goes on.

    Two ways lead in. Any request can come through ASGI; a call or send that is complete, and that nothing is
    wrong with, needs no task of its own and comes through `answer_directly`.
    """

    def __init__(self, gateway: Gateway, settings: IngressSettings, clock: Clock) -> None:
        self._gateway = gateway
        self._settings = settings
        self._invocations = Invocations(gateway, settings, clock)
        self._in_flight = 0
        self._callees: dict[bytes, Callee] = {}
        """By path: callers use the same ones again and again."""
        self._callees_of = gateway.registry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"the ingress answers HTTP requests only, not `{scope['type']}`")
        headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))
        if announced_size(headers) > self._settings.request_size_limit:
            await _send(send, too_large())
            return
        # A busy server is a healthy one: who asks for its health is answered.
        if self._is_full and scope["path"] != "/restate/health":
            limit = self._settings.concurrent_requests_limit
            answer: Answer | None = refusal(
                429,
                f"too many requests at once, the limit is {limit} (limits.concurrent_requests); try later",
            )
        else:
            self._in_flight += 1
            try:
                answer = await self._answer(scope, receive, headers)
            finally:
                self._in_flight -= 1
        if answer is not None:
            add_cross_origin(answer.headers, headers.get(b"origin"))
            await _send(send, answer)

    def answer_directly(self, exchange: Answerable, body: bytes) -> Pending | None:
        """See `http.exchange.AnswerDirectly`. What fails here fails again on its way through ASGI, and is answered."""
        if len(body) > self._settings.request_size_limit or self._is_full:
            return None
        registry = self._gateway.registry
        if registry is not self._callees_of:
            self._callees.clear()
            self._callees_of = registry
        headers = dict(reversed(exchange.headers))
        try:
            callee = self._callees.get(exchange.raw_path) or self._find_callee(exchange.raw_path)
            if callee is None:
                return None
            request = Request(exchange.method, exchange.raw_path, exchange.query, exchange.headers, headers)
            check_head(callee, request)
            record = self._invocations.record(callee, request, body)
            pending = _PendingCall(self, exchange, record, callee.handler, headers.get(b"origin"))
            self._gateway.submit(record, pending)
        except Exception:
            return None
        self._in_flight += 1
        return pending

    def _find_callee(self, raw_path: bytes) -> Callee | None:
        """What a path calls, and None for paths that do not. Raises: IngressError."""
        route = parse(decode_path(raw_path), self._gateway.registry.services)
        if type(route) is not Call:
            return None
        callee = find_callee(route)
        if len(raw_path) <= _KNOWN_PATH_MAX:
            if len(self._callees) >= _CALLEES_MAX:
                self._callees.clear()
            self._callees[raw_path] = callee
        return callee

    def forget(self, token: int, invocation_id: str) -> None:
        """Nobody waits for that answer any more."""
        self._in_flight -= 1
        self._gateway.forget(token, invocation_id)

    def answered(self) -> None:
        """One of the requests that are answered directly is."""
        self._in_flight -= 1

    @property
    def _is_full(self) -> bool:
        limit = self._settings.concurrent_requests_limit
        return limit is not None and self._in_flight >= limit

    async def _answer(self, scope: Scope, receive: Receive, headers: dict[bytes, bytes]) -> Answer | None:
        """None: there is nobody to answer."""
        method = scope["method"]
        if method == "OPTIONS":
            return preflight(headers)
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        try:
            request = Request(method, raw_path, scope["query_string"], scope["headers"], headers)
            return await self._dispatch(request, receive)
        except ClientGone:
            return None
        except Exception as error:
            return _failure(error, method, raw_path)

    async def _dispatch(self, request: Request, receive: Receive) -> Answer:
        registry = self._gateway.registry
        route = parse(request.path, registry.services)
        match route:
            case Call():
                return await self._invocations.invoke(route, request, receive)
            case ById() | ByIdempotencyKey() | ByWorkflow():
                invocation_id = self._invocations.id_of(route)
                _check_method(request, "GET")
                return await self._invocations.outcome(invocation_id, attach=route.attach)
            case ByBody():
                _check_method(request, "POST")
                return await self._invocations.by_body(route, receive)
            case CompleteAwakeable():
                _check_method(request, "POST")
                return await complete_awakeable(route, receive, self._gateway, self._settings)
            case Health():
                _check_method(request, "GET")
                return json_answer({"services": list(registry.services)})


class _PendingCall:
    """A call or a send that no task waits for: a `partition.gateway.Waiter` that answers."""

    __slots__ = ("_app", "_done", "_exchange", "_handler", "_id", "_origin", "_token")

    def __init__(
        self, app: IngressApp, exchange: Answerable, record: Invoke, handler: Handler, origin: bytes | None
    ) -> None:
        self._app = app
        self._exchange = exchange
        # Not the record: a call may wait for long, and its input is in the store.
        self._token = record.reply_to
        self._id = record.id
        self._handler = handler
        self._origin = origin
        self._done = False

    def done(self) -> bool:
        return self._done

    def set_result(self, result: Any) -> None:
        try:
            answer = show(result, self._handler)
        except Exception as error:
            self.set_exception(error)
        else:
            self._respond(answer)

    def set_exception(self, error: Exception) -> None:
        self._respond(_failure(error, self._exchange.method, self._exchange.raw_path))

    def cancel(self) -> None:
        if not self._done:
            self._done = True
            self._app.forget(self._token, self._id)

    def _respond(self, answer: Answer) -> None:
        self._done = True
        self._app.answered()
        add_cross_origin(answer.headers, self._origin)
        self._exchange.respond(*_complete(answer))


def _check_method(request: Request, method: str) -> None:
    if request.method != method:
        raise IngressError(405, METHOD_NOT_ALLOWED)


def _failure(error: Exception, method: str, raw_path: bytes) -> Answer:
    if isinstance(error, IngressError):
        return refusal(error.status, error.message)
    if isinstance(error, StoreUnavailable):
        return refusal(503, f"[{error.code}] {error}. {error.hint}")
    _log.error("a request to the ingress failed: %s %s", method, raw_path.decode("latin-1"), exc_info=error)
    return refusal(500, "the server failed to handle this request; its log says why")


def _complete(answer: Answer) -> tuple[int, Headers, bytes]:
    answer.headers.append((b"content-length", b"%d" % len(answer.body)))
    return answer.status, answer.headers, answer.body


async def _send(send: Send, answer: Answer) -> None:
    status, headers, body = _complete(answer)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
