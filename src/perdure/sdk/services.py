"""The three kinds of services, and the decorators that make handlers of functions."""

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, Literal, TypeVar, cast

from perdure.model.invocation import HandlerKind, ServiceKind
from perdure.sdk.binding import locals_of_caller
from perdure.sdk.definition_errors import BadHandler, BadOption
from perdure.sdk.definitions import (
    HandlerDefinition,
    InvocationContextManager,
    InvocationRetryPolicy,
    Options,
    ServiceDefinition,
    mark,
)
from perdure.sdk.serde import DefaultSerde, Serde

T = TypeVar("T")

JSON: Final = "application/json"


class _Defined:
    """What the three kinds have in common."""

    def __init__(self, definition: ServiceDefinition) -> None:
        self.definition: Final = definition

    @property
    def name(self) -> str:
        """How callers call it."""
        return self.definition.name

    @property
    def handlers(self) -> dict[str, HandlerDefinition[Any, Any]]:
        """By name, in the order of their definition."""
        return self.definition.handlers

    def _decorator(
        self,
        name: str | None,
        kind: HandlerKind,
        options: Options,
        **shape: Any,
    ) -> Callable[[T], T]:
        if callable(name):
            raise BadHandler(f"{self.name}: the decorator of `{getattr(name, '__name__', name)}` lacks its parentheses")

        def decorate(function: T) -> T:
            if not callable(function):
                raise BadHandler(f"{self.name}: {function!r} is not a function")
            handler: HandlerDefinition[Any, Any] = HandlerDefinition(
                self.definition,
                name or cast("str", getattr(function, "__name__", "")),
                kind,
                function,
                options=options,
                local_names=locals_of_caller(function, 1),
                **shape,
            )
            self.definition.add(handler)

            # One of its own for each service: the same function may serve in several.
            @functools.wraps(function)
            def decorated(*args: Any, **kwargs: Any) -> Any:
                return function(*args, **kwargs)

            mark(decorated, handler)
            return cast("T", decorated)

        return decorate


class Service(_Defined):
    """Handlers that have nothing in common but their name: no key, no state, any number at once.

        greeter = Service("Greeter")

        @greeter.handler()
        async def greet(ctx: Context, name: str) -> str:
            return f"hello {name}"

    Callers name the handler by its function (`ctx.service_call(greet, "Ada")`) or by HTTP: `POST /Greeter/greet`.
    """

    def __init__(
        self,
        name: str,
        description: str | None = None,
        metadata: dict[str, str] | None = None,
        inactivity_timeout: timedelta | None = None,
        abort_timeout: timedelta | None = None,
        journal_retention: timedelta | None = None,
        idempotency_retention: timedelta | None = None,
        ingress_private: bool | None = None,
        invocation_retry_policy: InvocationRetryPolicy | None = None,
        invocation_context_managers: list[InvocationContextManager] | None = None,
    ) -> None:
        """Everything but the name is for all handlers that do not say otherwise.

        None stands for the server's setting, named here with its default. Durations are told to the server in whole
        milliseconds.

        name: how callers call it: letters, digits, `_`, `.` and `-`, with a letter or `_` in front.
        description: shown to operators.
        metadata: pairs of text, shown to operators.
        inactivity_timeout: how long an attempt may be silent before it is asked to suspend (`timeouts.inactivity`,
        1 minute).
        abort_timeout: how long it may then go on before it is cut off and tried again (`timeouts.abort`, 10 minutes).
        journal_retention: how long the journal of an ended invocation can be read (`retention.journal`, 1 day).
        idempotency_retention: how long the result of a request with an idempotency key is kept
        (`retention.idempotency`, 1 day).
        ingress_private: callable from handlers only, not over the ingress.
        invocation_retry_policy: when failed attempts are tried again.
        invocation_context_managers: functions that make async context managers, entered around every attempt; those of
        the service first.

        Raises: BadName (E0341), BadOption (E0345).
        """
        options = Options(
            description=description,
            metadata=metadata,
            inactivity_timeout=inactivity_timeout,
            abort_timeout=abort_timeout,
            journal_retention=journal_retention,
            idempotency_retention=idempotency_retention,
            ingress_private=ingress_private,
            invocation_retry_policy=invocation_retry_policy,
            invocation_context_managers=tuple(invocation_context_managers or ()),
        )
        super().__init__(ServiceDefinition(name, ServiceKind.SERVICE, options))

    def handler(
        self,
        name: str | None = None,
        accept: str = JSON,
        content_type: str = JSON,
        input_serde: Serde[Any] = DefaultSerde(),  # noqa: B008  # it has no state
        output_serde: Serde[Any] = DefaultSerde(),  # noqa: B008
        metadata: dict[str, str] | None = None,
        inactivity_timeout: timedelta | None = None,
        abort_timeout: timedelta | None = None,
        journal_retention: timedelta | None = None,
        idempotency_retention: timedelta | None = None,
        ingress_private: bool | None = None,
        invocation_retry_policy: InvocationRetryPolicy | None = None,
        invocation_context_managers: list[InvocationContextManager] | None = None,
    ) -> Callable[[T], T]:
        """Makes a handler of an async function; its docstring is the documentation that operators see.

        The function takes a context and what the body holds: nothing, one value, or an object with a value for each of
        several parameters. The options that a service has as well are as for `Service`, for this handler alone.

        name: the function's own unless given; letters, digits and `_`.
        accept: content types of the body it takes, `*/*` for any.
        content_type: of its result.
        input_serde, output_serde: for other bodies than JSON by the type hints.

        Raises: BadName (E0341), DuplicateName (E0342), BadHandler (E0343), BadOption (E0345).
        """
        options = Options(
            metadata=metadata,
            inactivity_timeout=inactivity_timeout,
            abort_timeout=abort_timeout,
            journal_retention=journal_retention,
            idempotency_retention=idempotency_retention,
            ingress_private=ingress_private,
            invocation_retry_policy=invocation_retry_policy,
            invocation_context_managers=tuple(invocation_context_managers or ()),
        )
        return self._decorator(
            name,
            HandlerKind.SERVICE,
            options,
            accept=accept,
            content_type=content_type,
            input_serde=input_serde,
            output_serde=output_serde,
        )


