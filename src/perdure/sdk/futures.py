"""What a context's operations return: results that survive the process."""

from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from perdure.sdk.exceptions import TerminalError
from perdure.sdk.machine.awaiting import AnyLeaf
from perdure.sdk.machine.outcome import Failure, Outcome

if TYPE_CHECKING:
    from perdure.sdk.attempt import Attempt

T = TypeVar("T")


def terminal(failure: Failure) -> TerminalError:
    """The error for a stored failure."""
    return TerminalError(failure.message, failure.code, dict(failure.metadata) if failure.metadata else None)


def _without_bytes(outcome: Outcome) -> Any:
    """What an outcome brings that is neither a value nor a failure."""
    match outcome.kind:
        case "invocation_id":
            return outcome.invocation_id
        case "state_keys":
            return [key.decode() for key in outcome.keys]
        case _:
            return None


class RestateDurableFuture(Awaitable[T]):
    """The result of a durable operation, to be awaited now, later, or together with others.

    Awaiting it twice gives the same result. What is not recorded must not end the wait: `asyncio.timeout` around it
    fails the attempt with NotReplayable (E0314); `select` with `ctx.sleep` is the way.

    Raises, when awaited: TerminalError if the operation failed, and with status 409 if the invocation is cancelled
    while it waits; CannotDecode (E0351) for a value that does not fit the hint.
    """

    __slots__ = ("_attempt", "_decode", "_leaf", "_name", "_outcome", "_what", "wanted")

    def __init__(
        self, attempt: "Attempt", leaf: Any, decode: Callable[[bytes], Any] | None, what: str, name: str | None = None
    ) -> None:
        """decode: makes the value of its bytes; None for what never has any.  what, name: for texts."""
        self._attempt = attempt
        self._leaf = leaf
        self._decode = decode
        self._outcome: Outcome | None = None
        self.wanted = False
        """Somebody has awaited it, alone or together with others."""
        self._what = what
        self._name = name

    def __await__(self) -> Generator[Any, Any, T]:
        self.wanted = True
        outcome = self._outcome
        if outcome is None:
            attempt = self._attempt
            yield from attempt.wait(self._leaf)
            outcome = self._outcome = self._leaf.outcome(attempt.machine)
            assert outcome is not None
        if outcome.failure is not None:
            raise terminal(outcome.failure)
        decode = self._decode
        if decode is None or outcome.kind != "value":
            nothing: T = _without_bytes(outcome)
            return nothing
        value = outcome.value
        if self._attempt.codec is not None:
            value = yield from self._attempt.decoded(value).__await__()
        result: T = decode(value)
        return result

    def __repr__(self) -> str:
        return f"<durable future of {self.what}>"

    @property
    def what(self) -> str:
        """What it is the result of, for texts; for example `run 'charge'`."""
        return self._what if self._name is None else f"{self._what} {self._name!r}"

    @property
    def leaf(self) -> AnyLeaf:
        """What the machine waits for."""
        leaf: AnyLeaf = self._leaf
        return leaf

    @property
    def attempt(self) -> "Attempt":
        """Whose it is."""
        return self._attempt

    def is_completed(self) -> bool:
        """True if awaiting it will not wait."""
        return self._outcome is not None or self.leaf.settled(self._attempt.machine) is not None

    @property
    def succeeded(self) -> bool:
        """True if it has completed, and not with a failure; False while it has not."""
        return self.leaf.settled(self._attempt.machine) == "success"


class RestateDurableSleepFuture(RestateDurableFuture[None]):
    """The end of a sleep; its result is None."""

    __slots__ = ()


class RestateDurableCallFuture(RestateDurableFuture[T], Generic[T]):
    """The result of a call, and the callee's invocation id."""

    __slots__ = ("_invocation",)

    def __init__(
        self,
        attempt: "Attempt",
        leaf: Any,
        decode: Callable[[bytes], T],
        what: str,
        invocation: RestateDurableFuture[str],
    ) -> None:
        super().__init__(attempt, leaf, decode, what)
        self._invocation = invocation

    async def invocation_id(self) -> str:
        """The callee's invocation id, `inv_…`, as soon as the server has told it."""
        return await self._invocation

    async def cancel_invocation(self) -> None:
        """Asks the callee to cancel itself, without waiting; the result is then usually a TerminalError, 409."""
        identifier = await self._invocation
        self._attempt.cancel(identifier)


class SendHandle:
    """A one-way call, as `Context.service_send` gives it."""

    __slots__ = ("_attempt", "_invocation")

    def __init__(self, attempt: "Attempt", invocation: RestateDurableFuture[str]) -> None:
        self._attempt = attempt
        self._invocation = invocation

    async def invocation_id(self) -> str:
        """The callee's invocation id, `inv_…`, as soon as the server has told it."""
        return await self._invocation

    async def cancel_invocation(self) -> None:
        """Asks the callee to cancel itself, without waiting for that."""
        identifier = await self._invocation
        self._attempt.cancel(identifier)
