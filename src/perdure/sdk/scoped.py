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
    """Calls within a scope. limit_key: what the scope's limits count by."""

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
        """Calls a handler of a service."""
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
        """Has a handler of a service called, now or later, without waiting for it."""
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
        """Calls a handler of a virtual object."""
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
        """Has a handler of a virtual object called, now or later, without waiting for it."""
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
        """Calls a handler of a workflow."""
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
        """Has a handler of a workflow called, now or later, without waiting for it."""
        return send(self._attempt, tpe, key, arg, send_delay, idempotency_key, headers, self._scope, limit_key)
