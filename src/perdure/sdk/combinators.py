"""Waiting for several durable futures at once.

Which of them came first is recorded by the order of the journal, so that it is the same in every attempt.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from perdure.protocol.futures import Combinator
from perdure.sdk.exceptions import NotDurable
from perdure.sdk.futures import RestateDurableFuture
from perdure.sdk.machine.awaiting import Combined


async def gather(*futures: RestateDurableFuture[Any]) -> list[RestateDurableFuture[Any]]:
    """Waits until all have completed, well or not. Returns: the futures; awaiting each then gives its result."""
    await _settle(Combinator.ALL_COMPLETED, futures)
    return list(futures)


async def select(**kws: RestateDurableFuture[Any]) -> tuple[str, Any]:
    """Waits for the first to complete. Returns: its name and its result.

        match await select(answer=future, timeout=ctx.sleep(timedelta(hours=1))):
            case "answer", text: ...
            case "timeout", _: ...

    Raises: TerminalError if the first one failed.
    """
    if not kws:
        raise NotDurable("select needs at least one future")
    await _settle(Combinator.FIRST_COMPLETED, list(kws.values()))
    name, future = next((name, future) for name, future in kws.items() if future.is_completed())
    return name, await future


async def wait_completed(
    *args: RestateDurableFuture[Any],
) -> tuple[list[RestateDurableFuture[Any]], list[RestateDurableFuture[Any]]]:
    """Waits for the first to complete. Returns: the completed ones, and the others, each in the order given."""
    if args:
        await _settle(Combinator.FIRST_COMPLETED, args)
    completed = [future.is_completed() for future in args]
    return (
        [future for future, done in zip(args, completed, strict=True) if done],
        [future for future, done in zip(args, completed, strict=True) if not done],
    )


async def as_completed(*futures: RestateDurableFuture[Any]) -> AsyncGenerator[RestateDurableFuture[Any], None]:
    """The futures, each as soon as it has completed: `async for future in as_completed(…): await future`."""
    remaining = list(futures)
    while remaining:
        completed, remaining = await wait_completed(*remaining)
        for future in completed:
            yield future


class _Settled:
    """Waits for a node of the await tree."""

    __slots__ = ("_future", "_node")

    def __init__(self, future: RestateDurableFuture[Any], node: Combined) -> None:
        self._future = future
        self._node = node

    def __await__(self) -> Any:
        return self._future.attempt.wait(self._node)


async def _settle(combinator: Combinator, futures: Sequence[RestateDurableFuture[Any]]) -> None:
    for future in futures:
        if not isinstance(future, RestateDurableFuture):
            raise NotDurable(f"a {type(future).__name__} is not a future of a context")
        future.wanted = True
    if futures:
        await _Settled(futures[0], Combined(combinator, [future.node for future in futures]))
