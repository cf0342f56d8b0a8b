"""What a handler does its work with.

    Context ─┬─ ObjectSharedContext ─── WorkflowSharedContext
             └─ ObjectContext ───────── WorkflowContext

Everything that returns a future is recorded at the call, and gives its result when the future is awaited.
"""

import random  # noqa: TID251  # a generator with the invocation's own seed
import uuid
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from perdure.model.invocation import HandlerKind, ServiceKind
from perdure.protocol import messages_pb2 as pb
from perdure.sdk import calls
from perdure.sdk.definitions import HandlerDefinition, HandlerType
from perdure.sdk.exceptions import NotAvailable
from perdure.sdk.futures import (
    RestateDurableCallFuture,
    RestateDurableFuture,
    RestateDurableSleepFuture,
    SendHandle,
)
from perdure.sdk.machine import commands
from perdure.sdk.machine.outcome import Outcome
from perdure.sdk.promises import DurablePromise
from perdure.sdk.request import AttemptFinishedEvent, Request
from perdure.sdk.runs import Run, RunOptions, bound
from perdure.sdk.scoped import ScopedContext
from perdure.sdk.serde import DefaultSerde, Serde

if TYPE_CHECKING:
    from perdure.sdk.attempt import Attempt

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741  # the name that the public vocabulary has
O = TypeVar("O")  # noqa: E741
P = ParamSpec("P")

_DEFAULT: DefaultSerde[Any] = DefaultSerde()
_RUN_OPTIONS: RunOptions[Any] = RunOptions()


