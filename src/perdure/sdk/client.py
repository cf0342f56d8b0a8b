"""A client for programs that are no handlers: calls and sends through the ingress, by the handlers' functions.

    async with create_client("http://localhost:8080") as client:
        print(await client.service_call(greet, arg="Sam"))

It needs the package httpx: `pip install perdure[client]`.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from perdure.sdk.codec import JournalValueCodec
from perdure.sdk.definitions import HandlerDefinition, HandlerType, handler_of

if TYPE_CHECKING:
    import httpx

I = TypeVar("I")  # noqa: E741  # the name that the public vocabulary has
O = TypeVar("O")  # noqa: E741


class HttpError(Exception):
    """The server answered with an error. body: its text, usually JSON with `message` and perhaps `code`."""

    def __init__(self, status_code: int, message: str, body: str | None = None) -> None:
        super().__init__(f"HTTP {status_code}: {message}")
        self.status_code = status_code
        self.message = message
        self.body = body


@dataclass
class RestateClientSendHandle:
    """What became of a send. status_code: what the server answered with, 200 or 202."""

    invocation_id: str
    status_code: int


@dataclass(frozen=True)
class _Wanted:
    """One request to the ingress."""

    service: str
    handler: str
    body: bytes
    key: str | None = None
    content_type: str | None = None
    send: bool = False
    delay: timedelta | None = None
    idempotency_key: str | None = None
    headers: dict[str, str] | None = None
    scope: str | None = None
    limit_key: str | None = None

    @property
    def path(self) -> str:
        target = [self.service, *([] if self.key is None else [self.key]), self.handler]
        if self.scope is None:
            return _path(*target, *(["send"] if self.send else []))
        return _path("restate", "scope", self.scope, "send" if self.send else "call", *target)

    @property
    def all_headers(self) -> dict[str, str]:
        said = dict(self.headers or {})
        if self.content_type is not None and self.body:
            said["content-type"] = self.content_type
        if self.idempotency_key is not None:
            said["idempotency-key"] = self.idempotency_key
        if self.limit_key is not None:
            said["x-restate-limit-key"] = self.limit_key
        return said


def _path(*segments: str) -> str:
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


class _Calls:
    """Requests for handlers by their functions."""

    def __init__(
        self, http: "httpx.AsyncClient", headers: dict[str, str] | None, codec: JournalValueCodec | None
    ) -> None:
        self._http = http
        self._headers = headers or {}
        self._codec = codec

    async def _ask(self, wanted: _Wanted) -> tuple[int, bytes]:
        """Raises: HttpError."""
        body = wanted.body if self._codec is None else self._codec.encode(wanted.body)
        query = None
        if wanted.delay is not None:
            query = {"delay": f"{wanted.delay // timedelta(milliseconds=1)}ms"}
        answer = await self._http.post(
            wanted.path, params=query, content=body, headers={**self._headers, **wanted.all_headers}
        )
        if answer.status_code >= 300:
            raise HttpError(answer.status_code, answer.reason_phrase, answer.text)
        return answer.status_code, answer.content

    async def _result(self, wanted: _Wanted) -> bytes:
        _, body = await self._ask(wanted)
        return body if self._codec is None else self._codec.decode(body)

    async def _sent(self, wanted: _Wanted) -> RestateClientSendHandle:
        status, body = await self._ask(wanted)
        return RestateClientSendHandle(json.loads(body)["invocationId"], status)

    @staticmethod
    def _wanted(handler: HandlerDefinition[Any, Any], arg: Any, **how: Any) -> _Wanted:
        content_type = "application/json" if "*" in handler.accept else handler.accept
        return _Wanted(handler.service.name, handler.name, handler.encode_input(arg), content_type=content_type, **how)

    async def _call(self, tpe: HandlerType[I, O], arg: Any, **how: Any) -> Any:
        handler = handler_of(tpe)
        return handler.decode_output(await self._result(self._wanted(handler, arg, **how)))

    async def _send(self, tpe: HandlerType[I, O], arg: Any, **how: Any) -> RestateClientSendHandle:
        return await self._sent(self._wanted(handler_of(tpe), arg, send=True, **how))


class RestateClient(_Calls):
    """Calls and sends through the ingress. All of them raise HttpError when the server answers with an error."""

    def scope(self, scope: str) -> "RestateScopedClient":
        """The same within a scope, on servers with flow control."""
        return RestateScopedClient(self._http, self._headers, self._codec, scope)

    async def service_call(
        self,
        tpe: HandlerType[I, O],
        arg: I,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> O:
        """Calls a service's handler and waits for its result."""
        return await self._call(tpe, arg, idempotency_key=idempotency_key, headers=headers)  # type: ignore[no-any-return]

    async def service_send(
        self,
        tpe: HandlerType[I, O],
        arg: I,
        send_delay: timedelta | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> RestateClientSendHandle:
        """Has a service's handler called, now or after `send_delay`, and does not wait for it."""
        return await self._send(tpe, arg, delay=send_delay, idempotency_key=idempotency_key, headers=headers)

    async def object_call(
        self,
        tpe: HandlerType[I, O],
        key: str,
        arg: I,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> O:
        """Calls an object's handler and waits for its result."""
        return await self._call(tpe, arg, key=key, idempotency_key=idempotency_key, headers=headers)  # type: ignore[no-any-return]

    async def object_send(
        self,
        tpe: HandlerType[I, O],
        key: str,
        arg: I,
        send_delay: timedelta | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> RestateClientSendHandle:
        """Has an object's handler called, now or after `send_delay`, and does not wait for it."""
        return await self._send(tpe, arg, key=key, delay=send_delay, idempotency_key=idempotency_key, headers=headers)

    async def workflow_call(
        self,
        tpe: HandlerType[I, O],
        key: str,
        arg: I,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> O:
        """Calls a workflow's handler and waits for its result."""
        return await self._call(tpe, arg, key=key, idempotency_key=idempotency_key, headers=headers)  # type: ignore[no-any-return]

    async def workflow_send(
        self,
        tpe: HandlerType[I, O],
        key: str,
        arg: I,
        send_delay: timedelta | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> RestateClientSendHandle:
        """Has a workflow's handler called, now or after `send_delay`, and does not wait for it."""
        return await self._send(tpe, arg, key=key, delay=send_delay, idempotency_key=idempotency_key, headers=headers)

    async def generic_call(
        self,
        service: str,
        handler: str,
        arg: bytes,
        key: str | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
        scope: str | None = None,
        limit_key: str | None = None,
    ) -> bytes:
        """Calls a handler by its names, with bytes for bytes; its content type belongs into `headers`."""
        wanted = _Wanted(
            service,
            handler,
            arg,
            key=key,
            idempotency_key=idempotency_key,
            headers=headers,
            scope=scope,
            limit_key=limit_key,
        )
        return await self._result(wanted)

    async def generic_send(
        self,
        service: str,
        handler: str,
        arg: bytes,
        key: str | None = None,
        send_delay: timedelta | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
        scope: str | None = None,
        limit_key: str | None = None,
    ) -> RestateClientSendHandle:
        """Has a handler called by its names, with bytes; its content type belongs into `headers`."""
        wanted = _Wanted(
            service,
            handler,
            arg,
            key=key,
            send=True,
            delay=send_delay,
            idempotency_key=idempotency_key,
            headers=headers,
            scope=scope,
            limit_key=limit_key,
        )
        return await self._sent(wanted)


class RestateScopedClient(_Calls):
    """Calls and sends within a scope; limit_key: what counts together against a limit."""

    def __init__(
        self, http: "httpx.AsyncClient", headers: dict[str, str], codec: JournalValueCodec | None, scope: str
    ) -> None:
        super().__init__(http, headers, codec)
        self._scope = scope

    async def service_call(
        self,
        tpe: HandlerType[I, O],
        arg: I,
        limit_key: str | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> O:
        """As without a scope."""
        how = {"limit_key": limit_key, "idempotency_key": idempotency_key, "headers": headers}
        return await self._call(tpe, arg, scope=self._scope, **how)  # type: ignore[no-any-return]

    async def service_send(
        self,
        tpe: HandlerType[I, O],
        arg: I,
        send_delay: timedelta | None = None,
        limit_key: str | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> RestateClientSendHandle:
        """As without a scope."""
        how = {"limit_key": limit_key, "idempotency_key": idempotency_key, "headers": headers}
        return await self._send(tpe, arg, scope=self._scope, delay=send_delay, **how)

    async def object_call(
        self,
        tpe: HandlerType[I, O],
        key: str,
        arg: I,
        limit_key: str | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> O:
        """As without a scope."""
        how = {"limit_key": limit_key, "idempotency_key": idempotency_key, "headers": headers}
        return await self._call(tpe, arg, scope=self._scope, key=key, **how)  # type: ignore[no-any-return]

    async def object_send(
        self,
        tpe: HandlerType[I, O],
        key: str,
        arg: I,
        send_delay: timedelta | None = None,
        limit_key: str | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> RestateClientSendHandle:
        """As without a scope."""
        how = {"limit_key": limit_key, "idempotency_key": idempotency_key, "headers": headers}
        return await self._send(tpe, arg, scope=self._scope, key=key, delay=send_delay, **how)

    workflow_call = object_call
    workflow_send = object_send


@asynccontextmanager
async def create_client(
    ingress: str, headers: dict[str, str] | None = None, journal_value_codec: JournalValueCodec | None = None
) -> AsyncIterator[RestateClient]:
    """A client for as long as the block lasts.

    ingress: its address, like `http://localhost:8080`.  headers: sent with every request.
    journal_value_codec: that of the endpoint, if it has one.

    Raises: ModuleNotFoundError without httpx.
    """
    import httpx

    # A call takes as long as its handler does.
    async with httpx.AsyncClient(base_url=ingress, timeout=None) as http:
        yield RestateClient(http, headers, journal_value_codec)