class VirtualObject(_Defined):
    """Handlers with a key and state under it. Per key, one exclusive handler runs at a time, in order of arrival.

        counter = VirtualObject("Counter")

        @counter.handler()
        async def add(ctx: ObjectContext, amount: int) -> int:
            total = (await ctx.get("total", type_hint=int) or 0) + amount
            ctx.set("total", total)
            return total

    Callers name the key as well: `ctx.object_call(add, "ada", 1)`, or `POST /Counter/ada/add`.
    """

    def __init__(
        self,
        name: str,
        description: str | None = None,
        metadata: dict[str, str] | None = None,
        inactivity_timeout: timedelta | None = None,
        abort_timeout: timedelta | None = None,
        journal_retention: timedelta | None = None,
        idempotency_retention: timedelta | None = None,
        enable_lazy_state: bool | None = None,
        ingress_private: bool | None = None,
        invocation_retry_policy: InvocationRetryPolicy | None = None,
        invocation_context_managers: list[InvocationContextManager] | None = None,
    ) -> None:
        """As for `Service`.

        enable_lazy_state: state is fetched when it is read, and not sent along with each attempt, where it counts
        towards `limits.eager_state_size`, 32 MiB.

        Raises: BadName (E0341), BadOption (E0345).
        """
        options = Options(
            description=description,
            metadata=metadata,
            inactivity_timeout=inactivity_timeout,
            abort_timeout=abort_timeout,
            journal_retention=journal_retention,
            idempotency_retention=idempotency_retention,
            enable_lazy_state=enable_lazy_state,
            ingress_private=ingress_private,
            invocation_retry_policy=invocation_retry_policy,
            invocation_context_managers=tuple(invocation_context_managers or ()),
        )
        super().__init__(ServiceDefinition(name, ServiceKind.VIRTUAL_OBJECT, options))

    def handler(
        self,
        name: str | None = None,
        kind: Literal["exclusive", "shared"] | None = "exclusive",
        accept: str = JSON,
        content_type: str = JSON,
        input_serde: Serde[Any] = DefaultSerde(),  # noqa: B008  # it has no state
        output_serde: Serde[Any] = DefaultSerde(),  # noqa: B008
        metadata: dict[str, str] | None = None,
        inactivity_timeout: timedelta | None = None,
        abort_timeout: timedelta | None = None,
        journal_retention: timedelta | None = None,
        idempotency_retention: timedelta | None = None,
        enable_lazy_state: bool | None = None,
        ingress_private: bool | None = None,
        invocation_retry_policy: InvocationRetryPolicy | None = None,
        invocation_context_managers: list[InvocationContextManager] | None = None,
    ) -> Callable[[T], T]:
        """As `Service.handler`.

        kind: `exclusive`, and then also None: it reads and writes state while no other exclusive handler of the key
        runs; `shared`: it reads state beside all others.

        Raises: BadName (E0341), DuplicateName (E0342), BadHandler (E0343), BadOption (E0345).
        """
        if kind not in (None, "exclusive", "shared"):
            raise BadOption(f"{self.name}: the kind of a handler is `exclusive` or `shared`, not {kind!r}")
        options = Options(
            metadata=metadata,
            inactivity_timeout=inactivity_timeout,
            abort_timeout=abort_timeout,
            journal_retention=journal_retention,
            idempotency_retention=idempotency_retention,
            enable_lazy_state=enable_lazy_state,
            ingress_private=ingress_private,
            invocation_retry_policy=invocation_retry_policy,
            invocation_context_managers=tuple(invocation_context_managers or ()),
        )
        return self._decorator(
            name,
            HandlerKind.SHARED if kind == "shared" else HandlerKind.EXCLUSIVE,
            options,
            accept=accept,
            content_type=content_type,
            input_serde=input_serde,
            output_serde=output_serde,
        )


