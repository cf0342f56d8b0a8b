"""Waiting for several durable futures at once.

Which of them came first is recorded by the order of the journal, so that it is the same in every attempt.
"""

from collections.abc import AsyncGenerator, Generator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

from perdure.protocol.futures import Combinator
from perdure.sdk.exceptions import NotDurable
from perdure.sdk.futures import RestateDurableFuture
from perdure.sdk.machine.awaiting import AnyLeaf, Combined, Succession
from perdure.sdk.waiters import Waiter

if TYPE_CHECKING:
    from perdure.sdk.attempt import Attempt

T = TypeVar("T")
AnyFuture: TypeAlias = RestateDurableFuture[Any]
# Each has two signatures: futures of one type keep it, those of several become `Any`.


@overload
async def gather(*futures: RestateDurableFuture[T]) -> list[RestateDurableFuture[T]]: ...


@overload
async def gather(*futures: AnyFuture) -> list[AnyFuture]: ...


async def gather(*futures: AnyFuture) -> list[AnyFuture]:
    """Waits until all have completed, well or not. Returns: the futures; awaiting each then gives its result.

        futures = [ctx.service_call(summarize, chapter) for chapter in chapters]
        summaries = [await future for future in await gather(*futures)]

    Raises: NotDurable (E0317) for what is no future of a context, TerminalError with status 409 if the invocation is
    cancelled while it waits. The same holds for all combinators.
    """
    await _settle(Combinator.ALL_COMPLETED, futures)
    return list(futures)


@overload
async def select(**kws: RestateDurableFuture[T]) -> tuple[str, T]: ...


@overload
async def select(**kws: AnyFuture) -> tuple[str, Any]: ...


async def select(**kws: AnyFuture) -> tuple[str, Any]:
    """Waits for the first to complete. Returns: its name and its result. The others go on.

        match await select(answer=future, timeout=ctx.sleep(timedelta(hours=1))):
            case "answer", text:
                return text
            case "timeout", _:
                return "nobody answered"

    Raises: TerminalError if the first one failed; NotDurable (E0317), also if there is none.
    """
    await _settle(Combinator.FIRST_COMPLETED, _some(list(kws.values())))
    name, future = next((name, future) for name, future in kws.items() if future.is_completed())
    return name, await future


@overload
async def race(*futures: RestateDurableFuture[T]) -> T: ...


@overload
async def race(*futures: AnyFuture) -> Any: ...


async def race(*futures: AnyFuture) -> Any:
    """The result of the first to complete.

    Raises: TerminalError if that one failed; NotDurable (E0317), also if there is none.
    """
    completed, _ = await wait_completed(*_some(futures))
    return await completed[0]


@overload
async def first_succeeded(*futures: RestateDurableFuture[T]) -> T: ...


@overload
async def first_succeeded(*futures: AnyFuture) -> Any: ...


async def first_succeeded(*futures: AnyFuture) -> Any:
    """The result of the first to succeed.

    Raises: TerminalError, that of the first given, if all failed; NotDurable (E0317), also if there is none.
    """
    await _settle(Combinator.FIRST_SUCCEEDED_OR_ALL_FAILED, _some(futures))
    return await next((future for future in futures if future.succeeded), futures[0])


@overload
async def all_succeeded(*futures: RestateDurableFuture[T]) -> list[T]: ...


@overload
async def all_succeeded(*futures: AnyFuture) -> list[Any]: ...


async def all_succeeded(*futures: AnyFuture) -> list[Any]:
    """The results of all, in the order given.

    Raises: TerminalError as soon as one fails, while the others go on; NotDurable (E0317).
    """
    await _settle(Combinator.ALL_SUCCEEDED_OR_FIRST_FAILED, futures)
    for future in futures:
        if future.is_completed() and not future.succeeded:
            await future
    return [await future for future in futures]


@overload
async def wait_completed(
    *args: RestateDurableFuture[T],
) -> tuple[list[RestateDurableFuture[T]], list[RestateDurableFuture[T]]]: ...


@overload
async def wait_completed(*args: AnyFuture) -> tuple[list[AnyFuture], list[AnyFuture]]: ...


async def wait_completed(*args: AnyFuture) -> tuple[list[AnyFuture], list[AnyFuture]]:
    """Waits for the first to complete. Returns: the completed ones, and the others, each in the order given.

    Without futures both lists are empty, at once. Raises: NotDurable (E0317).
    """
    if args:
        await _settle(Combinator.FIRST_COMPLETED, args)
    completed = [future.is_completed() for future in args]
    return (
        [future for future, done in zip(args, completed, strict=True) if done],
        [future for future, done in zip(args, completed, strict=True) if not done],
    )


@overload
def as_completed(*futures: RestateDurableFuture[T]) -> AsyncGenerator[RestateDurableFuture[T], None]: ...


@overload
def as_completed(*futures: AnyFuture) -> AsyncGenerator[AnyFuture, None]: ...


async def as_completed(*futures: AnyFuture) -> AsyncGenerator[AnyFuture, None]:
    """The futures, each as soon as it has completed, in the order in which the journal has their completions.

        async for future in as_completed(*futures):
            answers.append(await future)

    Raises: NotDurable (E0317).
    """
    if not futures:
        return
    places: dict[AnyLeaf, list[int]] = {}
    for place, future in enumerate(_wanted(futures)):
        places.setdefault(future.leaf, []).append(place)
    attempt = futures[0].attempt
    succession = Succession(places)
    # The same one all the time: to begin anew for each future would cost as much as there are futures.
    waiter = Waiter(succession)
    try:
        while succession.pending:
            await _Settled(attempt, succession, waiter)
            come, succession.come = succession.come, []
            for place in sorted(place for leaf in come for place in places[leaf]):
                yield futures[place]
    finally:
        attempt.forget(waiter)


def _some(futures: Sequence[AnyFuture]) -> Sequence[AnyFuture]:
    if not futures:
        raise NotDurable("there is nothing to wait for")
    return futures


class _Settled:
    """Waits for a node of the await tree."""

    __slots__ = ("_attempt", "_node", "_waiter")

    def __init__(self, attempt: "Attempt", node: Combined, waiter: Waiter | None = None) -> None:
        self._attempt = attempt
        self._node = node
        self._waiter = waiter

    def __await__(self) -> Generator[Any, Any, None]:
        return self._attempt.wait(self._node, self._waiter)


def _wanted(futures: Sequence[AnyFuture]) -> Sequence[AnyFuture]:
    for future in futures:
        if not isinstance(future, RestateDurableFuture):
            raise NotDurable(f"a {type(future).__name__} is not a future of a context")
        future.wanted = True
    return futures


async def _settle(combinator: Combinator, futures: Sequence[AnyFuture]) -> None:
    if _wanted(futures):
        await _Settled(futures[0].attempt, Combined(combinator, [future.leaf for future in futures]))
