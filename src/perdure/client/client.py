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
    """delay: how long until it starts."""

    delay: timedelta | None


class Client(Calls, Control):
    """Calls handlers, and controls what runs. Use as an async context manager, or `close` it.

    A handler is its decorated function, from which the types of input and result follow, or a text
    `Service/handler`, whose input and result are JSON. Every method may raise `NoConnection`.
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
        """ingress, admin: base URLs; admin only for what operators may do. headers: go with every request.

        actor: who operates, kept with what was done. journal_value_codec: that of the endpoints, if they have one.
        Raises: NoConnection, for what is no URL.
        """
        common = {name.lower(): value for name, value in (headers or {}).items()}
        Calls.__init__(self, _connection(ingress), common, journal_value_codec)
        Control.__init__(self, None if admin is None else _connection(admin), common, actor)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes idle connections. What runs on the server goes on."""
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
        """Starts a handler, now or after a delay; returns when that is durable. Raises: HttpError, NotAHandler."""
        delay = options.pop("delay", None)
        target = target_of(handler)
        sent, status = await self._send(target, arg, delay, options)
        return InvocationHandle(sent["invocationId"], status, self, target.decode, created=sent["status"] == "Accepted")

    def handle(self, invocation_id: str, handler: Any = None) -> InvocationHandle[Any]:
        """An invocation by its id. handler: whose result it gives; without one the result is JSON."""
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
        """Runs a completed one again, under a new id. Raises: HttpError.

        from_: the journal up to that index is replayed; None: it starts from its input. key: a new one, for a workflow.
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
        """Calls a handler of a service. arg: None where the handler takes none."""
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
        """Calls a handler of a virtual object."""
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
        """Runs a workflow, or calls another of its handlers."""
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
        """Starts a handler of a service."""
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
        """Starts a handler of a virtual object."""
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
        """Submits a workflow; one that is there already is found."""
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
        """Calls a handler by name, with bytes, which are JSON unless `headers` say otherwise."""
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
        """Starts a handler by name, with bytes."""
        options = CallOptions(
            key=key, idempotency_key=idempotency_key, headers=headers, scope=scope, limit_key=limit_key
        )
        return await self._start(raw_target(service, handler), arg, send_delay, options)

    def scope(self, scope: str) -> "ScopedClient":
        """The same within a scope, on servers with flow control."""
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
    """A client of a server's ingress, under the official package's name."""
    async with Client(ingress, headers=headers, journal_value_codec=journal_value_codec) as client:
        yield client