class Workflow(_Defined):
    """One run per key by its main handler, and handlers beside it that look at it and talk to it.

        approval = Workflow("Approval")

        @approval.main()
        async def run(ctx: WorkflowContext, request: str) -> str:
            return await ctx.promise("decision", type_hint=str).value()

        @approval.handler()
        async def decide(ctx: WorkflowSharedContext, decision: str) -> None:
            await ctx.promise("decision", type_hint=str).resolve(decision)

    The key is that of the run: `ctx.workflow_call(run, "claim-1", "roof")`, or `POST /Approval/claim-1/run`.
    """

    def __init__(
        self,
        name: str,
        description: str | None = None,
        metadata: dict[str, str] | None = None,
        inactivity_timeout: timedelta | None = None,
        abort_timeout: timedelta | None = None,
        journal_retention: timedelta | None = None,
        idempotency_retention: timedelta | None = None,
        enable_lazy_state: bool | None = None,
        ingress_private: bool | None = None,
        invocation_retry_policy: InvocationRetryPolicy | None = None,
        invocation_context_managers: list[InvocationContextManager] | None = None,
    ) -> None:
        """As for `VirtualObject`.

        idempotency_retention: how long results of requests with an idempotency key to the handlers beside the run are
        kept (`retention.idempotency`, 1 day); for the run see `main`.

        Raises: BadName (E0341), BadOption (E0345).
        """
        options = Options(
            description=description,
            metadata=metadata,
            inactivity_timeout=inactivity_timeout,
            abort_timeout=abort_timeout,
            journal_retention=journal_retention,
            idempotency_retention=idempotency_retention,
            enable_lazy_state=enable_lazy_state,
            ingress_private=ingress_private,
            invocation_retry_policy=invocation_retry_policy,
            invocation_context_managers=tuple(invocation_context_managers or ()),
        )
        super().__init__(ServiceDefinition(name, ServiceKind.WORKFLOW, options))

    def main(
        self,
        name: str | None = None,
        accept: str = JSON,
        content_type: str = JSON,
        input_serde: Serde[Any] = DefaultSerde(),  # noqa: B008  # it has no state
        output_serde: Serde[Any] = DefaultSerde(),  # noqa: B008
        metadata: dict[str, str] | None = None,
        inactivity_timeout: timedelta | None = None,
        abort_timeout: timedelta | None = None,
        journal_retention: timedelta | None = None,
        workflow_retention: timedelta | None = None,
        enable_lazy_state: bool | None = None,
        ingress_private: bool | None = None,
        invocation_retry_policy: InvocationRetryPolicy | None = None,
        invocation_context_managers: list[InvocationContextManager] | None = None,
    ) -> Callable[[T], T]:
        """As `Service.handler`, for the handler that runs once per key.

        workflow_retention: how long result, state and promises of a run that has ended are kept; the key is taken until
        then (`retention.workflow_completion`, 1 day).

        Raises: BadName (E0341), DuplicateName (E0342), BadHandler (E0343), BadOption (E0345).
        """
        options = Options(
            metadata=metadata,
            inactivity_timeout=inactivity_timeout,
            abort_timeout=abort_timeout,
            journal_retention=journal_retention,
            workflow_retention=workflow_retention,
            enable_lazy_state=enable_lazy_state,
            ingress_private=ingress_private,
            invocation_retry_policy=invocation_retry_policy,
            invocation_context_managers=tuple(invocation_context_managers or ()),
        )
        return self._decorator(
            name,
            HandlerKind.WORKFLOW,
            options,
            accept=accept,
            content_type=content_type,
            input_serde=input_serde,
            output_serde=output_serde,
        )

    def handler(
        self,
        name: str | None = None,
        accept: str = JSON,
        content_type: str = JSON,
        input_serde: Serde[Any] = DefaultSerde(),  # noqa: B008  # it has no state
        output_serde: Serde[Any] = DefaultSerde(),  # noqa: B008
        metadata: dict[str, str] | None = None,
        inactivity_timeout: timedelta | None = None,
        abort_timeout: timedelta | None = None,
        journal_retention: timedelta | None = None,
        idempotency_retention: timedelta | None = None,
        enable_lazy_state: bool | None = None,
        ingress_private: bool | None = None,
        invocation_retry_policy: InvocationRetryPolicy | None = None,
        invocation_context_managers: list[InvocationContextManager] | None = None,
    ) -> Callable[[T], T]:
        """As `Service.handler`, for what runs beside the main handler: any number at once, and state is read only.

        Raises: BadName (E0341), DuplicateName (E0342), BadHandler (E0343), BadOption (E0345).
        """
        options = Options(
            metadata=metadata,
            inactivity_timeout=inactivity_timeout,
            abort_timeout=abort_timeout,
            journal_retention=journal_retention,
            idempotency_retention=idempotency_retention,
            enable_lazy_state=enable_lazy_state,
            ingress_private=ingress_private,
            invocation_retry_policy=invocation_retry_policy,
            invocation_context_managers=tuple(invocation_context_managers or ()),
        )
        return self._decorator(
            name,
            HandlerKind.SHARED,
            options,
            accept=accept,
            content_type=content_type,
            input_serde=input_serde,
            output_serde=output_serde,
        )
