"""A server, seen from outside of handlers."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, overload

from perdure.client.calls import NO_INPUT, CallOptions, Calls, WithInput, WithoutInput
from perdure.client.connection import Connection
from perdure.client.control import Control
from perdure.client.handle import InvocationHandle
from perdure.client.targets import from_json, raw_target, target_of
from perdure.sdk.codec import JournalValueCodec

if TYPE_CHECKING:
    from perdure.client.scoped import ScopedClient

I = TypeVar("I")  # noqa: E741  # the name that the public vocabulary has
O = TypeVar("O")  # noqa: E741


class SendOptions(CallOptions, total=False):
    """The options of `Client.send`: those of a call, and when it starts.

    delay: how long until it starts, in whole milliseconds; None: it starts now.
    """

    delay: timedelta | None


class Client(Calls, Control):
    """Calls handlers, and controls what runs. Use as an async context manager, or `close` it.

        async with perdure.Client("http://localhost:8080", "http://localhost:9070") as client:
            greeting = await client.call(greet, "Ada")

    A handler is its decorated function, from which the types of input and result follow, or a text
    `Service/handler`, whose input and result are JSON. Nothing has a timeout but the opening of a connection, which may
    take 10 seconds: an invocation may take weeks. Put `asyncio.timeout` around a call to stop waiting for it.

    Raises: NoConnection (E0610) when nobody answers, or when the method needs the admin API and there is no address of
    it; HttpError (E0611) when the server refuses, with its status.
    """

    def __init__(
        self,
        ingress: str | Connection = "http://localhost:8080",
        admin: str | Connection | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        actor: str | None = None,
        journal_value_codec: JournalValueCodec | None = None,
    ) -> None:
        """Opens no connection yet.

        ingress: base URL that callers use.
        admin: base URL that operators use; None: without the remote control.
        headers: go with every request.
        actor: who operates, kept with what is done, unless the method is told another.
        journal_value_codec: that of the endpoints, if they have one.
        Raises: NoConnection (E0610), for what is no URL.
        """
        common = {name.lower(): value for name, value in (headers or {}).items()}
        Calls.__init__(self, _connection(ingress), common, journal_value_codec)
        Control.__init__(self, None if admin is None else _connection(admin), common, actor)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes idle connections; what runs on the server goes on. Later requests raise NoConnection."""
        await self._ingress.close()
        if self._admin is not None:
            await self._admin.close()

    @overload
    async def send(
        self, handler: str, arg: Any = NO_INPUT, **options: Unpack[SendOptions]
    ) -> InvocationHandle[Any]: ...
    @overload
    async def send(self, handler: WithInput[I, O], arg: I, **options: Unpack[SendOptions]) -> InvocationHandle[O]: ...
    @overload
    async def send(self, handler: WithoutInput[O], **options: Unpack[SendOptions]) -> InvocationHandle[O]: ...
    async def send(self, handler: Any, arg: Any = NO_INPUT, **options: Unpack[SendOptions]) -> InvocationHandle[Any]:
        """Starts a handler, now or after a delay; returns when that is durable.

        handler, arg, options: as for `call`, and the option `delay`: how long until it starts.
        Raises: HttpError (E0611), NoConnection (E0610), NotAHandler (E0347), BadArgument (E0350).
        """
        delay = options.pop("delay", None)
        target = target_of(handler)
        sent, status = await self._send(target, arg, delay, options)
        return InvocationHandle(sent["invocationId"], status, self, target.decode, created=sent["status"] == "Accepted")

    def handle(self, invocation_id: str, handler: Any = None) -> InvocationHandle[Any]:
        """An invocation by its id, `inv_…`; the server is not asked whether it exists.

        handler: whose result it gives; without one the result is JSON.  Raises: NotAHandler (E0347).
        """
        decode = from_json if handler is None else target_of(handler).decode
        return InvocationHandle(invocation_id, 200, self, decode, created=False)

    async def restart_as_new(
        self,
        invocation_id: str,
        from_: int | None = None,
        deployment: str | None = None,
        *,
        key: str | None = None,
        reason: str | None = None,
        actor: str | None = None,
    ) -> InvocationHandle[Any]:
        """Runs a completed one again, under a new id.

        from_: the journal up to and including this index, from 0 on, is replayed; None: it starts from its input.
        deployment: whose code runs it: `keep`, `latest` or an id `dp_…`; None: `latest`.
        key: a new one, which a workflow needs.
        reason, actor: why and who, kept with the invocation.
        Raises: HttpError (E0611), with status 404 if it is unknown, 409 or 425 if it has not completed, 410 if its
        journal is gone; NoConnection (E0610).
        """
        new = await self._restart(invocation_id, from_, deployment, key, reason, actor)
        return InvocationHandle(new, 200, self, from_json, created=True)

    # The same under the names of the official package.

    async def service_call(
        self,
        tpe: WithInput[I, O] | WithoutInput[O],
        arg: I,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> O:
        """As `call`, of a handler of a service. arg: None where the handler takes none."""
        result: O = await self._call(tpe, arg, CallOptions(key=None, idempotency_key=idempotency_key, headers=headers))
        return result

    async def object_call(
        self,
        tpe: WithInput[I, O] | WithoutInput[O],
        key: str,
        arg: I,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> O:
        """As `call`, of a handler of a virtual object."""
        result: O = await self._call(tpe, arg, CallOptions(key=key, idempotency_key=idempotency_key, headers=headers))
        return result

    async def workflow_call(
        self,
        tpe: WithInput[I, O] | WithoutInput[O],
        key: str,
        arg: I,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> O:
        """As `call`, of a workflow's main handler, which runs once per key, or of another of its handlers."""
        result: O = await self._call(tpe, arg, CallOptions(key=key, idempotency_key=idempotency_key, headers=headers))
        return result

    async def service_send(
        self,
        tpe: WithInput[I, O] | WithoutInput[O],
        arg: I,
        send_delay: timedelta | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> InvocationHandle[O]:
        """As `send`, to a handler of a service. send_delay: how long until it starts, in whole milliseconds."""
        return await self._start(
            tpe, arg, send_delay, CallOptions(key=None, idempotency_key=idempotency_key, headers=headers)
        )

    async def object_send(
        self,
        tpe: WithInput[I, O] | WithoutInput[O],
        key: str,
        arg: I,
        send_delay: timedelta | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> InvocationHandle[O]:
        """As `send`, to a handler of a virtual object. send_delay: as for `service_send`."""
        return await self._start(
            tpe, arg, send_delay, CallOptions(key=key, idempotency_key=idempotency_key, headers=headers)
        )

    async def workflow_send(
        self,
        tpe: WithInput[I, O] | WithoutInput[O],
        key: str,
        arg: I,
        send_delay: timedelta | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> InvocationHandle[O]:
        """As `send`, to a workflow; a run that is there already is found. send_delay: as for `service_send`."""
        return await self._start(
            tpe, arg, send_delay, CallOptions(key=key, idempotency_key=idempotency_key, headers=headers)
        )

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
        """As `call`, by names, with the bytes of body and result; the body is JSON unless `headers` say otherwise."""
        options = CallOptions(
            key=key, idempotency_key=idempotency_key, headers=headers, scope=scope, limit_key=limit_key
        )
        result: bytes = await self._call(raw_target(service, handler), arg, options)
        return result

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
    ) -> InvocationHandle[bytes]:
        """As `send`, by names, with the bytes of the body. send_delay: as for `service_send`."""
        options = CallOptions(
            key=key, idempotency_key=idempotency_key, headers=headers, scope=scope, limit_key=limit_key
        )
        return await self._start(raw_target(service, handler), arg, send_delay, options)

    def scope(self, scope: str) -> "ScopedClient":
        """Calls and sends within a scope, on servers with flow control; others refuse them with status 400."""
        from perdure.client.scoped import ScopedClient

        return ScopedClient(self, scope)

    async def _call(self, handler: Any, arg: Any, options: CallOptions) -> Any:
        return await self.call(handler, arg, **options)

    async def _start(
        self, handler: Any, arg: Any, delay: timedelta | None, options: CallOptions
    ) -> InvocationHandle[Any]:
        return await self.send(handler, arg, delay=delay, **options)


def _connection(place: str | Connection) -> Connection:
    if not isinstance(place, str):
        return place
    from perdure.client.http1 import HttpConnection  # brings TLS along, which is slow to load

    return HttpConnection(place)


@asynccontextmanager
async def create_client(
    ingress: str, headers: dict[str, str] | None = None, journal_value_codec: JournalValueCodec | None = None
) -> AsyncIterator[Client]:
    """A client of a server's ingress, under the official package's name, for as long as the block lasts.

        async with perdure.create_client("http://localhost:8080") as client:
            greeting = await client.service_call(greet, "Ada")

    ingress, headers, journal_value_codec: as for `Client`.
    Raises: NoConnection (E0610), for what is no URL.
    """
    async with Client(ingress, headers=headers, journal_value_codec=journal_value_codec) as client:
        yield client
