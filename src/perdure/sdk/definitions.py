"""What a user defined: services and their handlers, as everything else in the SDK sees them."""

import functools
import inspect
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, Concatenate, Final, Generic, Literal, TypeAlias, TypeVar, cast

from perdure.model.invocation import HandlerKind, ServiceKind
from perdure.sdk.binding import Binding, Hints, parameters_of
from perdure.sdk.definition_errors import BadHandler, BadName, BadOption, CannotDecode, DuplicateName, NotAHandler
from perdure.sdk.exceptions import TerminalError
from perdure.sdk.extensions import running
from perdure.sdk.serde import Serde

I = TypeVar("I")  # noqa: E741  # the name that the public vocabulary has
O = TypeVar("O")  # noqa: E741

HandlerType: TypeAlias = (
    Callable[[Any, I], Awaitable[O]]
    | Callable[[Any], Awaitable[O]]
    | Callable[Concatenate[Any, Any, Any, ...], Awaitable[O]]
)
"""A handler as callers name it: `ctx.service_call(handler, arg)` gives what the handler gives.

With several parameters, `arg` is a dict with their names, and type checkers do not look into it.
"""

InvocationContextManager: TypeAlias = Callable[[], AbstractAsyncContextManager[None]]
"""Makes a context manager that is entered around every attempt of a handler."""

BAD_INPUT: Final = 400
"""The status of the failure of a call whose body does not fit the handler."""

_SERVICE_NAME: Final = re.compile(r"([a-zA-Z]|_[a-zA-Z0-9])[a-zA-Z0-9._-]*")
_HANDLER_NAME: Final = re.compile(r"([a-zA-Z]|_[a-zA-Z0-9])[a-zA-Z0-9_]*")
_DEFINITION: Final = "__perdure_handler__"


