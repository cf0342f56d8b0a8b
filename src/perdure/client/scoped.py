"""Calls and sends within a scope, for servers with flow control."""

from datetime import timedelta
from typing import TypeVar

from perdure.client.calls import CallOptions, WithInput, WithoutInput
from perdure.client.client import Client
from perdure.client.handle import InvocationHandle

I = TypeVar("I")  # noqa: E741  # the name that the public vocabulary has
O = TypeVar("O")  # noqa: E741

Headers = dict[str, str] | None


class ScopedClient:
    """Calls and sends as `Client` makes them, within a scope, for servers with flow control; see `Client.scope`.

    limit_key: what counts together against the scope's limits.
    """

    def __init__(self, client: Client, scope: str) -> None:
        self._client = client
        self._scope = scope

    async def service_call(
        self,
        tpe: WithInput[I, O] | WithoutInput[O],
        arg: I,
        limit_key: str | None = None,
        idempotency_key: str | None = None,
        headers: Headers = None,
    ) -> O:
        """As `Client.service_call`."""
        return await self._call(tpe, None, arg, limit_key, idempotency_key, headers)

    async def service_send(
        self,
        tpe: WithInput[I, O] | WithoutInput[O],
        arg: I,
        send_delay: timedelta | None = None,
        limit_key: str | None = None,
        idempotency_key: str | None = None,
        headers: Headers = None,
    ) -> InvocationHandle[O]:
        """As `Client.service_send`."""
        return await self._send(tpe, None, arg, send_delay, limit_key, idempotency_key, headers)

    async def object_call(
        self,
        tpe: WithInput[I, O] | WithoutInput[O],
        key: str,
        arg: I,
        limit_key: str | None = None,
        idempotency_key: str | None = None,
        headers: Headers = None,
    ) -> O:
        """As `Client.object_call`."""
        return await self._call(tpe, key, arg, limit_key, idempotency_key, headers)

    async def object_send(
        self,
        tpe: WithInput[I, O] | WithoutInput[O],
        key: str,
        arg: I,
        send_delay: timedelta | None = None,
        limit_key: str | None = None,
        idempotency_key: str | None = None,
        headers: Headers = None,
    ) -> InvocationHandle[O]:
        """As `Client.object_send`."""
        return await self._send(tpe, key, arg, send_delay, limit_key, idempotency_key, headers)

    workflow_call = object_call
    workflow_send = object_send

    async def _call(
        self,
        tpe: WithInput[I, O] | WithoutInput[O],
        key: str | None,
        arg: I,
        limit_key: str | None,
        idempotency_key: str | None,
        headers: Headers,
    ) -> O:
        options = CallOptions(
            key=key, scope=self._scope, limit_key=limit_key, idempotency_key=idempotency_key, headers=headers
        )
        result: O = await self._client.call(tpe, arg, **options)  # type: ignore[arg-type]
        return result

    async def _send(
        self,
        tpe: WithInput[I, O] | WithoutInput[O],
        key: str | None,
        arg: I,
        delay: timedelta | None,
        limit_key: str | None,
        idempotency_key: str | None,
        headers: Headers,
    ) -> InvocationHandle[O]:
        options = CallOptions(
            key=key, scope=self._scope, limit_key=limit_key, idempotency_key=idempotency_key, headers=headers
        )
        handle: InvocationHandle[O] = await self._client.send(tpe, arg, delay=delay, **options)  # type: ignore[arg-type]
        return handle
