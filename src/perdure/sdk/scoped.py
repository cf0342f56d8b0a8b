"""Calls within a scope, which limits how much of them runs at once."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from perdure.sdk.calls import call, send
from perdure.sdk.definitions import HandlerType
from perdure.sdk.futures import RestateDurableCallFuture, SendHandle

if TYPE_CHECKING:
    from perdure.sdk.attempt import Attempt

I = TypeVar("I")  # noqa: E741  # the name that the public vocabulary has
O = TypeVar("O")  # noqa: E741


class ScopedContext:
    """Calls as `Context` makes them, within a scope, for servers with flow control; see `Context.scope`.

    limit_key: what counts together against the scope's limits.
    """

    __slots__ = ("_attempt", "_scope")

    def __init__(self, attempt: "Attempt", scope: str) -> None:
        self._attempt = attempt
        self._scope = scope

    def service_call(
        self,
        tpe: HandlerType[I, O],
        arg: I,
        limit_key: str | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> RestateDurableCallFuture[O]:
        """As `Context.service_call`."""
        return call(self._attempt, tpe, None, arg, idempotency_key, headers, self._scope, limit_key)

    def service_send(
        self,
        tpe: HandlerType[I, Any],
        arg: I,
        send_delay: timedelta | None = None,
        limit_key: str | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> SendHandle:
        """As `Context.service_send`. send_delay: how long until it starts, in whole milliseconds; None: now."""
        return send(self._attempt, tpe, None, arg, send_delay, idempotency_key, headers, self._scope, limit_key)

    def object_call(
        self,
        tpe: HandlerType[I, O],
        key: str,
        arg: I,
        limit_key: str | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> RestateDurableCallFuture[O]:
        """As `Context.object_call`."""
        return call(self._attempt, tpe, key, arg, idempotency_key, headers, self._scope, limit_key)

    def object_send(
        self,
        tpe: HandlerType[I, Any],
        key: str,
        arg: I,
        send_delay: timedelta | None = None,
        limit_key: str | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> SendHandle:
        """As `Context.object_send`."""
        return send(self._attempt, tpe, key, arg, send_delay, idempotency_key, headers, self._scope, limit_key)

    def workflow_call(
        self,
        tpe: HandlerType[I, O],
        key: str,
        arg: I,
        limit_key: str | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> RestateDurableCallFuture[O]:
        """As `Context.workflow_call`."""
        return call(self._attempt, tpe, key, arg, idempotency_key, headers, self._scope, limit_key)

    def workflow_send(
        self,
        tpe: HandlerType[I, Any],
        key: str,
        arg: I,
        send_delay: timedelta | None = None,
        limit_key: str | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> SendHandle:
        """As `Context.workflow_send`."""
        return send(self._attempt, tpe, key, arg, send_delay, idempotency_key, headers, self._scope, limit_key)
