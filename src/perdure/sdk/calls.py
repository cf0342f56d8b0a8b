"""Calls and one-way calls of other handlers."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from perdure.sdk.definitions import HandlerType, handler_of
from perdure.sdk.exceptions import TerminalError
from perdure.sdk.futures import RestateDurableCallFuture, RestateDurableFuture, SendHandle
from perdure.sdk.machine import commands
from perdure.sdk.machine.awaiting import Leaf
from perdure.sdk.machine.commands import Target

if TYPE_CHECKING:
    from perdure.sdk.attempt import Attempt

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741  # the name that the public vocabulary has
O = TypeVar("O")  # noqa: E741


def target(
    service: str,
    handler: str,
    key: str | None,
    idempotency_key: str | None,
    headers: dict[str, str] | None,
    scope: str | None = None,
    limit_key: str | None = None,
) -> Target:
    """Who is called. Raises: TerminalError 400 for an empty idempotency key."""
    if idempotency_key == "":
        raise TerminalError(f"the call of {service}/{handler} has an empty idempotency key", status_code=400)
    pairs = tuple(headers.items()) if headers else ()
    return Target(service, handler, key, idempotency_key, pairs, scope, limit_key)


def call(
    attempt: "Attempt",
    callee: HandlerType[I, O],
    key: str | None,
    arg: I,
    idempotency_key: str | None,
    headers: dict[str, str] | None,
    scope: str | None = None,
    limit_key: str | None = None,
) -> RestateDurableCallFuture[O]:
    """Calls a handler by its function. key: None for services."""
    handler = handler_of(callee)
    who = target(handler.service.name, handler.name, key, idempotency_key, headers, scope, limit_key)
    return raw_call(attempt, who, handler.encode_input(arg), handler.decode_output)


def send(
    attempt: "Attempt",
    callee: HandlerType[I, O],
    key: str | None,
    arg: I,
    delay: timedelta | None,
    idempotency_key: str | None,
    headers: dict[str, str] | None,
    scope: str | None = None,
    limit_key: str | None = None,
) -> SendHandle:
    """Has a handler called by its function. delay: None for now."""
    handler = handler_of(callee)
    who = target(handler.service.name, handler.name, key, idempotency_key, headers, scope, limit_key)
    return raw_send(attempt, who, handler.encode_input(arg), delay)


def raw_call(attempt: "Attempt", who: Target, body: bytes, decode: Callable[[bytes], T]) -> RestateDurableCallFuture[T]:
    """Calls whoever `who` names. decode: reads the result's body."""
    attempt.require_usable()
    invocation, result = commands.call(attempt.machine, who, attempt.encode(body))
    what = f"call of {who.service}/{who.handler}"
    future = RestateDurableCallFuture(attempt, result, decode, what, _invocation(attempt, invocation, what))
    attempt.created.append(future)
    return future


def raw_send(attempt: "Attempt", who: Target, body: bytes, delay: timedelta | None) -> SendHandle:
    """Has whoever `who` names called, after `delay`."""
    attempt.require_usable()
    invoke_at = 0 if not delay else attempt.clock.now() + delay // timedelta(milliseconds=1)
    leaf = commands.send(attempt.machine, who, attempt.encode(body), invoke_at)
    return SendHandle(attempt, _invocation(attempt, leaf, f"send to {who.service}/{who.handler}"))


def _invocation(attempt: "Attempt", leaf: Leaf, what: str) -> RestateDurableFuture[str]:
    return RestateDurableFuture(attempt, leaf, None, f"invocation id of the {what}")