@dataclass
class InvocationRetryPolicy:
    """How failed attempts of an invocation are tried again.

        policy = InvocationRetryPolicy(initial_interval=timedelta(seconds=1), max_attempts=3, on_max_attempts="kill")
        flights = Service("Flights", invocation_retry_policy=policy)

    None stands for what the service says, or else for the server's setting, named here with its default. The wait
    before attempt n + 1 is `initial_interval` times `exponentiation_factor` to the power of n - 1, at most
    `max_interval`, in whole milliseconds; by chance the server adds up to 30 %, so that not all come at once.

    initial_interval: wait before the second attempt (`retry.initial_interval`, 500 ms).
    exponentiation_factor: each further wait is this many times as long (`retry.factor`, 2.0).
    max_interval: the longest wait (`retry.max_interval`, 1 minute).
    max_attempts: attempts in all, the first one included (`retry.max_attempts`, 70).
    on_max_attempts: what happens when they are used up: `pause` waits for an operator, `kill` ends the invocation with
    the last failure (`retry.on_max_attempts`, pause).

    A service or handler that is given one that is not possible raises BadOption (E0345).
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

    def check(self, where: str) -> None:
        """Raises: BadOption (E0345)."""
        for one in fields(self):
            if "timedelta" in str(one.type):
                _check_time(where, one.name, getattr(self, one.name))
        for pair in (self.metadata or {}).items():
            if not all(isinstance(text, str) for text in pair):
                raise BadOption(f"{where}: metadata is pairs of text, not {pair[0]!r}: {pair[1]!r}")
        for factory in self.invocation_context_managers:
            if not callable(factory):
                raise BadOption(f"{where}: invocation_context_managers are functions that make one, not {factory!r}")
        if self.invocation_retry_policy is not None:
            _check_policy(where, self.invocation_retry_policy)


def _check_time(where: str, name: str, value: Any) -> None:
    if value is not None and not (isinstance(value, timedelta) and value >= timedelta()):
        raise BadOption(f"{where}: {name} is a timedelta and not negative, not {value!r}")


def _check_policy(where: str, policy: InvocationRetryPolicy) -> None:
    _check_time(where, "initial_interval", policy.initial_interval)
    _check_time(where, "max_interval", policy.max_interval)
    factor, attempts = policy.exponentiation_factor, policy.max_attempts
    if factor is not None and not 0 <= factor < float("inf"):
        raise BadOption(f"{where}: exponentiation_factor is a number from 0 on, not {factor!r}")
    if attempts is not None and attempts < 0:
        raise BadOption(f"{where}: max_attempts is a count, not {attempts!r}")
    if policy.on_max_attempts not in (None, "pause", "kill"):
        raise BadOption(f"{where}: on_max_attempts is `pause` or `kill`, not {policy.on_max_attempts!r}")


class HandlerDefinition(Generic[I, O]):
    """One handler, as `Service.handler` and the like define it.

    service: what it belongs to.  kind: how its calls relate to each other.  function: the user's.
    accept, content_type: of the body it takes and of the one it gives.
    input_serde, output_serde: for the types that the hints say, as soon as those are known.
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
        local_names: Mapping[str, Any] | None = None,
    ) -> None:
        """local_names: of the function in which the handler is defined, if it is.

        Raises: BadName (E0341), BadHandler (E0343), BadOption (E0345).
        """
        where = f"{service.name}/{name}"
        if not _HANDLER_NAME.fullmatch(name):
            raise BadName(f"`{name}` cannot be the name of a handler: letters, digits and `_` only")
        for which, value in (("accept", accept), ("content_type", content_type)):
            if "/" not in value:
                raise BadOption(f"{where}: {which} is a content type like `application/json`, not {value!r}")
        options.check(where)
        self.service = service
        self.name = name
        self.kind = kind
        self.function = function
        self.accept = accept
        self.content_type = content_type
        self.options = options
        self._serdes: tuple[Serde[Any], Serde[Any]] = (input_serde, output_serde)
        self._parameters = parameters_of(where, function)
        self._hints = Hints(where, function, local_names)

    def __str__(self) -> str:
        return f"{self.service.name}/{self.name}"

    @functools.cached_property
    def binding(self) -> Binding:
        """What it takes and gives. Raises: BadHint (E0344), BadHandler (E0343)."""
        return Binding(str(self), self._parameters, self._hints, *self._serdes)

    @property
    def input_serde(self) -> Serde[I]:
        return self.binding.input_serde

    @property
    def output_serde(self) -> Serde[O]:
        return self.binding.output_serde

    @property
    def documentation(self) -> str | None:
        """The handler's docstring."""
        return inspect.getdoc(self.function) or None

    @functools.cached_property
    def context_managers(self) -> tuple[InvocationContextManager, ...]:
        """What is entered around each attempt, the outermost first."""
        return self.service.options.invocation_context_managers + self.options.invocation_context_managers

    def encode_input(self, arg: Any) -> bytes:
        """The body of a call with this argument. Raises: BadArgument (E0350), CannotEncode (E0352)."""
        return self.binding.encode_input(arg)

    def decode_output(self, body: bytes) -> O:
        """The result that a callee's body holds. Raises: CannotDecode (E0351)."""
        return cast("O", self.output_serde.deserialize(body))

    def run(self, context: Any, body: bytes) -> Coroutine[Any, Any, bytes]:
        """Runs the user's code, within its context managers, in a task of its own.

        Raises: TerminalError with status 400 for a body that does not fit, BadHandler (E0343) for a function that
        gives nothing to await, CannotEncode (E0352) for its result, and what the user's code raises.
        """
        running.set(context)
        return self._call_within(context, body) if self.context_managers else self._call(context, body)

    async def _call_within(self, context: Any, body: bytes) -> bytes:
        async with AsyncExitStack() as around:
            for manager in self.context_managers:
                await around.enter_async_context(manager())
            return await self._call(context, body)
        raise AssertionError("a context manager around an invocation must not swallow what it raises")

    async def _call(self, context: Any, body: bytes) -> bytes:
        try:
            positional, by_name = self.binding.arguments(body)
        except CannotDecode as error:
            raise TerminalError(f"{error}. {error.hint}", status_code=BAD_INPUT) from error
        result = self.function(context, *positional, **by_name)
        if not hasattr(result, "__await__"):
            raise BadHandler(f"{self} is not `async`")
        return self.output_serde.serialize(await result)


@dataclass
class ServiceDefinition:
    """One service, with its handlers by name, in the order of their definition."""

    name: str
    kind: ServiceKind
    options: Options
    handlers: dict[str, HandlerDefinition[Any, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises: BadName (E0341), BadOption (E0345)."""
        if not _SERVICE_NAME.fullmatch(str(self.name)):
            raise BadName(f"`{self.name}` cannot be the name of a service: letters, digits and `_.-` only")
        if self.name.lower().startswith("restate") or self.name.lower() == "openapi":
            raise BadName(f"the name `{self.name}` is reserved")
        self.options.check(self.name)

    def add(self, handler: HandlerDefinition[Any, Any]) -> None:
        """Raises: DuplicateName (E0342)."""
        if handler.name in self.handlers:
            raise DuplicateName(f"{self.name} has a handler `{handler.name}` already")
        self.handlers[handler.name] = handler


def mark(function: Any, handler: HandlerDefinition[Any, Any]) -> None:
    """Makes a decorated function one that callers can name."""
    setattr(function, _DEFINITION, handler)


def handler_of(function: Any) -> HandlerDefinition[Any, Any]:
    """The definition behind a decorated function. Raises: NotAHandler (E0347)."""
    handler = getattr(function, _DEFINITION, None)
    if not isinstance(handler, HandlerDefinition):
        name = getattr(function, "__qualname__", None) or repr(function)
        raise NotAHandler(f"{name} is not a handler")
    return handler
