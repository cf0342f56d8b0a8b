"""What callers ask of a server: calls, sends, results, awakeables."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final, TypedDict, TypeVar, Unpack, overload
from urllib.parse import quote

from perdure.client.connection import Connection, Response
from perdure.client.failures import HttpError, InvocationFailed, NotReady
from perdure.client.targets import HandlerTarget, from_json, target_of, to_json
from perdure.sdk.codec import JournalValueCodec, decoded

I = TypeVar("I")  # noqa: E741  # the name that the public vocabulary has
O = TypeVar("O")  # noqa: E741

WithInput = Callable[[Any, I], Awaitable[O]]
WithoutInput = Callable[[Any], Awaitable[O]]

NO_INPUT: Final[Any] = object()
"""Stands for the input of a handler that takes none. `None` is an input: JSON's null."""

_NOT_READY: Final = 470
_FROM_INVOCATION: Final = "invocation"


class CallOptions(TypedDict, total=False):
    """The options of `Client.call`.

    key: of a virtual object or a workflow.
    idempotency_key: the server runs one invocation for each, and keeps its result for a while.
    headers: given to the handler.
    scope, limit_key: on servers with flow control, what counts together against a limit.
    """

    key: str | None
    idempotency_key: str | None
    headers: Mapping[str, str] | None
    scope: str | None
    limit_key: str | None


class Sent(TypedDict):
    """The answer to a send."""

    invocationId: str
    status: str


class Calls:
    """The callers' half of `client.Client`."""

    def __init__(self, ingress: Connection, headers: Mapping[str, str], codec: JournalValueCodec | None) -> None:
        """headers: go with every request. codec: that of the endpoints."""
        self._ingress = ingress
        self._codec = codec
        self._ingress_headers = dict(headers)

    @overload
    async def call(self, handler: str, arg: Any = NO_INPUT, **options: Unpack[CallOptions]) -> Any: ...
    @overload
    async def call(self, handler: WithInput[I, O], arg: I, **options: Unpack[CallOptions]) -> O: ...
    @overload
    async def call(self, handler: WithoutInput[O], **options: Unpack[CallOptions]) -> O: ...
    async def call(self, handler: Any, arg: Any = NO_INPUT, **options: Unpack[CallOptions]) -> Any:
        """Calls a handler and waits for its result.

        handler: its decorated function, or a text `Service/handler`.
        arg: its input; left out if it takes none, and a dict for one with several parameters.
        options: `key`, `idempotency_key`, `headers`, `scope`, `limit_key`, see `CallOptions`.
        Raises: InvocationFailed (E0613), a TerminalError, as the handler did; HttpError (E0611) when the server
        refuses; NoConnection (E0610); NotAHandler (E0347); BadArgument (E0350).
        """
        target = target_of(handler)
        answer = await self._invoke("call", target, arg, options)
        body = answer.body
        return target.decode(body if self._codec is None else await decoded(self._codec, body))

    async def _send(
        self, target: HandlerTarget, arg: Any, delay: timedelta | None, options: CallOptions
    ) -> tuple[Sent, int]:
        """The answer's body and status."""
        query = "" if delay is None else f"?delay={delay // timedelta(milliseconds=1)}ms"
        answer = await self._invoke("send", target, arg, options, query)
        sent: Sent = json.loads(answer.body)
        return sent, answer.status

    async def attach(self, invocation_id: str) -> Any:
        """Waits for the result of an invocation, `inv_…`, which is JSON.

        Raises: InvocationFailed (E0613), a TerminalError, as the handler did; HttpError (E0611), with status 404 if it
        is unknown; NoConnection (E0610).
        """
        return from_json(await self.attach_raw(invocation_id))

    async def output(self, invocation_id: str) -> Any:
        """The result, which is JSON, if there is one by now. Raises: NotReady (E0612), and what `attach` raises."""
        return from_json(await self.output_raw(invocation_id))

    async def attach_raw(self, invocation_id: str) -> bytes:
        """As `attach`; the bytes of the result."""
        return await self._result(f"invocation/{quote(invocation_id, safe='')}/attach")

    async def output_raw(self, invocation_id: str) -> bytes:
        """As `output`; the bytes of the result."""
        return await self._result(f"invocation/{quote(invocation_id, safe='')}/output")

    async def workflow_attach(self, workflow: WithInput[Any, O] | WithoutInput[O], key: str) -> O:
        """As `attach`, for the run that a workflow has under a key. workflow: its main handler.

        Raises: NotAHandler (E0347), and what `attach` raises.
        """
        target = target_of(workflow)
        result: O = target.decode(await self._result(f"workflow/{target.service}/{quote(key, safe='')}/attach"))
        return result

    async def resolve_awakeable(self, awakeable_id: str, value: Any = None) -> None:
        """Completes an awakeable, `sign_1…`; the first completion counts. value: sent as JSON, but bytes as they are.

        Raises: HttpError (E0611) for an id that is none, NoConnection (E0610).
        """
        body = self._encoded(value if isinstance(value, bytes) else to_json(value))
        await self._ask_ingress("POST", f"/restate/awakeables/{quote(awakeable_id, safe='')}/resolve", {}, body)

    async def reject_awakeable(self, awakeable_id: str, reason: str) -> None:
        """Completes an awakeable with a TerminalError for whoever waits for it, with status 500 and that reason.

        Raises: as `resolve_awakeable`.
        """
        path = f"/restate/awakeables/{quote(awakeable_id, safe='')}/reject"
        await self._ask_ingress("POST", path, {}, reason.encode())

    def _invoke(
        self, verb: str, target: HandlerTarget, arg: Any, options: CallOptions, query: str = ""
    ) -> Awaitable[Response]:
        head = {name.lower(): value for name, value in (options.get("headers") or {}).items()}
        body = b""
        if arg is not NO_INPUT and target.content_type is not None:
            body = self._encoded(target.encode(arg))
            if body:
                head.setdefault("content-type", target.content_type)
        idempotency_key = options.get("idempotency_key")
        if idempotency_key is not None:
            head["idempotency-key"] = idempotency_key
        limit_key = options.get("limit_key")
        if limit_key is not None:
            head["x-restate-limit-key"] = limit_key
        scope = options.get("scope")
        place = "" if scope is None else f"scope/{quote(scope, safe='')}/"
        path = f"/restate/{place}{verb}/{target.path(options.get('key'))}{query}"
        return self._ask_ingress("POST", path, head, body)

    def _encoded(self, value: bytes) -> bytes:
        return value if self._codec is None else self._codec.encode(value)

    async def _result(self, path: str) -> bytes:
        return await decoded(self._codec, (await self._ask_ingress("GET", f"/restate/{path}", {}, b"")).body)

    async def _ask_ingress(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        answer = await self._ingress.request(method, path, {**self._ingress_headers, **headers}, body)
        if "x-restate-error-source" in answer.headers or answer.status >= 400:
            raise _failure(answer)
        return answer


def _failure(answer: Response) -> Exception:
    """The handler's own failure, or the server's refusal."""
    text = answer.body.decode(errors="replace")
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict) or "message" not in body:
        return HttpError(answer.status, text or "no reason was given", text)
    if answer.headers.get("x-restate-error-source") == _FROM_INVOCATION:
        return InvocationFailed(body["code"], body["message"], text, body.get("metadata"))
    kind = NotReady if answer.status == _NOT_READY else HttpError
    return kind(answer.status, body["message"], text)
