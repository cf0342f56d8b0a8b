"""Promises of a workflow run."""

from collections.abc import Awaitable, Generator
from typing import TYPE_CHECKING, Any, TypeVar

from perdure.sdk.futures import RestateDurableFuture
from perdure.sdk.machine import commands
from perdure.sdk.machine.outcome import Outcome
from perdure.sdk.serde import Serde

if TYPE_CHECKING:
    from perdure.sdk.attempt import Attempt

T = TypeVar("T")


class DurablePromise(Awaitable[T]):
    """A value that one handler of a workflow run waits for and another one gives, once. Awaiting it is `value()`."""

    __slots__ = ("_attempt", "_name", "_serde")

    def __init__(self, attempt: "Attempt", name: str, serde: Serde[T]) -> None:
        self._attempt = attempt
        self._name = name
        self._serde = serde

    def __await__(self) -> Generator[Any, Any, T]:
        return self.value().__await__()

    def value(self) -> RestateDurableFuture[T]:
        """Waits until the promise is completed. Raises, when awaited: TerminalError if it is rejected."""
        self._attempt.require_usable()
        leaf = commands.get_promise(self._attempt.machine, self._name)
        return RestateDurableFuture(self._attempt, leaf, self._serde.deserialize, "promise", self._name)

    def peek(self) -> RestateDurableFuture[T | None]:
        """Its value, None while it is not completed. Raises, when awaited: TerminalError if it is rejected."""
        self._attempt.require_usable()
        leaf = commands.peek_promise(self._attempt.machine, self._name)
        return RestateDurableFuture(self._attempt, leaf, self._serde.deserialize, "promise", self._name)

    def resolve(self, value: T) -> RestateDurableFuture[None]:
        """Completes it. Raises, when awaited: TerminalError with status 409 if it is completed already."""
        return self._complete(Outcome("value", self._attempt.encode(self._serde.serialize(value))))

    def reject(self, message: str, code: int = 500) -> RestateDurableFuture[None]:
        """Completes it with a failure, which whoever waits gets as a TerminalError.

        message, code: of that error; the code is its status, as in HTTP.
        Raises, when awaited: TerminalError with status 409 if it is completed already.
        """
        return self._complete(commands.failed(code, message))

    def _complete(self, outcome: Outcome) -> RestateDurableFuture[None]:
        self._attempt.require_usable()
        leaf = commands.complete_promise(self._attempt.machine, self._name, outcome)
        return RestateDurableFuture(self._attempt, leaf, None, "completion of promise", self._name)
