"""What the surfaces may ask of a partition."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from perdure.model.actions import AlreadyInvoked, Finished, Refused
from perdure.model.records import Invoke, Record
from perdure.model.registry import Registry

T = TypeVar("T")


class NotReady:
    """The invocation exists and has no outcome yet."""


class Gateway(Protocol):
    """A running partition, seen from the surfaces. Everything is called on the event loop's thread.

    All methods, and the futures they return, raise `StoreUnavailable` (E0301) when the store cannot take a record:
    nothing was done, try again later. To cancel a future undoes nothing.
    """

    @property
    def registry(self) -> Registry:
        """The newest snapshot; hold it for the length of one decision only."""

    def ask(self, build: Callable[[int], Record]) -> "asyncio.Future[Any]":
        """Applies the record that `build(token)` makes; the future is the `Reply` to that token, once it is durable."""

    def call(self, build: Callable[[int], Invoke]) -> "asyncio.Future[Finished | AlreadyInvoked | Refused]":
        """Applies an `Invoke` with `wait=True`; the future is its outcome."""

    async def attach(self, invocation_id: str) -> Finished | None:
        """Waits for the outcome of an invocation; None: unknown."""

    async def output(self, invocation_id: str) -> Finished | NotReady | None:
        """The outcome as it is now; None: unknown."""
