"""For code around handlers: what is running now, and values that last as long as an attempt."""

import functools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

running: ContextVar[Any] = ContextVar("perdure_context")
"""The context of the handler that runs in this task."""


def current_context() -> Any | None:
    """The context of the handler that runs now; None outside of handlers."""
    return running.get(None)


class contextvar(Generic[P, T]):  # a decorator
    """Makes what a context manager around an invocation yields available to the code within.

        @contextvar
        @asynccontextmanager
        async def connection() -> AsyncIterator[Connection]:
            async with connect() as connected:
                yield connected

        service = Service("Reports", invocation_context_managers=[connection])

    Handlers of the service, and what they call, find it as `connection.value`. Each attempt enters it anew.
    """

    def __init__(self, func: Callable[P, AbstractAsyncContextManager[T]]) -> None:
        functools.update_wrapper(self, func)
        self._make = func
        self._value: ContextVar[T] = ContextVar(getattr(func, "__qualname__", "contextvar"))

    @property
    def value(self) -> T:
        """What the context manager yielded. Raises: LookupError outside of it."""
        return self._value.get()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> AbstractAsyncContextManager[None]:
        return self._entered(*args, **kwargs)

    @asynccontextmanager
    async def _entered(self, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[None]:
        async with self._make(*args, **kwargs) as value:
            token = self._value.set(value)
            try:
                yield
            finally:
                self._value.reset(token)
