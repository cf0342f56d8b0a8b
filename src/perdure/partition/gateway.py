"""What the surfaces may ask of a partition."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from perdure.model.actions import Accepted, AlreadyInvoked, Finished, Refused
from perdure.model.records import Invoke, Record
from perdure.model.registry import Registry

T = TypeVar("T")


class NotReady:
    """The invocation exists and has no outcome yet."""


class Waiter(Protocol):
    """Who waits for an answer: a future of asyncio, or whatever else has these methods. Neither may block or raise."""

    def done(self) -> bool:
        """True: was answered, or does not want to be any more."""

    def set_result(self, answer: Any, /) -> None: ...
    def set_exception(self, error: Exception, /) -> None: ...


class Gateway(Protocol):
    """A running partition, seen from the surfaces. Everything is called on the event loop's thread.

    All methods raise `StoreUnavailable` (E0301) when the store cannot take a record: nothing was done, try again later.
    """

    @property
    def registry(self) -> Registry:
        """The newest snapshot; hold it for the length of one decision only."""

    async def ask(self, build: Callable[[int], Record]) -> Any:
        """Applies the record that `build(token)` makes and returns the `Reply` to that token, once it is durable."""

    def new_token(self) -> int:
        """What a record for `call` or `submit` says as its `reply_to`."""

    async def call(self, record: Invoke) -> Accepted | Finished | AlreadyInvoked | Refused:
        """Applies it and waits for the outcome if the record says so, else until it is durable.

        Cancelling the wait leaves the invocation running.
        """

    def submit(self, record: Invoke, waiter: Waiter) -> None:
        """The same without a task that waits: `waiter` is told later, not at once."""

    def forget(self, token: int, invocation_id: str) -> None:
        """The waiter of a submitted record does not wait any more. Leaves the invocation running."""

    async def attach(self, invocation_id: str) -> Finished | None:
        """Waits for the outcome of an invocation; None: unknown."""

    async def output(self, invocation_id: str) -> Finished | NotReady | None:
        """The outcome as it is now; None: unknown."""
