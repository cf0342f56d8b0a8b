"""What a user defined: services and their handlers, as everything else in the SDK sees them."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from perdure.model.invocation import HandlerKind, ServiceKind
from perdure.sdk.serde import Serde

I = TypeVar("I")  # noqa: E741  # the name that the public vocabulary has
O = TypeVar("O")  # noqa: E741

HandlerType: TypeAlias = Callable[[Any, I], Awaitable[O]] | Callable[[Any], Awaitable[O]]
"""A handler as callers name it: `ctx.service_call(handler, arg)` gives what the handler gives."""

InvocationContextManager: TypeAlias = Callable[[], AbstractAsyncContextManager[None]]
"""Makes a context manager that is entered around every attempt of a handler."""


@dataclass(frozen=True)
class InvocationRetryPolicy:
    """How failed attempts of an invocation are tried again. None: the server's default.

    max_attempts counts the first attempt.  on_max_attempts: what happens when they are used up.
    """

    initial_interval: timedelta | None = None
    exponentiation_factor: float | None = None
    max_interval: timedelta | None = None
    max_attempts: int | None = None
    on_max_attempts: Literal["pause", "kill"] | None = None


@dataclass(frozen=True, kw_only=True)
class Options:
    """What can be said for a service and for each of its handlers. None: not said."""

    description: str | None = None
    metadata: dict[str, str] | None = None
    inactivity_timeout: timedelta | None = None
    abort_timeout: timedelta | None = None
    journal_retention: timedelta | None = None
    idempotency_retention: timedelta | None = None
    workflow_retention: timedelta | None = None
    enable_lazy_state: bool | None = None
    ingress_private: bool | None = None
    invocation_retry_policy: InvocationRetryPolicy | None = None
    invocation_context_managers: tuple[InvocationContextManager, ...] = ()


class HandlerDefinition(Generic[I, O]):
    """One handler.

    service: what it belongs to.  kind: how its calls relate to each other.  function: the user's.
    accept, content_type: of the body it takes and of the one it gives.
    input_serde, output_serde: bound to the types of the hints, as soon as those are known.
    """

    def __init__(
        self,
        service: "ServiceDefinition",
        name: str,
        kind: HandlerKind,
        function: Callable[..., Awaitable[O]],
        *,
        accept: str,
        content_type: str,
        input_serde: Serde[I],
        output_serde: Serde[O],
        options: Options,
    ) -> None:
        self.service = service
        self.name = name
        self.kind = kind
        self.function = function
        self.accept = accept
        self.content_type = content_type
        self.input_serde = input_serde
        self.output_serde = output_serde
        self.options = options

    def __str__(self) -> str:
        return f"{self.service.name}/{self.name}"

    def encode_input(self, arg: Any) -> bytes:
        """The body of a call with this argument, as callers give it. Raises: BadArgument (E0350)."""
        raise NotImplementedError

    def decode_output(self, body: bytes) -> O:
        """The result that a callee's body holds. Raises: BadResult (E0351)."""
        raise NotImplementedError

    async def run(self, context: Any, body: bytes) -> bytes:
        """Runs the user's code, within its context managers: decodes `body`, calls, encodes the result.

        Raises: TerminalError with status 400 for a body that does not fit, and what the user's code raises.
        """
        raise NotImplementedError


@dataclass
class ServiceDefinition:
    """One service, with its handlers by name, in the order of their definition."""

    name: str
    kind: ServiceKind
    options: Options
    handlers: dict[str, HandlerDefinition[Any, Any]] = field(default_factory=dict)


def handler_of(function: Any) -> HandlerDefinition[Any, Any]:
    """The definition behind a decorated function. Raises: NotAHandler (E0352)."""
    raise NotImplementedError
