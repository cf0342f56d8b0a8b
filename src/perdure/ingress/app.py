"""The callers' API as an ASGI app, without a framework: this is the hot path of the server."""

import logging
from typing import Any, Final

from perdure.clock import Clock
from perdure.errors import StoreUnavailable
from perdure.ingress.awakeables import complete_awakeable
from perdure.ingress.invocations import Invocations
from perdure.ingress.paths import ByBody, ById, ByIdempotencyKey, ByWorkflow, Call, CompleteAwakeable, Health, parse
from perdure.ingress.request import ClientGone, Receive, Request, Scope, Send, announced_size
from perdure.ingress.responses import (
    METHOD_NOT_ALLOWED,
    Answer,
    IngressError,
    add_cross_origin,
    json_answer,
    preflight,
    refusal,
    too_large,
)
from perdure.ingress.settings import IngressSettings
from perdure.partition.gateway import Gateway

_log: Final = logging.getLogger(__name__)


class IngressApp:
    """Answers callers. A client that goes away stops nothing: its invocation goes on."""

    def __init__(self, gateway: Gateway, settings: IngressSettings, clock: Clock) -> None:
        self._gateway = gateway
        self._settings = settings
        self._invocations = Invocations(gateway, settings, clock)
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"the ingress answers HTTP requests only, not `{scope['type']}`")
        headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))
        if announced_size(headers) > self._settings.request_size_limit:
            await _send(send, too_large())
            return
        limit = self._settings.concurrent_requests_limit
        # A busy server is a healthy one: who asks for its health is answered.
        if limit is not None and self._in_flight >= limit and scope["path"] != "/restate/health":
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

    async def _answer(self, scope: Scope, receive: Receive, headers: dict[bytes, bytes]) -> Answer | None:
        """None: there is nobody to answer."""
        if scope["method"] == "OPTIONS":
            return preflight(headers)
        try:
            return await self._dispatch(Request(scope, headers, receive))
        except IngressError as error:
            return refusal(error.status, error.message)
        except ClientGone:
            return None
        except StoreUnavailable as error:
            return refusal(503, f"[{error.code}] {error}. {error.hint}")
        except Exception:
            _log.exception("a request to the ingress failed: %s %s", scope["method"], scope["path"])
            return refusal(500, "the server failed to handle this request; its log says why")

    async def _dispatch(self, request: Request) -> Answer:
        registry = self._gateway.registry
        route = parse(request.path, registry.services)
        match route:
            case Call():
                return await self._invocations.invoke(route, request)
            case ById() | ByIdempotencyKey() | ByWorkflow():
                invocation_id = self._invocations.id_of(route)
                _check_method(request, "GET")
                return await self._invocations.outcome(invocation_id, attach=route.attach)
            case ByBody():
                _check_method(request, "POST")
                return await self._invocations.by_body(route, request)
            case CompleteAwakeable():
                _check_method(request, "POST")
                return await complete_awakeable(route, request, self._gateway, self._settings)
            case Health():
                _check_method(request, "GET")
                return json_answer({"services": list(registry.services)})


def _check_method(request: Request, method: str) -> None:
    if request.method != method:
        raise IngressError(405, METHOD_NOT_ALLOWED)


async def _send(send: Send, answer: Answer) -> None:
    answer.headers.append((b"content-length", b"%d" % len(answer.body)))
    start: dict[str, Any] = {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
    await send(start)
    await send({"type": "http.response.body", "body": answer.body})