class Context:
    """The vocabulary of every handler: what happens through it is recorded, and gives the same in every replay.

    Whatever returns a future is recorded when it is called, and gives its result when the future is awaited. Values
    are JSON unless a `serde` says otherwise; a `type_hint` says what JSON is converted to.

    Raises: ContextClosed (E0311) after the handler has ended, WrongThread (E0312), UsedInsideRun (E0313), NotAvailable
    (E0316) for what this kind of handler cannot do, CannotEncode (E0352) for a value that the serde does not take.
    """

    __slots__ = ("_attempt", "_input", "_machine", "_random", "_request")

    def __init__(self, attempt: "Attempt", given: pb.InputCommandMessage) -> None:
        self._attempt = attempt
        self._machine = attempt.machine
        self._input = given
        self._random: random.Random | None = None
        self._request: Request | None = None

    # ---- The invocation ----

    @property
    def handler(self) -> HandlerDefinition[Any, Any]:
        """The handler that runs; `str()` of it is `Service/handler`."""
        return self._attempt.handler

    @property
    def is_replaying(self) -> bool:
        """True while the handler does again what an earlier attempt has recorded."""
        return self._machine.replaying

    def request(self) -> Request:
        """The request that the invocation answers: its id, headers and body."""
        if self._request is None:
            start = self._machine.start
            self._request = Request(
                id=start.debug_id,
                headers={header.key: header.value for header in self._input.headers},
                attempt_headers=dict(self._attempt.headers),
                body=self._input.value.content,
                attempt_finished_event=AttemptFinishedEvent(self._attempt.finished),
                scope=start.scope if start.HasField("scope") else None,
                limit_key=start.limit_key if start.HasField("limit_key") else None,
                idempotency_key=start.idempotency_key if start.HasField("idempotency_key") else None,
            )
        return self._request

    def random(self) -> random.Random:
        """A generator of random numbers that are the same in every attempt; not for secrets."""
        if self._random is None:
            self._random = random.Random(self._machine.random_seed())  # not for secrets
        return self._random

    def uuid(self) -> uuid.UUID:
        """A version 4 UUID that is the same in every attempt. Source: RFC 9562, with the numbers of `random()`."""
        return uuid.UUID(int=self.random().getrandbits(128), version=4)

    def time(self) -> RestateDurableFuture[float]:
        """The time in seconds since the Unix epoch, to the millisecond, as it was when it was first asked for."""
        return self.run_typed("timestamp", self._now)

    async def _now(self) -> float:
        return self._attempt.clock.now() / 1000

    # ---- Runs ----

    @overload
    def run_typed(
        self,
        name: str,
        action: Callable[P, Coroutine[Any, Any, T]],
        options: RunOptions[T] = ...,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> RestateDurableFuture[T]: ...

    @overload
    def run_typed(
        self,
        name: str,
        action: Callable[P, T],
        options: RunOptions[T] = ...,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> RestateDurableFuture[T]: ...

    def run_typed(
        self,
        name: str,
        action: Callable[P, Any],
        options: RunOptions[Any] = _RUN_OPTIONS,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> RestateDurableFuture[Any]:
        """Does something once and records its result: `await ctx.run_typed("charge", charge, RunOptions(), card)`.

        The action runs when the future is awaited, in a thread if it is not async. It must not use the context. If it
        raises, it is tried again as `options` say; a TerminalError is its result.

        name: of the step; replays check it.  action: called with `args` and `kwargs`.
        Raises, when awaited: TerminalError, as the action raised it or because its tries are used up.
        """
        if args or kwargs:
            action = partial(action, *args, **kwargs)
        return self._add_run(name, action, options)

    def run(
        self,
        name: str,
        action: Callable[..., Coroutine[Any, Any, T]] | Callable[..., T],
        serde: Serde[T] = _DEFAULT,
        max_attempts: int | None = None,
        max_retry_duration: timedelta | None = None,
        type_hint: type[T] | None = None,
        args: tuple[Any, ...] | None = None,
    ) -> RestateDurableFuture[T]:
        """An older form of `run_typed`.

        args: of the action.  serde, type_hint, max_attempts, max_retry_duration: as in `RunOptions`.
        """
        options = RunOptions(
            serde=serde, type_hint=type_hint, max_attempts=max_attempts, max_retry_duration=max_retry_duration
        )
        return self._add_run(name, partial(action, *args) if args else action, options)

    def _add_run(self, name: str, action: Callable[[], Any], options: RunOptions[T]) -> RestateDurableFuture[T]:
        attempt, machine = self._attempt, self._machine
        attempt.require_usable()
        serde = options.serde if options.type_hint is None else bound(options.serde, options.type_hint)
        leaf = commands.run(machine, name)
        attempt.add_run(Run(leaf.id, machine.command_index, name, action, options, serde))
        return RestateDurableFuture(attempt, leaf, serde.deserialize, "run", name)

    # ---- Time ----

    def sleep(self, delta: timedelta, name: str | None = None) -> RestateDurableSleepFuture:
        """Waits, also for days: the handler does not run meanwhile.

        delta: how long, in whole milliseconds; none if negative.  name: of the step, shown to operators.
        """
        self._attempt.require_usable()
        wake_up = self._attempt.clock.now() + max(0, delta // timedelta(milliseconds=1))
        leaf = commands.sleep(self._machine, wake_up, name or "")
        future = RestateDurableSleepFuture(self._attempt, leaf, None, "sleep")
        self._attempt.created.append(future)
        return future

    # ---- Calls ----

    def service_call(
        self,
        tpe: HandlerType[I, O],
        arg: I,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> RestateDurableCallFuture[O]:
        """Calls a handler of a service.

        tpe: the handler, by its decorated function.  arg: its input, None if it takes none; a dict for several
        parameters.  idempotency_key: calls with the same one share an invocation.  headers: for its `request()`.
        Raises: NotAHandler (E0347), BadArgument (E0350), TerminalError with status 400 for an empty idempotency key.
        Raises, when awaited: TerminalError, as the callee did.
        """
        return calls.call(self._attempt, tpe, None, arg, idempotency_key, headers)

    def service_send(
        self,
        tpe: HandlerType[I, O],
        arg: I,
        send_delay: timedelta | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> SendHandle:
        """As `service_call`, now or later, without waiting for the result.

        send_delay: how long until it starts, in whole milliseconds; None: it starts now.
        """
        return calls.send(self._attempt, tpe, None, arg, send_delay, idempotency_key, headers)

    def object_call(
        self,
        tpe: HandlerType[I, O],
        key: str,
        arg: I,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> RestateDurableCallFuture[O]:
        """As `service_call`, for a virtual object. key: which one."""
        return calls.call(self._attempt, tpe, key, arg, idempotency_key, headers)

    def object_send(
        self,
        tpe: HandlerType[I, O],
        key: str,
        arg: I,
        send_delay: timedelta | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> SendHandle:
        """As `service_send`, for a virtual object. key: which one."""
        return calls.send(self._attempt, tpe, key, arg, send_delay, idempotency_key, headers)

    def workflow_call(
        self,
        tpe: HandlerType[I, O],
        key: str,
        arg: I,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> RestateDurableCallFuture[O]:
        """As `service_call`, for a workflow, whose main handler runs once per key. key: of the run."""
        return calls.call(self._attempt, tpe, key, arg, idempotency_key, headers)

    def workflow_send(
        self,
        tpe: HandlerType[I, O],
        key: str,
        arg: I,
        send_delay: timedelta | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> SendHandle:
        """As `service_send`, for a workflow. key: of the run."""
        return calls.send(self._attempt, tpe, key, arg, send_delay, idempotency_key, headers)

    def generic_call(
        self,
        service: str,
        handler: str,
        arg: bytes,
        key: str | None = None,
        idempotency_key: str | None = None,
        headers: dict[str, str] | None = None,
        scope: str | None = None,
        limit_key: str | None = None,
    ) -> RestateDurableCallFuture[bytes]:
        """As `service_call`, by names, with the bytes of body and result.

        key: of a virtual object or workflow.  scope, limit_key: as for `scope`.
        """
        target = calls.target(service, handler, key, idempotency_key, headers, scope, limit_key)
        return calls.raw_call(self._attempt, target, arg, bytes)

    def generic_send(
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
    ) -> SendHandle:
        """As `generic_call`, without waiting. send_delay: as for `service_send`."""
        target = calls.target(service, handler, key, idempotency_key, headers, scope, limit_key)
        return calls.raw_send(self._attempt, target, arg, send_delay)

    def scope(self, scope: str) -> ScopedContext:
        """Calls within a scope, for servers with flow control; under version 6 of the protocol the attempt fails."""
        return ScopedContext(self._attempt, scope)

    # ---- Other invocations ----

    def attach_invocation(
        self, invocation_id: str, serde: Serde[T] = _DEFAULT, type_hint: type[T] | None = None
    ) -> RestateDurableFuture[T]:
        """The result of another invocation, `inv_…`. Raises, when awaited: TerminalError, as that one did."""
        self._attempt.require_usable()
        leaf = commands.attach(self._machine, invocation_id)
        return self._future(leaf, bound(serde, type_hint), f"result of invocation {invocation_id}")

    def cancel_invocation(self, invocation_id: str) -> None:
        """Asks another invocation to cancel itself, without waiting for that. invocation_id: `inv_…`."""
        self._attempt.cancel(invocation_id)

    # ---- Awakeables and signals ----

    def awakeable(
        self, serde: Serde[T] = _DEFAULT, type_hint: type[T] | None = None
    ) -> tuple[str, RestateDurableFuture[T]]:
        """An id to hand out, `sign_1…`, and its value. Raises, when awaited: TerminalError if it is rejected."""
        self._attempt.require_usable()
        identifier, leaf = commands.awakeable(self._machine)
        return identifier, RestateDurableFuture(self._attempt, leaf, bound(serde, type_hint).deserialize, "awakeable")

    def resolve_awakeable(self, name: str, value: I, serde: Serde[I] = _DEFAULT) -> None:
        """Completes an awakeable; the first completion counts. name: its id."""
        self._attempt.require_usable()
        commands.complete_awakeable(self._machine, name, Outcome("value", self._attempt.encode(serde.serialize(value))))

    def reject_awakeable(self, name: str, failure_message: str, failure_code: int = 500) -> None:
        """Completes an awakeable, by its id, with a TerminalError. failure_code: its status, as in HTTP."""
        self._attempt.require_usable()
        commands.complete_awakeable(self._machine, name, commands.failed(failure_code, failure_message))

    def signal(
        self, name: str, serde: Serde[T] = _DEFAULT, type_hint: type[T] | None = None
    ) -> RestateDurableFuture[T]:
        """The next signal of that name to this invocation. Raises, when awaited: TerminalError if it is a rejection."""
        self._attempt.require_usable()
        leaf = commands.signal(self._machine, name)
        return RestateDurableFuture(self._attempt, leaf, bound(serde, type_hint).deserialize, "signal", name)

    def resolve_signal(self, invocation_id: str, name: str, value: I, serde: Serde[I] = _DEFAULT) -> None:
        """Sends a signal with a value to another invocation. invocation_id: `inv_…`."""
        self._attempt.require_usable()
        commands.send_signal(
            self._machine, invocation_id, name, Outcome("value", self._attempt.encode(serde.serialize(value)))
        )

    def reject_signal(self, invocation_id: str, name: str, failure_message: str, failure_code: int = 500) -> None:
        """Sends a signal that is a TerminalError for whoever waits for it. failure_code: its status, as in HTTP."""
        self._attempt.require_usable()
        commands.send_signal(self._machine, invocation_id, name, commands.failed(failure_code, failure_message))

    def _future(self, leaf: Any, serde: Serde[T], what: str) -> RestateDurableFuture[T]:
        future: RestateDurableFuture[T] = RestateDurableFuture(self._attempt, leaf, serde.deserialize, what)
        self._attempt.created.append(future)
        return future

    if not TYPE_CHECKING:  # what type checkers do not find shall be an error to them

        def __getattr__(self, name: str) -> Any:
            """Only called for what this kind of context does not have. Raises: NotAvailable (E0316)."""
            if not any(name in vars(kind) for each in _CONTEXTS.values() for kind in each.__mro__):
                raise AttributeError(f"a {type(self).__name__} has no attribute {name!r}")
            kinds = " or ".join(each.__name__ for each in _CONTEXTS.values() if hasattr(each, name))
            raise NotAvailable(f"{type(self).__name__} has no `{name}`, only {kinds} has")


class _Readable(Context):
    """State that can be read, under a key."""

    __slots__ = ()

    def key(self) -> str:
        """The key of the virtual object or workflow that this invocation is for."""
        return self._machine.start.key

    def get(
        self,
        name: str,
        serde: Serde[T] = _DEFAULT,
        type_hint: type[T] | None = None,
        entry_name: str | None = None,
    ) -> RestateDurableFuture[T | None]:
        """The value under a key of the state, None if there is none.

        name: the key.  entry_name: of the step, shown to operators.
        Raises, when awaited: CannotDecode (E0351) for a value that does not fit the hint.
        """
        self._attempt.require_usable()
        leaf = commands.get_state(self._machine, name.encode(), entry_name or "")
        return RestateDurableFuture(self._attempt, leaf, bound(serde, type_hint).deserialize, "state", name)

    def state_keys(self, entry_name: str | None = None) -> RestateDurableFuture[list[str]]:
        """The keys of the state that have a value. entry_name: of the step, shown to operators."""
        self._attempt.require_usable()
        leaf = commands.get_state_keys(self._machine, entry_name or "")
        return RestateDurableFuture(self._attempt, leaf, None, "state keys")


class KeyValueStore(_Readable):
    """State that can be written."""

    __slots__ = ()

    def set(self, name: str, value: T, serde: Serde[T] = _DEFAULT, entry_name: str | None = None) -> None:
        """Stores a value under a key of the state. name: the key.  entry_name: of the step, shown to operators."""
        self._attempt.require_usable()
        commands.set_state(self._machine, name.encode(), self._attempt.encode(serde.serialize(value)), entry_name or "")

    def clear(self, name: str, entry_name: str | None = None) -> None:
        """Removes a key of the state. name: the key.  entry_name: of the step, shown to operators."""
        self._attempt.require_usable()
        commands.clear_state(self._machine, name.encode(), entry_name or "")

    def clear_all(self, entry_name: str | None = None) -> None:
        """Removes the whole state. entry_name: of the step, shown to operators."""
        self._attempt.require_usable()
        commands.clear_all_state(self._machine, entry_name or "")


class ObjectContext(KeyValueStore):
    """The context of an exclusive handler of a virtual object: nobody else runs with its state meanwhile."""

    __slots__ = ()


class ObjectSharedContext(_Readable):
    """The context of a shared handler of a virtual object: it reads the state while others run."""

    __slots__ = ()


class WorkflowContext(ObjectContext):
    """The context of the main handler of a workflow, which runs once per key."""

    __slots__ = ()

    def promise(self, name: str, serde: Serde[T] = _DEFAULT, type_hint: type[T] | None = None) -> DurablePromise[T]:
        """A promise of this workflow run, by name, which need not exist before. type_hint: of its value."""
        return DurablePromise(self._attempt, name, bound(serde, type_hint))


class WorkflowSharedContext(ObjectSharedContext):
    """The context of the other handlers of a workflow, which talk to its run."""

    __slots__ = ()

    def promise(self, name: str, serde: Serde[T] = _DEFAULT, type_hint: type[T] | None = None) -> DurablePromise[T]:
        """A promise of this workflow run, by name, which need not exist before. type_hint: of its value."""
        return DurablePromise(self._attempt, name, bound(serde, type_hint))


_CONTEXTS: dict[tuple[ServiceKind, HandlerKind], type[Context]] = {
    (ServiceKind.SERVICE, HandlerKind.SERVICE): Context,
    (ServiceKind.VIRTUAL_OBJECT, HandlerKind.EXCLUSIVE): ObjectContext,
    (ServiceKind.VIRTUAL_OBJECT, HandlerKind.SHARED): ObjectSharedContext,
    (ServiceKind.WORKFLOW, HandlerKind.WORKFLOW): WorkflowContext,
    (ServiceKind.WORKFLOW, HandlerKind.SHARED): WorkflowSharedContext,
}


def make_context(attempt: "Attempt", given: pb.InputCommandMessage) -> Context:
    """The context for the attempt's kind of handler."""
    return _context_type(attempt.handler)(attempt, given)


@lru_cache(maxsize=1024)
def _context_type(handler: HandlerDefinition[Any, Any]) -> type[Context]:
    return _CONTEXTS[handler.service.kind, handler.kind]
